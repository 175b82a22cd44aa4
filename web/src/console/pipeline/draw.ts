import { MarkerType, type Edge, type Node } from '@xyflow/react';
import type { Pipeline, PipelineFlow } from '../../api/schema';
import { amount, count, duration } from '../../format/format';
import { BEHIND } from '../pages/useRates';
import { branchesOf, branchWords, idOf, incoming, partOf, rates, receiversOf, SAYS, SERVICES, stageOf, type Thing } from './model';

/** What a box of the canvas shows. */
export interface Box extends Record<string, unknown> {
  title: string;
  says: string[];
  tone: '' | 'off' | 'warn' | 'branch' | 'receiver';
  input: boolean;
  output: boolean;
}

export interface Drawing { nodes: Node<Box>[]; edges: Edge[]; height: number }

// Columns and rows of the canvas, px.
const X = { replicas: 0, logship: 175, stream: 350, branch: 535, service: 795, receiver: 1020 };
const WIDTH = { part: 120, branch: 180, service: 185, receiver: 200 };
const GAP = 20;
const HEIGHT = (lines: number) => 44 + 20 * Math.max(1, lines);

/** Draws the pipeline as it is set up, with what came through between two looks. */
export function draw(p: Pipeline, before: PipelineFlow | null, now: PipelineFlow | null, replicas: string, policy: string): Drawing {
  const out: Drawing = { nodes: [], edges: [], height: 0 };
  const speed = rates(before, now);
  const all = incoming(speed);
  const put = (t: Thing, x: number, y: number, width: number, box: Partial<Box> & { title: string; says: string[] }) => {
    const height = HEIGHT(box.says.length);
    out.nodes.push({
      id: idOf(t), type: 'box', position: { x, y }, width, height, deletable: t.kind !== 'part', ariaLabel: [box.title, ...box.says].join(', '),
      data: { tone: '', input: true, output: true, ...box },
    });
    return height;
  };
  const arrow = (from: Thing, to: Thing, label: string, deletable = false) => {
    out.edges.push({ id: `${idOf(from)}>${idOf(to)}`, source: idOf(from), target: idOf(to), label, deletable, selectable: deletable, focusable: deletable, type: 'arrow', markerEnd: { type: MarkerType.ArrowClosed, width: 16, height: 16, color: 'var(--xy-edge-stroke)' }, ariaLabel: `${idOf(from)} to ${idOf(to)} ${label}` });
  };
  // Without a branch the services stand nearer.
  const shift = SERVICES.some((s) => branchesOf(p, s).length) ? 0 : X.service - X.branch - 60;
  const stream: Thing = { kind: 'part', name: 'stream' };

  let y = 0;
  for (const s of SERVICES) {
    const service: Thing = { kind: 'service', service: s };
    const stage = stageOf(p, s), branches = branchesOf(p, s);
    const at = y;
    let height = 0;
    branches.forEach((b, i) => {
      const branch: Thing = { kind: 'branch', service: s, index: i };
      const h = put(branch, X.branch, at + height, WIDTH.branch, { title: 'Only', says: branchWords(b), tone: 'branch' });
      height += h + (i < branches.length - 1 ? 12 : 0);
      arrow(stream, branch, i === 0 ? per(all) : '', true);
      arrow(branch, service, i === branches.length - 1 ? per(speed[s]?.taken) : '');
    });
    const part = partOf(now, s);
    const says = [stage.off ? 'Off: takes nothing' : SAYS[s]];
    if (stage.retention_days) says.push(`kept for ${duration(stage.retention_days * 86400)}`);
    if (branches.length && speed[s]?.left != null) says.push(`keeps back ${per(speed[s].left)}`);
    if (!stage.off) says.push(...troubles(part));
    const own = put(service, X.service - shift, at, WIDTH.service, { title: s, says, tone: stage.off ? 'off' : part && !part.ready ? 'warn' : '', output: s === 'alert' });
    if (!branches.length && !stage.off) arrow(stream, service, per(speed[s]?.taken), true);
    height = Math.max(height, own);
    if (s === 'alert') {
      let r = at;
      receiversOf(p).forEach((receiver, i) => {
        const t: Thing = { kind: 'receiver', index: i };
        r += put(t, X.receiver - shift, r, WIDTH.receiver, { title: receiver.to || 'Nobody yet', says: [receiver.when + (receiver.for ? ` for ${duration(receiver.for)}` : '')], tone: 'receiver', output: false }) + 12;
        arrow(service, t, '');
      });
      height = Math.max(height, r - at - 12);
    }
    y += height + GAP;
  }
  const scaler: Thing = { kind: 'part', name: 'autoscaler' };
  y += put(scaler, X.service - shift, y, WIDTH.service, { title: 'autoscaler', says: [policy, ...troubles(partOf(now, 'autoscaler'))], output: false });
  arrow(stream, scaler, '');

  out.height = y;
  const middle = Math.max(0, y / 2 - 60);
  const trunk: [Thing, number, string[]][] = [
    [{ kind: 'part', name: 'replicas' }, X.replicas, [replicas]],
    [{ kind: 'part', name: 'agent' }, X.logship, ['Ships records', ...troubles(partOf(now, 'logship'))]],
    [stream, X.stream, ['Durable', ...troubles(partOf(now, 'stream'))]],
  ];
  trunk.forEach(([t, x, says], i) => {
    put(t, x, middle, WIDTH.part, { title: t.kind === 'part' ? t.name : '', says, input: i > 0 });
    if (i > 0) arrow(trunk[i - 1]![0], t, per(all));
  });
  return out;
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
