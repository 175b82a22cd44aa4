import type { Figures, Frame, LiveApp, LiveEvent, LiveWindow, Point, RouteFigures, Total } from '../api/types';
import { LogRing } from './logring';

export type Slice = 'points' | 'numbers' | 'routes' | 'logs' | 'events' | 'apps' | 'connection';

/** How the page stands with the server. */
export interface Connection {
  state: 'connecting' | 'live' | 'waiting' | 'signed-out';
  retryAt: number; // ms; of state waiting
  lostAt: number; // ms; 0 while live
  gap: { ms: number; filled: boolean; endedAt: number } | null; // the last one that is over
  reason: string; // why the server refuses, where it said
}

const EVENTS_KEPT = 200;
const RATES_KEPT = 60;

/** All that the page shows, fed by frames. Readers are told by slice, so that a log line redraws no chart. */
export class LiveStore {
  points = new Map<number, Point>();
  replicas = new Map<string, Map<number, Figures>>();
  host = new Map<number, Figures>();
  routes: RouteFigures[] = [];
  window: LiveWindow | null = null;
  total: Total | null = null;
  last: Point | null = null;
  events: LiveEvent[] = [];
  apps: LiveApp[] = [];
  rates = new Map<string, number[]>(); // of each app: requests in each of the last seconds, the latest last
  logs = new LogRing();
  connection: Connection = { state: 'connecting', retryAt: 0, lostAt: 0, gap: null, reason: '' };
  offset = 0; // ms that the server's clock is ahead of this one's
  oldest = 0; // s; nothing before it is known

  private readers = new Map<Slice, Set<() => void>>();
  private versions = new Map<Slice, number>();
  private clockKnown = false;
  private pruned = 0;
  private second = 0; // of the last frame

  /** app is empty where all apps of the tenant are shown; history is in seconds. */
  constructor(readonly app: string, readonly history = 3600, readonly tenant = '') {}

  subscribe(slice: Slice, fn: () => void): () => void {
    const set = this.readers.get(slice) ?? new Set();
    this.readers.set(slice, set.add(fn));
    return () => set.delete(fn);
  }

  version(slice: Slice): number {
    return this.versions.get(slice) ?? 0;
  }

  now(): number {
    return Date.now() + this.offset;
  }

  setConnection(change: Partial<Connection>): void {
    this.connection = { ...this.connection, ...change };
    this.tell('connection');
  }

  /** Takes a frame in. Missing keys mean that nothing changed. */
  apply(f: Frame, received = Date.now()): void {
    if (f.snapshot) this.startAnew();
    this.setClock(f.t, received);
    if (f.points?.length) this.addPoints(f.points);
    if (f.figures?.length || f.host?.length) {
      for (const g of f.figures ?? []) {
        let series = this.replicas.get(g.replica);
        if (!series) this.replicas.set(g.replica, (series = new Map()));
        series.set(g.t, g);
      }
      for (const g of f.host ?? []) this.host.set(g.t, g);
      this.tell('points');
    }
    if (f.routes) this.set('routes', () => (this.routes = f.routes ?? []));
    if (f.window || f.total || f.points?.length) {
      this.window = f.window ?? this.window;
      this.total = f.total ?? this.total;
      this.tell('numbers');
    }
    if (f.logs?.length || f.dropped) {
      this.logs.push(f.logs ?? [], f.dropped ?? 0);
      this.tell('logs');
    }
    if (f.events?.length) this.addEvents(f.events);
    if (f.rates) this.rates = new Map(Object.entries(f.rates));
    if (f.apps) this.apps = f.apps;
    this.turn(Math.floor(f.t / 1000), !!f.apps);
    this.prune(Math.floor(f.t / 1000));
  }

  private startAnew(): void {
    this.points.clear();
    this.replicas.clear();
    this.host.clear();
    this.events = [];
    this.last = null;
    this.logs.beginSnapshot();
    for (const s of ['points', 'events', 'logs'] as const) this.tell(s);
  }

  // The least delay seen is the closest guess of the offset; a jump is taken at once.
  private setClock(t: number, received: number): void {
    const offset = t - received;
    if (!this.clockKnown || offset > this.offset || Math.abs(offset - this.offset) > 5000) this.offset = offset;
    this.clockKnown = true;
  }

  private addPoints(points: Point[]): void {
    for (const p of points) {
      this.points.set(p.t, p);
      if (!this.last || p.t >= this.last.t) this.last = p;
      if (!this.oldest || p.t < this.oldest) this.oldest = p.t;
    }
    this.tell('points');
  }

  private addEvents(events: LiveEvent[]): void {
    const known = new Set(this.events.map((e) => `${e.t} ${e.event} ${e.msg}`));
    const fresh = events.filter((e) => !known.has(`${e.t} ${e.event} ${e.msg}`));
    this.events = [...this.events, ...fresh].sort((a, b) => a.t - b.t).slice(-EVENTS_KEPT);
    this.tell('events');
    this.tell('points'); // charts mark them
  }

  // The list of apps is sent when it changes; their courses go on each second nevertheless.
  private turn(second: number, changed: boolean): void {
    if (second !== this.second && this.apps.length > 0) {
      if (this.second) {
        this.rates = new Map(this.apps.map((a) => [a.app, [...(this.rates.get(a.app) ?? []), a.last ?? 0].slice(-RATES_KEPT)]));
      }
      this.second = second;
      changed = true;
    }
    if (changed) this.tell('apps');
  }

  private prune(now: number): void {
    if (now - this.pruned < 10) return;
    this.pruned = now;
    const limit = now - this.history;
    this.oldest = Math.max(this.oldest, limit);
    for (const series of [this.points, this.host, ...this.replicas.values()] as Map<number, unknown>[]) {
      for (const t of series.keys()) {
        if (t >= limit) break; // keys come in the order of time
        series.delete(t);
      }
    }
    for (const [name, series] of this.replicas) if (series.size === 0) this.replicas.delete(name);
  }

  private set(slice: Slice, change: () => void): void {
    change();
    this.tell(slice);
  }

  private tell(slice: Slice): void {
    this.versions.set(slice, this.version(slice) + 1);
    this.readers.get(slice)?.forEach((fn) => fn());
  }
}
