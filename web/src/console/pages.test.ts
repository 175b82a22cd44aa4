import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { stepsOf } from '../api/course';
import type { Course, CoursePoint, RoutingView } from '../api/schema';
import type { App, LogRecord, Release } from '../api/types';
import { daysOf, depthOf } from './archive/days';
import { curlOf } from './logs/curl';
import { changesOf } from './pages/changes';
import { stateOf, untilServed } from './pages/shown';
import { ratesOf } from './pages/useRates';
import { wanted } from './pages/wanted';

describe('what pages derive', () => {
  test('a request as a command survives a shell', () => {
    const of = (r: Partial<LogRecord>) => curlOf(r as LogRecord, 'http://hello.localhost:8080/');
    expect(of({ method: 'GET', url: '/user/ann' })).toBe('curl -i http://hello.localhost:8080/user/ann');
    expect(of({ method: 'POST', url: "/a?b='; rm -rf ~" })).toBe(`curl -i -X POST 'http://hello.localhost:8080/a?b='\\''; rm -rf ~'`);
    expect(of({ method: "GET'x", url: '/' })).toBe(`curl -i -X 'GET'\\''x' http://hello.localhost:8080/`);
    expect(of({ url: null })).toBeNull();
  });

  test('a change of the routing holds what the API takes, and nothing else', () => {
    const { schemas } = JSON.parse(readFileSync(new URL('../api/openapi.json', import.meta.url), 'utf8')).components;
    const view = Object.fromEntries(Object.keys(schemas.RoutingView.properties).map((name) => [name, null]));
    expect(Object.keys(wanted(view as unknown as RoutingView, 'secret')).sort()).toEqual(Object.keys(schemas.RoutingChangeBody.properties).sort());
  });

  test('two releases differ in what is different, and in nothing else', () => {
    const one = { source_digest: 'sha256:aaaaaaaaaaaaaaaa', layer: 'l', start: { command: ['gunicorn', 'app:app'], health: '/' }, limits: { cpu: 1, memory: 1 << 28, disk: 1 << 26, pids: 128 } } as unknown as Release;
    expect(changesOf(one, one)).toEqual([]);
    expect(changesOf(one, { ...one, source_digest: 'sha256:bbbbbbbbbbbbbbbb', limits: { ...one.limits, cpu: 2 } })).toEqual([['Source', 'aaaaaaaaaaaa', 'bbbbbbbbbbbb'], ['CPU per replica', '1 core', '2 cores']]);
  });

  test('a canary that the app no longer has is live, or over, before the list says so', () => {
    const canary = { number: 4, state: 'canary', created_at: '2026-11-20T10:00:00Z', canary_at: '2026-11-20T10:00:02Z', live_at: '2026-11-20T11:00:00Z' } as Release;
    const app = (release: number, canary?: object) => ({ release, canary }) as App;
    expect(stateOf(canary, app(3, { release: 4, share: 20 }))).toBe('canary');
    expect(stateOf(canary, app(4))).toBe('live');
    expect(stateOf(canary, app(5))).toBe('superseded');
    expect(stateOf(canary, app(3))).toBe('failed');
    expect(untilServed(canary)).toBe('2 s');
    expect(untilServed({ ...canary, canary_at: undefined })).toBe('60 min');
    expect(untilServed({ ...canary, canary_at: undefined, live_at: undefined })).toBe('–');
  });

  test('files are counted on the day on which they begin', () => {
    const now = new Date(2026, 10, 20, 15).getTime();
    const file = (at: Date, records: number) => ({ name: 'f', from: at.toISOString(), to: at.toISOString(), records, bytes: 10, sha256: '' });
    const days = daysOf([file(new Date(2026, 10, 20, 0, 1), 5), file(new Date(2026, 10, 19, 23, 59), 7), file(new Date(2025, 1, 1), 9)], 3, now);
    expect(days.map((d) => [d.date, d.records])).toEqual([['2026-11-18', 0], ['2026-11-19', 7], ['2026-11-20', 5]]);
    expect(days.map((d) => depthOf(d, 7))).toEqual([0, 4, 4]);
    expect(depthOf({ date: '', records: 1, bytes: 0, files: 1 }, 1_000_000)).toBe(1);
  });

  test('a role that started anew has no rate until the next look', () => {
    const look = (at: number, n: number) => ({ at, records: new Map([['persist', n]]) });
    expect(ratesOf(look(1000, 100), look(4000, 400)).get('persist')).toBe(100);
    expect(ratesOf(look(1000, 100), look(4000, 7)).has('persist')).toBe(false);
    expect(ratesOf(look(0, 0), look(4000, 7)).has('persist')).toBe(false);
  });

  test('a step of which nothing is known is a gap', () => {
    const point = { at: '2026-11-20T10:01:00Z', rate: 2 } as CoursePoint;
    const course: Course = { from: '2026-11-20T10:00:00Z', to: '2026-11-20T10:03:00Z', step: 60, points: [point], events: [] };
    expect(stepsOf(course)).toEqual([undefined, point, undefined]);
  });
});
