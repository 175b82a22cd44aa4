import { describe, expect, it } from 'vitest';
import type { Frame, LogRecord, Point } from '../api/types';
import { niceTop } from './axis';
import { column, stack, times } from './columns';
import { LOGS_KEPT } from './logring';
import { parsePlace, placeHash } from './place';
import { LiveStore } from './store';

const point = (t: number, req: number): Point => ({ t, req, s2: req, s3: 0, s4: 0, s5: 0, p50: null, p95: null, p99: null, inflight: 0, queued: 0, replicas: 1 });
const record = (n: number) => ({ id: `r${n}`, msg: `${n}` }) as LogRecord;
const frame = (f: Partial<Frame>): Frame => ({ t: 1000_000, ...f });

describe('the store', () => {
  it('replaces a point of a second that is still filling', () => {
    const s = new LiveStore('hello');
    s.apply(frame({ points: [point(999, 5), point(1000, 1)] }));
    s.apply(frame({ points: [point(1000, 7)] }));
    expect([s.points.size, s.points.get(1000)?.req, s.last?.req]).toEqual([2, 7, 7]);
  });
  it('keeps what a frame does not mention', () => {
    const s = new LiveStore('hello');
    s.apply(frame({ total: { requests: 3, logs: 4 } }));
    s.apply(frame({ points: [point(1000, 1)] }));
    expect(s.total).toEqual({ requests: 3, logs: 4 });
  });
  it('does not show records twice after a reconnect', () => {
    const s = new LiveStore('hello');
    s.apply(frame({ logs: [record(1), record(2)] }));
    s.apply(frame({ snapshot: true, logs: [record(2), record(3)] }));
    expect(s.logs.records.map((r) => r.id)).toEqual(['r1', 'r2', 'r3']);
  });
  it('keeps a bounded number of records and counts what was dropped', () => {
    const s = new LiveStore('hello');
    for (let i = 0; i < 30; i++) s.apply(frame({ logs: Array.from({ length: 100 }, (_, k) => record(i * 100 + k)), dropped: 2 }));
    expect([s.logs.records.length, s.logs.records.at(-1)?.id, s.logs.dropped, s.logs.added]).toEqual([LOGS_KEPT, 'r2999', 60, 3000]);
  });
  it('forgets what is older than its history', () => {
    const s = new LiveStore('hello', 100);
    s.apply(frame({ points: [point(850, 1), point(950, 1)], figures: [{ replica: 'gone', t: 850, cpu: 1, disk: 1, swap: 0, mem: 1 }] }));
    expect([[...s.points.keys()], s.replicas.size]).toEqual([[950], 0]);
  });
  it('moves the courses of apps on each second, whether or not the list changed', () => {
    const s = new LiveStore('');
    const app = { app: 'hello', rate: 1, p95: null, errors: 0, replicas: 1, last: 4 };
    s.apply(frame({ snapshot: true, apps: [app], rates: { hello: [1, 2] } }));
    s.apply(frame({ t: 1001_000 }));
    s.apply(frame({ t: 1001_250 }));
    s.apply(frame({ t: 1002_000, apps: [{ ...app, last: 0 }] }));
    expect(s.rates.get('hello')).toEqual([1, 2, 4, 0]);
  });
  it('tells only the readers of what changed', () => {
    const s = new LiveStore('hello');
    let charts = 0;
    s.subscribe('points', () => charts++);
    s.apply(frame({ logs: [record(1)] }));
    expect(charts).toBe(0);
  });
});

describe('columns', () => {
  const of = (...t: number[]) => new Map(t.map((k) => [k, k]));
  it('have a gap where nothing is known, never 0', () => expect(column(times(1, 6), of(1, 2, 6), (v) => v)).toEqual([1, 2, null, null, null, 6]));
  it('join over a single late second', () => expect(column(times(1, 3), of(1, 3), (v) => v)).toEqual([1, undefined, 3]));
  it('stack from the last to the first', () => expect(stack([[5, null], [2, null], [1, 4]])).toEqual([[8, null], [3, null], [1, 4]]));
  it('get an axis that does not jump', () => expect([0, 3, 47, 96, 110].map(niceTop)).toEqual([1, 4, 50, 150, 150]));
});

describe('the address of a view', () => {
  it('names app and tenant', () => {
    expect(parsePlace(placeHash({ app: 'hello', tenant: 'acme' }))).toEqual({ app: 'hello', tenant: 'acme' });
    expect(parsePlace('')).toEqual({ app: '', tenant: '' });
  });
});
