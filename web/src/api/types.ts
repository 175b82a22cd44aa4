// The wire forms of docs/design.md, sections 4, 8 and 9. Times are RFC 3339 strings unless a comment says otherwise.

export type Role = 'operator' | 'owner' | 'developer' | 'viewer';
export type AppState = 'new' | 'deploying' | 'running' | 'stopped' | 'failed' | 'deleting';
export type ReleaseState = 'building' | 'starting' | 'live' | 'superseded' | 'failed';
export type ReplicaState = 'starting' | 'healthy' | 'unhealthy' | 'draining' | 'stopped';

export interface Session {
  user: string;
  role: Role;
  tenant: string;
  csrf: string;
  dashboard_url: string;
  router_port: number;
  domain: string;
}

export interface Problem {
  title?: string;
  status?: number;
  detail?: string;
  errors?: { message?: string; location?: string; value?: unknown }[];
}

export interface Tenant { name: string; created_at: string; apps: number }
export interface User { name: string; role: Role; created_at?: string }
export interface Token {
  id: string;
  name: string;
  role: Role;
  token?: string; // on creation only
  created_by?: string;
  created_at?: string;
  expires_at?: string | null;
  used_at?: string | null;
}

export interface Replica {
  id: string;
  release: number;
  state: ReplicaState;
  address: string;
  started_at: string;
  restarts: number;
}

export interface Release {
  app: string;
  tenant: string;
  number: number;
  state: ReleaseState;
  reason?: string;
  source_digest: string;
  layer: string;
  start: { command: string[] | null; shell: boolean; health: string; why: string };
  limits: { cpu: number; memory: number; disk: number; pids: number; nofile: number };
  rollback_of?: number;
  created_by: string;
  created_at: string;
  live_at?: string | null;
}

export interface App {
  tenant: string;
  name: string;
  state: AppState;
  reason?: string;
  desired: number;
  release: number;
  created_at: string;
  updated_at: string;
  address: string;
  replicas: Replica[] | null;
  ready: number;
  last_release: Release | null;
}

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
  req?: string;
  exc?: string;
  extra?: Record<string, unknown>;
}

export interface ArchiveFile { name: string; from: string; to: string; records: number; bytes: number; sha256: string }
export interface Archive { files: ArchiveFile[] | null; from?: string; to?: string; records: number; bytes: number }

export interface AlertRule {
  id: string;
  condition: string;
  for: number; // s
  receiver: string;
  state: 'ok' | 'pending' | 'firing';
  since?: string | null;
  value?: string;
  created_at: string;
}

export interface Notification {
  id: string;
  kind: 'firing' | 'resolved' | 'test';
  recipient: string;
  subject: string;
  body_text: string;
  state: 'pending' | 'sent' | 'outbox' | 'failed';
  attempts: number;
  error?: string;
  created_at: string;
  sent_at?: string | null;
}

export interface RouteFigures {
  method: string;
  route: string;
  requests: number;
  errors: number;
  p50: number | null; // ms, as the next four
  p95: number | null;
  p99: number | null;
  mean?: number | null;
  cpu_ms: number | null;
  rate: number | null; // requests/s
}
export interface Profile { window: string; from: string; to: string; routes: RouteFigures[] | null }

type Numbers = Record<string, number>;

export interface Policy {
  name: string; // one of PolicyInfo's
  min: number;
  max: number;
  concurrency: number;
  schedule: string;
  load_window: number; // s
  load_up: number; // percent
  load_down: number; // percent
  time_window: number; // s
  time_up: number; // ms
  cooldown: number; // s
  step: Numbers;
  target: Numbers;
  hpa: Numbers;
  swift: Numbers;
}

export interface PolicyNumber { policy: string; name: string; unit: string; low: number; high: number; default: number; what: string }
export interface PolicyInfo { name: string; what: string; source: string; numbers: PolicyNumber[] }

export interface Decision {
  at: string;
  policy: string;
  from: number;
  to: number;
  reason: string;
  inputs: Record<string, number> | null;
}

export interface Status {
  roles: { name: string; ready: boolean; detail?: string }[] | null;
  host: { cpu: number | null; mem: number | null; disk: number | null; swap: number | null };
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
