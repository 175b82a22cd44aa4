import { plain, rowText } from '../parts/plain';
import { describe, expect, it } from 'vitest';
import { ago, bytes, duration, ms, parseDuration, percent, plural, rate, short } from './format';

describe('figures', () => {
  it('says what is unknown as a dash, never as 0', () => {
    for (const say of [ms, percent, rate, bytes, duration, short]) expect(say(null)).toBe('–');
  });
  it('says times in the unit a person would', () => {
    expect([0, 0.84, 83.2, 1234, 240000].map(ms)).toEqual(['0 ms', '0.8 ms', '83 ms', '1.2 s', '4 min']);
    expect([60, 90, 300, 7200].map(duration)).toEqual(['1 min', '90 s', '5 min', '2 h']);
  });
  it('says sizes in powers of 1024', () => expect([12, 4198, 268435456].map(bytes)).toEqual(['12 B', '4.1 KiB', '256 MiB']));
  it('shortens large counts only', () => expect([950, 12345, 4.2e6].map(short)).toEqual(['950', '12.3k', '4.2M']));
  it('counts one and many', () => expect([plural(1, 'replica'), plural(2, 'replica')]).toEqual(['1 replica', '2 replicas']));
  it('tells times relative up to a day', () => {
    const now = Date.parse('2026-11-20T10:00:00Z');
    expect(ago('2026-11-20T09:57:00Z', now)).toBe('3 min ago');
    expect(ago('2026-11-18T09:57:00Z', now)).toMatch(/18 Nov 2026/);
  });
});

describe('a duration as typed', () => {
  it('is read with and without units', () => expect(['90', '30s', '1m', '5 min', '1h30m'].map(parseDuration)).toEqual([90, 30, 60, 300, 5400]));
  it('is refused where it is none', () => expect(['', 'soon', '5 x', '1m!'].map(parseDuration).every(Number.isNaN)).toBe(true));
});

describe('what an app wrote', () => {
  it('loses the colours of a terminal', () => expect(plain('\u001b[1;31mred\u001b[0m \u001b]8;;http://x\u0007link')).toBe('red link'));
  it('shows control characters and keeps lines and tabs', () => expect(plain('a\u0000b\rc\td\r\ne\u007f')).toBe('a␀b␍c\td\ne␡'));
  it('cannot turn the direction of what follows', () => expect(plain('user\u202Egnp.exe\u2066')).toBe('user�gnp.exe�'));
  it('stays markup as text', () => expect(plain('<img src=x onerror=alert(1)>')).toBe('<img src=x onerror=alert(1)>'));
  it('has one bounded line in a row', () => {
    expect(rowText('one\ntwo')).toBe('one …');
    expect(rowText('x'.repeat(70000)).length).toBeLessThan(610);
  });
});
