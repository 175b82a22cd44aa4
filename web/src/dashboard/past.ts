import { sentence } from '../api/client';
import { liveApi } from './session';
import type { Course, Figures, LiveEvent, Point } from '../api/types';

const STEPS = 300; // of one question
const FAILED = 5000; // ms until a question that failed is asked again

/** What is known of the past in steps of one length. */
export class Level {
  points = new Map<number, Point>();
  replicas = new Map<string, Map<number, Figures>>();
  host = new Map<number, Figures>();
  events = new Map<string, LiveEvent>();
  byClass = true;
  until = 0; // s; steps from here on are not over, or not asked for
  chunks = new Map<number, { asked: number; whole: boolean; busy: boolean }>(); // asked in ms

  constructor(readonly step: number) {}

  take(c: Course): void {
    this.byClass = c.by_class;
    for (const p of c.points) this.points.set(p.t, p);
    for (const f of c.figures) {
      let series = this.replicas.get(f.replica);
      if (!series) this.replicas.set(f.replica, (series = new Map()));
      series.set(f.t, f);
    }
    for (const f of c.host) this.host.set(f.t, f);
    for (const e of c.events) this.events.set(`${e.t} ${e.event} ${e.msg}`, e);
  }
}

/** The past of one view, fetched in pieces as they are looked at. */
export class Past {
  version = 0;
  problem = ''; // why the last question had no answer
  private levels = new Map<number, Level>();
  private readers = new Set<() => void>();

  /** now gives the server's time in seconds. */
  constructor(private app: string, private tenant: string, private now: () => number, private ask = askServer) {}

  subscribe = (fn: () => void): (() => void) => {
    this.readers.add(fn);
    return () => this.readers.delete(fn);
  };

  snapshot = (): number => this.version;

  level(step: number): Level {
    let level = this.levels.get(step);
    if (!level) this.levels.set(step, (level = new Level(step)));
    return level;
  }

  busy(step: number): boolean {
    return [...this.level(step).chunks.values()].some((c) => c.busy);
  }

  /** Sees to it that from..to is known in steps of step; a piece that reaches into the present is asked again after `fresh` seconds. */
  want(step: number, from: number, to: number, fresh = Math.max(10, step / 2)): void {
    const size = step * STEPS;
    const now = this.now();
    for (let i = Math.floor(from / size); i * size < Math.min(to, now); i++) {
      const known = this.level(step).chunks.get(i);
      if (known?.busy || known?.whole || (known && Date.now() - known.asked < fresh * 1000)) continue;
      void this.fetch(step, i, size);
    }
  }

  private async fetch(step: number, i: number, size: number): Promise<void> {
    const level = this.level(step);
    const known = { asked: Date.now(), whole: false, busy: true };
    level.chunks.set(i, known);
    const asked = Math.floor(this.now());
    const end = Math.min((i + 1) * size, asked);
    try {
      level.take(await this.ask(this.app, this.tenant, i * size, end, step));
      // What happened in the last seconds may not be stored yet.
      known.whole = (i + 1) * size < asked - SETTLED;
      level.until = Math.max(level.until, Math.floor((end - SETTLED) / step) * step);
      this.problem = '';
    } catch (err) {
      known.asked = Date.now() + FAILED - 10_000;
      this.problem = err instanceof Error ? err.message : String(err);
    }
    known.busy = false;
    this.version++;
    this.readers.forEach((fn) => fn());
  }
}

const SETTLED = 5; // s

async function askServer(app: string, tenant: string, from: number, to: number, step: number): Promise<Course> {
  return askHistory<Course>('/api/history', { app, tenant, from: String(from), to: String(to), step: String(step) });
}

/** Asks the dashboard's server about the past. Throws an Error whose message is a sentence. */
export async function askHistory<T>(path: string, query: Record<string, string>, signal?: AbortSignal): Promise<T> {
  const answer = await fetch(liveApi(path, Object.fromEntries(Object.entries(query).filter(([, v]) => v !== ''))), { signal });
  if (!answer.ok) throw new Error(sentence(answer.status, await answer.text()).message);
  return (await answer.json()) as T;
}
