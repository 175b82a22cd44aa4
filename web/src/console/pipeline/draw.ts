import { MarkerType, Position, type Edge, type Node } from '@xyflow/react';
import type { Pipeline, PipelineFlow } from '../../api/schema';
import { amount, count, duration } from '../../format/format';
import { BEHIND } from '../pages/useRates';
import { branchesOf, branchWords, idOf, incoming, partOf, rates, receiversOf, SAYS, SERVICES, stageOf, type Rate, type Service, type Thing } from './model';

/** What a box of the canvas shows. */
export interface Box extends Record<string, unknown> {
  title: string;
  says: string[];
  tone: '' | 'off' | 'warn' | 'branch' | 'receiver';
  rate: string; // what comes in, where its arrow has no room for it
  input: Position | null; // the side where its arrows end
  output: Position | null;
}

export interface Drawing { nodes: Node<Box>[]; edges: Edge[]; height: number }

/** Where things stand, px: in columns from left to right, or on a phone below one another, the services indented under the stream. */
interface Layout { narrow: boolean; x: Columns; width: Columns }
type Columns = Record<'replicas' | 'agent' | 'stream' | 'branch' | 'service' | 'receiver', number>;

const WIDE: Layout = {
  narrow: false,
  x: { replicas: 0, agent: 175, stream: 350, branch: 535, service: 795, receiver: 1020 },
  width: { replicas: 120, agent: 120, stream: 120, branch: 180, service: 185, receiver: 200 },
};
const NARROW: Layout = {
  narrow: true,
  x: { replicas: 0, agent: 0, stream: 0, branch: 36, service: 36, receiver: 72 },
  width: { replicas: 322, agent: 322, stream: 322, branch: 286, service: 286, receiver: 250 },
};
const GAP = 20;
const NEAR = 12; // between what belongs together
const TRUNK = 40; // between the parts of the trunk, below one another
const HEIGHT = (lines: number) => 44 + 20 * Math.max(1, lines);

/** Draws the pipeline as it is set up, with what came through between two looks. */
export function draw(p: Pipeline, before: PipelineFlow | null, now: PipelineFlow | null, replicas: string, policy: string, phone = false): Drawing {
  const d = new Draft(phone ? NARROW : WIDE, SERVICES.some((s) => branchesOf(p, s).length), rates(before, now), now);
  let y = phone ? d.trunk(0, replicas) : 0;
  for (const s of SERVICES) y += d.service(p, s, y) + GAP;
  y += d.put({ kind: 'part', name: 'autoscaler' }, 'service', y, { title: 'autoscaler', says: [policy, ...troubles(partOf(now, 'autoscaler'))], output: null });
  d.arrow(STREAM, { kind: 'part', name: 'autoscaler' }, '');
  if (!phone) d.trunk(Math.max(0, y / 2 - 60), replicas);
  return { nodes: d.nodes, edges: d.edges, height: y };
}

const STREAM: Thing = { kind: 'part', name: 'stream' };

class Draft {
  nodes: Node<Box>[] = [];
  edges: Edge[] = [];
  private all: number | null;

  constructor(private layout: Layout, private branched: boolean, private speed: Record<string, Rate>, private now: PipelineFlow | null) {
    this.all = incoming(speed);
  }

  /** Puts a box and returns its height. */
  put(t: Thing, column: keyof Columns, y: number, box: Partial<Box> & { title: string; says: string[] }): number {
    const { narrow, x, width } = this.layout;
    const height = HEIGHT(box.says.length);
    const rate = narrow ? (box.rate ?? '') : '';
    // Without a branch the services stand nearer.
    const nearer = !narrow && !this.branched && (column === 'service' || column === 'receiver') ? x.service - x.branch - 60 : 0;
    this.nodes.push({
      id: idOf(t), type: 'box', position: { x: x[column] - nearer, y }, width: width[column], height, deletable: t.kind !== 'part', ariaLabel: [box.title, ...box.says, rate].filter(Boolean).join(', '),
      data: { tone: '', input: Position.Left, output: narrow ? Position.Bottom : Position.Right, ...box, rate },
    });
    return height;
  }

