import type { Figures, LiveEvent, Point } from '../api/types';
import type { Level, Past } from './past';
import type { LiveStore } from './store';
import type { View } from './view';

/** Values by their second. */
export interface Series<T> { get(t: number): T | undefined }

/** What charts draw: the live store, or the past with the live store at its end. */
export interface Source {
  app: string;
  step: number; // s
  byClass: boolean;
  points: Series<Point>;
  replicas: [name: string, figures: Series<Figures>][];
  host: Series<Figures>;
  heard: boolean; // whether the host's figures arrive
  events: LiveEvent[];
}

/** What to draw of view. Where something is missing, it is asked for and comes later. */
export function sourceOf(store: LiveStore, past: Past, view: View): Source {
  const { step } = view;
  const to = view.edge();
  const from = to - view.span - step;
  if (step === 1 && (view.end === null || from >= store.oldest)) return live(store);
  past.want(step, from, to);
  return joined(store, past.level(step), from, to);
}

function live(store: LiveStore): Source {
  const { app, points, host, events } = store;
  return { app, step: 1, byClass: true, points, replicas: [...store.replicas], host, heard: host.size > 0, events };
}

// Steps that are over come from the past, the others are folded from the live seconds.
function joined(store: LiveStore, level: Level, from: number, to: number): Source {
  const { step } = level;
  const names = new Set([...store.replicas.keys(), ...level.replicas.keys()]);
  const known = new Set(store.events.map(key));
  const events = [...[...level.events.values()].filter((e) => !known.has(key(e))), ...store.events].filter((e) => e.t / 1000 >= from && e.t / 1000 <= to);
  return {
    app: store.app, step, byClass: level.byClass,
    points: join(level.points, level, store.points, step, foldPoints(level.byClass)),
    replicas: [...names].map((n) => [n, join(level.replicas.get(n) ?? NOTHING, level, store.replicas.get(n) ?? NOTHING, step, foldFigures)]),
    host: join(level.host, level, store.host, step, foldFigures),
    heard: level.host.size + store.host.size > 0,
    events: events.sort((a, b) => a.t - b.t),
  };
}

const key = (e: LiveEvent) => `${e.t} ${e.event} ${e.msg}`;
const NOTHING: Series<never> = { get: () => undefined };

function join<T>(old: Series<T>, level: Level, live: Series<T>, step: number, fold: (parts: T[]) => T): Series<T> {
  return {
    get(t) {
      if (step === 1) return live.get(t) ?? old.get(t);
      if (t < level.until) return old.get(t);
      const parts: T[] = [];
      for (let s = t; s < t + step; s++) {
        const part = live.get(s);
        if (part) parts.push(part);
      }
      return parts.length > 0 ? fold(parts) : old.get(t);
    },
  };
}

type Count = 'req' | 's2' | 's3' | 's4' | 's5';

// Quantiles of seconds cannot be added up: a step that is not over has none.
const foldPoints = (byClass: boolean) => (parts: Point[]): Point => {
  const mean = (k: Count) => parts.reduce((sum, p) => sum + p[k], 0) / parts.length;
  const highest = (k: 'inflight' | 'queued' | 'replicas') => parts.reduce<number | null>((most, p) => (p[k] != null && (most == null || p[k] > most) ? p[k] : most), null);
  const req = mean('req');
  const s5 = mean('s5');
  const classes = byClass ? { s2: mean('s2'), s3: mean('s3'), s4: mean('s4') } : { s2: req - s5, s3: 0, s4: 0 };
  return { t: parts[0]!.t, req, ...classes, s5, p50: null, p95: null, p99: null, inflight: highest('inflight'), queued: highest('queued'), replicas: highest('replicas') };
};

function foldFigures(parts: Figures[]): Figures {
  const mean = (k: 'cpu' | 'mem' | 'disk' | 'swap') => {
    const values = parts.map((p) => p[k]).filter((v) => v != null);
    return values.length > 0 ? values.reduce((a, b) => a + b, 0) / values.length : null;
  };
  return { t: parts[0]!.t, cpu: mean('cpu'), mem: mean('mem'), disk: mean('disk'), swap: mean('swap') };
}
