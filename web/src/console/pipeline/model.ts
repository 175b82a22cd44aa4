import type { Branch, Pipeline, PipelineFlow, PipelinePart, Receiver, Stage } from '../../api/schema';

/** The services that a tenant sets up, in the order in which they are drawn. */
export const SERVICES = ['persist', 'archive', 'alert', 'profile', 'dashboard'] as const;
export type Service = (typeof SERVICES)[number];

export const SAYS: Record<Service, string> = {
  persist: 'Logs that you search',
  archive: 'Files for years',
  alert: 'Rules and messages',
  profile: 'Figures per route',
  dashboard: 'The live view',
};

export const LEVELS = ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'];
export const MAX_BRANCHES = 8;
export const keeps = (s: Service) => s === 'persist' || s === 'archive';

export const stageOf = (p: Pipeline, s: Service): Stage => p[s] ?? {};
export const branchesOf = (p: Pipeline, s: Service): Branch[] => stageOf(p, s).take ?? [];
export const receiversOf = (p: Pipeline): Receiver[] => p.receivers ?? [];

/** What a node of the canvas stands for, as its id says it. */
export type Thing =
  | { kind: 'part'; name: string }
  | { kind: 'service'; service: Service }
  | { kind: 'branch'; service: Service; index: number }
  | { kind: 'receiver'; index: number };

export const idOf = (t: Thing): string => [t.kind, 'name' in t ? t.name : 'service' in t ? t.service : '', 'index' in t ? t.index : ''].join(':');

export function thingOf(id: string): Thing | null {
  const [kind, name = '', index] = id.split(':');
  if (kind === 'part') return { kind, name };
  if (kind === 'receiver') return { kind, index: Number(index) };
  if (!SERVICES.includes(name as Service)) return null;
  if (kind === 'service') return { kind, service: name as Service };
  return kind === 'branch' ? { kind, service: name as Service, index: Number(index) } : null;
}

/** Puts a stage in place; what says nothing is left out. */
export function withStage(p: Pipeline, s: Service, stage: Stage): Pipeline {
  const next: Stage = {};
  if (stage.off) next.off = true;
  if (stage.take?.length) next.take = stage.take;
  if (stage.retention_days) next.retention_days = stage.retention_days;
  const out: Pipeline = { ...p };
  delete out[s];
  return Object.keys(next).length ? { ...out, [s]: next } : out;
}

export function addBranch(p: Pipeline, s: Service, b: Branch): Pipeline {
  const stage = stageOf(p, s);
  return withStage(p, s, { ...stage, off: false, take: [...(stage.take ?? []), b] });
}

export function setBranch(p: Pipeline, s: Service, index: number, b: Branch): Pipeline {
  const clean = Object.fromEntries(Object.entries(b).filter(([, v]) => v !== '' && v !== 0 && v != null)) as Branch;
  return withStage(p, s, { ...stageOf(p, s), take: branchesOf(p, s).map((old, i) => (i === index ? clean : old)) });
}

export function dropBranch(p: Pipeline, s: Service, index: number): Pipeline {
  return withStage(p, s, { ...stageOf(p, s), take: branchesOf(p, s).filter((_, i) => i !== index) });
}

export const turn = (p: Pipeline, s: Service, on: boolean): Pipeline => withStage(p, s, on ? { ...stageOf(p, s), off: false } : { off: true, retention_days: stageOf(p, s).retention_days });

export function setReceiver(p: Pipeline, index: number, r: Receiver | null): Pipeline {
  const list = receiversOf(p);
  if (!r) return { ...p, receivers: list.filter((_, i) => i !== index) };
  return { ...p, receivers: index < list.length ? list.map((old, i) => (i === index ? r : old)) : [...list, r] };
}

/** Takes away what a node stands for: a branch, a receiver, or a service's way to the stream. */
export function drop(p: Pipeline, t: Thing): Pipeline {
  switch (t.kind) {
    case 'branch': return dropBranch(p, t.service, t.index);
    case 'receiver': return setReceiver(p, t.index, null);
    case 'service': return turn(p, t.service, false);
  }
  return p;
}

/** A branch in words, a line for each thing that it says. */
export function branchWords(b: Branch): string[] {
  const words = [];
  if (b.level) words.push(b.level === 'CRITICAL' ? 'CRITICAL' : `${b.level} and above`);
  if (b.route) words.push(b.route);
  if (b.when) words.push(b.when);
  if (b.sample) words.push(`${+(b.sample * 100).toPrecision(3)} % of them`);
  return words.length ? words : ['says nothing yet'];
}

/** Records per second that a service took and kept back, between two looks; null where that is not known. */
export interface Rate { taken: number | null; left: number | null }

export function rates(before: PipelineFlow | null, now: PipelineFlow | null): Record<string, Rate> {
  const out: Record<string, Rate> = {};
  const seconds = before && now ? (Date.parse(now.at) - Date.parse(before.at)) / 1000 : 0;
  for (const part of now?.parts ?? []) {
    const old = before?.parts?.find((p) => p.name === part.name);
    const per = (k: 'taken' | 'left'): number | null => {
      const a = old?.[k], b = part[k];
      return seconds > 0 && a != null && b != null && b >= a ? (b - a) / seconds : null; // less than before: the count began anew
    };
    out[part.name] = { taken: per('taken'), left: per('left') };
  }
  return out;
}

/** What came in, as the services count it: each of them sees every record of the app. */
export function incoming(r: Record<string, Rate>): number | null {
  const seen = SERVICES.map((s) => r[s]).filter((x): x is { taken: number; left: number } => x?.taken != null && x.left != null).map((x) => x.taken + x.left);
  return seen.length ? Math.max(...seen) : null;
}

export const partOf = (flow: PipelineFlow | null, name: string): PipelinePart | undefined => flow?.parts?.find((p) => p.name === name);