  arrow(from: Thing, to: Thing, label: string, deletable = false, room = !this.layout.narrow): void {
    this.edges.push({
      id: `${idOf(from)}>${idOf(to)}`, source: idOf(from), target: idOf(to), label: room ? label : '', deletable, selectable: deletable, focusable: deletable, type: 'arrow',
      markerEnd: { type: MarkerType.ArrowClosed, width: 16, height: 16, color: 'var(--xy-edge-stroke)' }, ariaLabel: `${idOf(from)} to ${idOf(to)} ${label}`,
    });
  }

  /** What all services share. Returns where the next box may stand below. */
  trunk(top: number, replicas: string): number {
    const { narrow } = this.layout;
    const parts: [name: 'replicas' | 'agent' | 'stream', says: string[]][] = [
      ['replicas', [replicas]], ['agent', ['Ships records', ...troubles(partOf(this.now, 'logship'))]], ['stream', ['Durable', ...troubles(partOf(this.now, 'stream'))]],
    ];
    parts.forEach(([name, says], i) => {
      const height = this.put({ kind: 'part', name }, name, top, { title: name, says, input: i === 0 ? null : narrow ? Position.Top : Position.Left });
      if (narrow) top += height + (i < parts.length - 1 ? TRUNK : GAP);
      if (i > 0) this.arrow({ kind: 'part', name: parts[i - 1]![0] }, { kind: 'part', name }, per(this.all), false, true);
    });
    return top;
  }

  /** A service with its branches and receivers. Returns their height. */
  service(p: Pipeline, s: Service, y: number): number {
    const { narrow } = this.layout;
    const service: Thing = { kind: 'service', service: s };
    const { off, retention_days } = stageOf(p, s), branches = branchesOf(p, s);
    const { taken, left } = this.speed[s] ?? { taken: null, left: null };
    let height = 0;
    branches.forEach((b, i) => {
      const branch: Thing = { kind: 'branch', service: s, index: i };
      const last = i === branches.length - 1;
      height += this.put(branch, 'branch', y + height, { title: 'Only', says: branchWords(b), tone: 'branch', output: Position.Right, rate: i === 0 ? per(this.all) : '' }) + (narrow || !last ? NEAR : 0);
      this.arrow(STREAM, branch, i === 0 ? per(this.all) : '', true);
      this.arrow(branch, service, last ? per(taken) : '');
    });
    const part = partOf(this.now, s);
    const says = [off ? 'Off: takes nothing' : SAYS[s]];
    if (retention_days) says.push(`kept for ${duration(retention_days * 86400)}`);
    if (branches.length && left != null) says.push(`keeps back ${per(left)}`);
    if (!off) says.push(...troubles(part));
    const own = this.put(service, 'service', narrow ? y + height : y, {
      title: s, says, tone: off ? 'off' : part && !part.ready ? 'warn' : '', output: s !== 'alert' ? null : narrow ? Position.Bottom : Position.Right,
      input: narrow && branches.length ? Position.Right : Position.Left, rate: off ? '' : per(taken),
    });
    if (!branches.length && !off) this.arrow(STREAM, service, per(taken), true);
    height = narrow ? height + own : Math.max(height, own);
    return s === 'alert' ? Math.max(height, this.receivers(p, y, height)) : height;
  }

  /** The receivers beside or below the alerts. Returns how far they reach from y. */
  private receivers(p: Pipeline, y: number, above: number): number {
    let reach = this.layout.narrow ? above + NEAR : 0;
    receiversOf(p).forEach((r, index) => {
      const receiver: Thing = { kind: 'receiver', index };
      reach += this.put(receiver, 'receiver', y + reach, { title: r.to || 'Nobody yet', says: [r.when + (r.for ? ` for ${duration(r.for)}` : '')], tone: 'receiver', output: null }) + NEAR;
      this.arrow({ kind: 'service', service: 'alert' }, receiver, '');
    });
    return reach - NEAR;
  }
}

/** What a part lacks, in words. */
function troubles(part: { ready: boolean; lag: number | null; errors: number | null } | undefined): string[] {
  if (!part) return [];
  const says = [];
  if (!part.ready) says.push('Not ready');
  if (part.lag != null && part.lag > BEHIND) says.push(`${count(part.lag)} batches wait`);
  if (part.errors != null && part.errors > 0) says.push(`${part.errors} failed ${part.errors === 1 ? 'attempt' : 'attempts'}`);
  return says;
}

const per = (v: number | null | undefined) => (v == null ? '' : `${amount(v < 10 ? +v.toFixed(1) : Math.round(v))}/s`);
