import { describe, expect, it } from 'vitest';
import { LineBuffer, sentence } from '../api/client';
import type { BuildLine, LogRecord, Policy, PolicyNumber } from '../api/types';
import { fromFiles } from './deploy/collect';
import { guessName, nameProblem } from './deploy/name';
import { stepsOf } from './deploy/steps';
import { parseDotenv, variableProblem } from './dotenv';
import { passes, timesOf } from './logs/filter';
import { numberLabel, numberOf, policySentence, withNumber } from './policy';
import { parseHash, to } from './route';

const file = (name: string) => new File(['x'], name);

describe('a dropped app', () => {
  it('is known by its ending', () => {
    const types = ['a.zip', 'a.tar.gz', 'a.tgz', 'a.py'].map((n) => fromFiles([{ path: n, file: file(n) }]));
    expect(types.map((b) => b.form === 'archive' && b.type)).toEqual(['application/zip', 'application/gzip', 'application/gzip', 'text/x-python']);
  });
  it('of another form is refused with a sentence', () => expect(() => fromFiles([{ path: 'a.rar', file: file('a.rar') }])).toThrow(/a\.rar is none of the forms/));
  it('as a folder has paths relative to it', () => {
    const b = fromFiles([{ path: 'shop/app.py', file: file('app.py') }, { path: 'shop/static/x.css', file: file('x.css') }]);
    expect(b.form === 'folder' && b.parts.map((p) => p.path)).toEqual(['app.py', 'static/x.css']);
    expect(b.name).toBe('shop');
  });
  it('is named after its file', () => {
    expect(['My Shop.zip', 'shop-main.zip', 'shop-1.2.tar.gz', 'app.py', '2048.zip', 'ünïcode.py'].map(guessName)).toEqual(['my-shop', 'shop', 'shop', 'my-app', 'my-app', 'n-code']);
  });
  it('cannot have a name that is no host name', () => {
    expect(nameProblem('hello-2')).toBeNull();
    for (const bad of ['', 'Hello', '2x', 'x-', 'a'.repeat(41)]) expect(nameProblem(bad)).not.toBeNull();
  });
});

describe('a build log', () => {
  const line = (n: number, step: string, s: number): BuildLine => ({ n, step, line: String(n), at: new Date(s * 1000).toISOString() });
  const lines = [line(1, 'unpack', 0), line(2, 'unpack', 1), line(3, 'dependencies', 2), line(4, 'health', 5)];
  it('is grouped into steps, each from the end of the one before to its own last line', () => {
    expect(stepsOf(lines, null, new Date(-500).toISOString()).map((s) => [s.step, s.state, s.seconds])).toEqual([['unpack', 'done', 1.5], ['dependencies', 'done', 1], ['health', 'running', null]]);
    expect(stepsOf([...lines, line(5, 'done', 6), line(6, 'drain', 8)], { end: true, state: 'live' }).map((s) => s.seconds)).toEqual([1, 1, 3, null, 2]);
  });
  it('marks the step that failed', () => {
    expect(stepsOf([...lines, line(5, 'failed', 9)], { end: true, state: 'failed' }).map((s) => s.state)).toEqual(['done', 'done', 'failed', 'failed']);
    expect(stepsOf(lines, { end: true, state: 'failed' }).at(-1)?.state).toBe('failed');
  });
});

describe('addresses', () => {
  it('are read back as they were made', () => {
    const r = parseHash(to(['apps', 'a b', 'logs'], { q: 'x&y', level: '' }));
    expect(r.parts).toEqual(['apps', 'a b', 'logs']);
    expect([...r.query]).toEqual([['q', 'x&y']]);
  });
});

describe('filters of the live tail', () => {
  const none = { q: '', level: '', kind: '', status: '', route: '', req: '' };
  const r = { kind: 'request', level: 'WARNING', status: 404, msg: 'GET /X 404', route: '/x' } as LogRecord;
  it('take a level or above, a class of status and text in any case', () => {
    expect(passes(r, { ...none, level: 'INFO', status: '4xx', q: 'get /x' })).toBe(true);
    expect(passes(r, { ...none, level: 'ERROR' })).toBe(false);
    expect(passes(r, { ...none, status: '500' })).toBe(false);
  });
  it('leave samples out unless asked', () => expect(passes({ ...r, kind: 'sample' }, none)).toBe(false));
  it('give times by range', () => expect(timesOf({ range: '15m', from: '', to: '' }, 900_000)).toEqual({ from: '1970-01-01T00:00:00.000Z' }));
});

describe('variables', () => {
  it('are read from the lines of a .env file', () => expect(parseDotenv('# x\nA=1\nexport B="two words"\n')).toEqual([['A', '1'], ['B', 'two words']]));
  it('that Kurama sets are refused', () => expect(variableProblem('PORT', '1')).toMatch(/set by Kurama/));
});

describe('answers of the API', () => {
  it('are shown by their detail', () => expect(sentence(400, '{"title":"Bad","detail":"The archive is empty."}').message).toBe('The archive is empty.'));
  it('without a body still make a sentence', () => expect(sentence(502, '').message).toMatch(/status 502/));
  it('in lines may be cut anywhere', () => {
    const b = new LineBuffer();
    expect([...b.push('{"a"'), ...b.push(':1}\n\n{"b":2}'), ...b.rest()]).toEqual(['{"a":1}', '{"b":2}']);
  });
});

describe('a policy', () => {
  const p = { name: 'step', min: 1, max: 4, load_up: 85, step: { up: 60, down: 42 } } as unknown as Policy;
  const number = (policy: string, name: string): PolicyNumber => ({ policy, name, unit: '%', low: 0, high: 100, default: 7, what: '' });
  it('has its numbers below its name, and those of kurama beside it', () => {
    expect(numberOf(p, number('step', 'up'))).toBe(60);
    expect(numberOf(p, number('kurama', 'load_up'))).toBe(85);
    expect(numberOf(p, number('hpa', 'cpu'))).toBe(7);
    expect(withNumber(p, number('step', 'up'), 50).step).toEqual({ up: 50, down: 42 });
    expect(withNumber(p, number('kurama', 'load_up'), 50)).toMatchObject({ load_up: 50, step: { up: 60 } });
  });
  it('is told by what the API says of it', () => {
    expect(numberLabel(number('step', 'up_for'))).toBe('Up for');
    expect(policySentence(p, { name: 'step', what: 'Adds one.', source: 'AWS', numbers: [] })).toBe('Keeps between 1 and 4 replicas. Adds one. The rules are those of AWS.');
    expect(policySentence({ ...p, name: 'off' })).toMatch(/The autoscaler is off/);
  });
});
