// What the API gives, from its own description (schema.d.ts), with the words that its plain strings may be; records and
// the frames of the live dashboard are described in docs/design.md, sections 4 and 9. Times are RFC 3339 strings unless a
// comment says otherwise.
import type * as api from './schema';

export type { ArchiveFile, ArchiveList as Archive, Decision, Message, PolicyView as PolicyInfo, Number as PolicyNumber, QuotaView, Quota, Start, Tenant } from './schema';

/** T with some fields told more closely. */
type With<T, Closer> = Omit<T, keyof Closer> & Closer;

export type Role = 'operator' | 'owner' | 'developer' | 'viewer';
export type AppState = 'new' | 'deploying' | 'running' | 'stopped' | 'asleep' | 'failed' | 'deleting';
export type ReleaseState = 'building' | 'starting' | 'live' | 'canary' | 'superseded' | 'failed';
export type ReplicaState = 'starting' | 'healthy' | 'unhealthy' | 'draining' | 'stopped';

export type Session = With<api.Session, { role: Role }>;
export type Problem = Partial<api.Problem> & { errors?: { message?: string; location?: string; value?: unknown }[] };
export type User = With<api.User, { role: Role }>;
/** token is there on creation only. */
export type Token = With<api.Token, { role: Role; token?: string }>;
export type Replica = With<api.Replica, { state: ReplicaState }>;
export type Release = With<api.Release, { state: ReleaseState }>;
export type App = With<api.AppView, { state: AppState; replicas: Replica[] | null; last_release: Release | null }>;
export type AlertRule = With<api.Rule, { state: 'ok' | 'pending' | 'firing' }>;
export type Notification = With<api.Notification, { kind: 'firing' | 'resolved' | 'test' | 'release'; state: 'pending' | 'sent' | 'outbox' | 'failed' | 'suppressed' | 'grouped' }>;
type Compared = 'mean' | 'above_median' | 'before_mean' | 'before_p50' | 'before_p95';
/** The dashboard knows fewer of them. */
export type RouteFigures = Omit<api.RouteProfile, Compared> & Partial<Pick<api.RouteProfile, Compared>>;
export type Profile = With<api.ProfileView, { routes: RouteFigures[] | null }>;
type Numbers = Record<string, number>;
export type Policy = With<api.Policy, { step: Numbers; target: Numbers; hpa: Numbers; swift: Numbers }>;
export type WhatIf = With<api.WhatIf, { results: With<api.WhatIfResult, { course: api.WhatIfPoint[] }>[] | null }>;
/** A second of a load test; what is not known is null. */
export interface LoadPoint { second: number; wanted: number; requests: number; failed: number; p50: number | null; p95: number | null; p99: number | null; app: { wanted: number | null; ready: number | null; cpu: number | null; mem: number | null } }
/** Of the simulator's report, what the page shows. */
export interface LoadReport { series: LoadPoint[] | null; errors: Record<string, number> | null; ensure?: { ensure: string; value: number | null; holds: boolean }[] }
export type LoadRun = With<api.LoadTest, { series?: LoadPoint[] | null; report?: LoadReport }>;
export type Status = api.PlatformStatus;

// One line of a build log, and its last.
export interface BuildLine { n: number; at: string; step: string; line: string }
export interface BuildEnd { end: true; state: ReleaseState; reason?: string; address?: string }

export type Level = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR' | 'CRITICAL';
export type Kind = 'request' | 'log' | 'sample' | 'event' | 'profile';

export interface LogRecord {
  ts: string;
  id: string;
  kind: Kind;
  level: Level | null;
  tenant: string | null;
  app: string | null;
  release: number | null;
  replica: string | null;
  method?: string;
  url: string | null;
  route?: string;
  status: number | null;
  msg: string | null;
  cpu: number | null; // percent, as the next three
  disk: number | null;
  swap: number | null;
  mem: number | null;
  dur?: number; // ms
  queue?: number; // ms
  cpu_ms?: number;
  db_ms?: number;
  bytes?: number;
  req?: string;
  exc?: string;
  extra?: Record<string, unknown>;
}

// Section 9: frames of the live dashboard. `t` of points and figures is in seconds, of frames and events in milliseconds.
export interface Point {
  t: number;
  req: number;
  s2: number;
  s3: number;
  s4: number;
  s5: number;
  p50: number | null;
  p95: number | null;
  p99: number | null;
  inflight: number | null;
  queued: number | null;
  replicas: number | null;
}
export interface Figures { t: number; cpu: number | null; disk: number | null; swap: number | null; mem: number | null }
export interface ReplicaFigures extends Figures { replica: string }
export interface LiveWindow {
  seconds: number;
  requests: number;
  rate: number;
  errors: number;
  p50: number | null;
  p95: number | null;
  p99: number | null;
}
export interface LiveEvent { t: number; event: string; msg: string; app?: string }
/** Rate, p95 and errors are of the last 60 s, last are the requests of the last second, cpu and mem of the busiest replica. */
export interface LiveApp {
  app: string;
  rate: number | null;
  p95: number | null;
  errors: number | null;
  replicas: number | null;
  last?: number;
  cpu?: number | null;
  mem?: number | null;
}
/** What happened step by step, requests per second; with by_class false s2 is all that is no 5xx. */
export interface Course { points: Point[]; figures: ReplicaFigures[]; host: Figures[]; events: LiveEvent[]; by_class: boolean }
export interface PastWindow extends LiveWindow { routes: RouteFigures[]; records: LogRecord[] }
/** since is in milliseconds. */
export interface Total { requests: number; logs: number; since?: number }
export interface Frame {
  t: number;
  app?: string;
  tenant?: string;
  snapshot?: boolean;
  points?: Point[] | null;
  figures?: ReplicaFigures[] | null;
  host?: Figures[] | null;
  routes?: RouteFigures[] | null;
  window?: LiveWindow | null;
  total?: Total | null;
  logs?: LogRecord[] | null;
  dropped?: number;
  events?: LiveEvent[] | null;
  apps?: LiveApp[] | null;
  rates?: Record<string, number[]>; // of each app: requests in each of the last 60 s
}
