import { describe, expect, it, vi } from 'vitest';
import type { Course, Frame, Point } from '../api/types';
import { column, pickPoint, times } from './columns';
import { Past } from './past';
import { parsePlace, placeHash } from './place';
import { sourceOf } from './source';
import { LiveStore } from './store';
import { View } from './view';

vi.stubGlobal('window', { location: { hash: '' } });
vi.stubGlobal('history', { replaceState: (_: unknown, __: string, hash: string) => { window.location.hash = hash; } });

const NOW = 1_000_000; // s
const point = (t: number, req: number, p95: number | null = 5): Point => ({ t, req, s2: req, s3: 0, s4: 0, s5: 0, p50: 1, p95, p99: 9, inflight: 0, queued: 0, replicas: 1 });
const course = (points: Point[], by_class = true): Course => ({ points, figures: [], host: [], events: [], by_class });
const view = (hash = '') => new View(() => NOW, hash);
const settle = () => new Promise((r) => setTimeout(r, 0));

describe('the time that is looked at', () => {
  it('follows an address that is pasted into the open page', () => {
    const v = view();
    v.read(`#hello?span=900&end=${NOW - 60}`);
    expect([v.span, v.end]).toEqual([900, NOW - 60]);
    v.read('#hello');
    expect([v.span, v.end]).toEqual([300, null]);
  });

  it('is in the address, beside app and tenant', () => {
    expect(parsePlace(placeHash({ app: 'a b', tenant: 'acme', span: 3600, end: 99 }))).toEqual({ app: 'a b', tenant: 'acme', span: 3600, end: 99 });
    window.location.hash = '#hello';
    const v = view();
    v.setSpan(900);
    v.moveTo(NOW - 500);
    expect(window.location.hash).toBe(`#hello?span=900&end=${NOW - 500}`);
    expect(view(window.location.hash)).toMatchObject({ span: 900, end: NOW - 500 });
    v.moveTo(null);
    v.setSpan(300);
    expect(window.location.hash).toBe('#hello');
  });
  it('is live again from the present on, and reaches back a day', () => {
    const v = view();
    v.moveBy(-60);
    expect(v.end).toBe(NOW - 60);
    v.moveBy(59.5);
    expect(v.end).toBeNull();
    v.moveBy(-99 * 86400);
    expect(v.end).toBe(NOW - 86400 + 300);
    v.setSpan(86400);
    expect(v.end).toBeNull();
  });
});

describe('the past', () => {
  it('is asked for piece by piece, once', async () => {
    const ask = vi.fn(async (_a: string, _t: string, from: number) => course([point(from, 1)]));
    const past = new Past('hello', '', () => NOW, ask);
    past.want(1, NOW - 5000, NOW - 4500);
    past.want(1, NOW - 5000, NOW - 4500);
    await settle();
    past.want(1, NOW - 5000, NOW - 4500);
    expect(ask.mock.calls.map((c) => c.slice(2))).toEqual([[994800, 995100, 1], [995100, 995400, 1], [995400, 995700, 1]]);
    expect(past.level(1).points.size).toBe(3);
  });
  it('is asked again where it reaches into the present, and after a fault', async () => {
    vi.useFakeTimers({ now: 0 });
    const ask = vi.fn(async () => course([]));
    ask.mockRejectedValueOnce(new Error('The history is away.'));
    const past = new Past('hello', '', () => NOW + Date.now() / 1000, ask);
    past.want(10, NOW - 100, NOW);
    await vi.advanceTimersByTimeAsync(1);
    expect(past.problem).toBe('The history is away.');
    past.want(10, NOW - 100, NOW);
    expect(ask).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(5001);
    past.want(10, NOW - 100, NOW);
    await vi.advanceTimersByTimeAsync(1);
    expect([ask.mock.calls.length, past.problem]).toEqual([2, '']);
    await vi.advanceTimersByTimeAsync(10_001);
    past.want(10, NOW - 100, NOW);
    expect(ask).toHaveBeenCalledTimes(3);
    vi.useRealTimers();
  });
});

describe('what charts draw', () => {
  const live = () => {
    const store = new LiveStore('hello');
    store.apply({ t: NOW * 1000, points: Array.from({ length: 61 }, (_, i) => point(NOW - 60 + i, 4)) } as Frame, NOW * 1000);
    return store;
  };
  const drawn = (store: LiveStore, past: Past, v: View, key: 'req' | 'p95' = 'req') => {
    const s = sourceOf(store, past, v);
    return column(times(v.edge() - v.span, v.edge() - v.step, v.step), s.points, pickPoint(key));
  };
  it('has no seam between the past and what the page has seen live', async () => {
    const past = new Past('hello', '', () => NOW, async (_a, _t, from, to) => course(Array.from({ length: to - from }, (_, i) => point(from + i, 2))));
    const store = live();
    const v = view();
    v.moveTo(NOW - 10);
    drawn(store, past, v);
    await settle();
    const got = drawn(store, past, v);
    expect(got).toHaveLength(300);
    expect(got.every((y) => y === 2 || y === 4)).toBe(true);
    expect(got.lastIndexOf(2)).toBe(got.indexOf(4) - 1);
  });
  it('asks for nothing while all that is looked at was seen live', () => {
    const ask = vi.fn(async () => course([]));
    const past = new Past('hello', '', () => NOW, ask);
    const store = live();
    const v = view();
    drawn(store, past, v);
    v.setSpan(60);
    store.oldest = NOW - 200;
    v.moveTo(NOW - 20);
    drawn(store, past, v);
    expect(ask).not.toHaveBeenCalled();
  });
  it('folds live seconds into the steps that are not over, without a quantile', async () => {
    const past = new Past('hello', '', () => NOW, async (_a, _t, from, to, step) => course(times(from, to - 1, step).map((t) => point(t, 2))));
    const store = live();
    const v = view();
    v.setSpan(3600);
    drawn(store, past, v);
    await settle();
    expect(drawn(store, past, v).slice(-2)).toEqual([2, 4]);
    expect(drawn(store, past, v, 'p95').slice(-2)).toEqual([5, null]);
  });
});
