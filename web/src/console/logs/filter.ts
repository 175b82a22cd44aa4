import type { LogRecord } from '../../api/types';
import { levelRank } from '../../parts/LevelTag';

export interface LogFilter {
  q: string;
  level: string; // this one or above
  kind: string;
  status: string; // 404 or 4xx
  route: string;
  req: string;
  range: string; // id of a RANGE
  from: string; // local time, where the range is `between`
  to: string;
}

export const RANGES: { id: string; label: string; seconds: number }[] = [
  { id: '15m', label: 'Last 15 min', seconds: 900 },
  { id: '1h', label: 'Last hour', seconds: 3600 },
  { id: '24h', label: 'Last 24 h', seconds: 86400 },
  { id: '7d', label: 'Last 7 days', seconds: 604800 },
  { id: 'all', label: 'All there is', seconds: 0 },
  { id: 'between', label: 'Between…', seconds: 0 },
];

/** The query of the API for a filter, at the time now. */
export function queryOf(f: LogFilter, now = Date.now()): Record<string, string | undefined> {
  const { q, level, kind, status, route, req } = f;
  return { q, level, kind, status, route, req, ...timesOf(f, now) };
}

export function timesOf(f: { range: string; from: string; to: string }, now = Date.now()): { from?: string; to?: string } {
  if (f.range === 'between') return { from: iso(f.from), to: iso(f.to) };
  const seconds = RANGES.find((r) => r.id === f.range)?.seconds ?? 0;
  return seconds ? { from: new Date(now - seconds * 1000).toISOString() } : {};
}

function iso(local: string): string | undefined {
  const t = Date.parse(local);
  return Number.isNaN(t) ? undefined : new Date(t).toISOString();
}

/** Whether a record of the live tail fits: the stream may carry more than was asked for. */
export function passes(r: LogRecord, f: Pick<LogFilter, 'q' | 'level' | 'kind' | 'status' | 'route' | 'req'>): boolean {
  if (f.level && levelRank(r.level) < levelRank(f.level)) return false;
  if (f.kind ? r.kind !== f.kind : r.kind === 'sample' || r.kind === 'profile') return false;
  if (f.status && !statusFits(r.status, f.status.toLowerCase())) return false;
  if (f.route && r.route !== f.route) return false;
  if (f.req && r.req !== f.req) return false;
  const q = f.q.toLowerCase();
  return !q || `${r.msg ?? ''}\n${r.exc ?? ''}`.toLowerCase().includes(q);
}

function statusFits(status: number | null, want: string): boolean {
  if (status == null) return false;
  return want.endsWith('xx') ? String(status)[0] === want[0] : String(status) === want;
}
