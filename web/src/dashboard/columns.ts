import type { Figures, Point } from '../api/types';
import type { Series } from './source';

// A column of a chart, one value a step. null is a gap; undefined joins its neighbours, for a sample that
// only came a second late.
export type Column = (number | null | undefined)[];

const LATE = 2; // s

/** The steps from..to, both inclusive, at whole multiples of step. */
export function times(from: number, to: number, step = 1): number[] {
  const first = Math.ceil(from / step) * step;
  return Array.from({ length: Math.max(0, Math.floor((to - first) / step) + 1) }, (_, i) => first + i * step);
}

/** The values of a series at xs. A single missing second between two known ones is no gap. */
export function column<T>(xs: number[], series: Series<T>, pick: (v: T) => number | null | undefined): Column {
  const out: Column = new Array(xs.length);
  let known = -1; // index of the last known value
  const late = xs.length > 1 && xs[1]! - xs[0]! > 1 ? 0 : LATE;
  for (let i = 0; i < xs.length; i++) {
    const v = series.get(xs[i]!);
    const y = v === undefined ? null : (pick(v) ?? null);
    out[i] = y;
    if (y === null) continue;
    if (known >= 0 && i - known > 1 && i - known <= late) for (let j = known + 1; j < i; j++) out[j] = undefined;
    known = i;
  }
  return out;
}

/** Columns on top of one another: the first result is the sum of all, the last the last alone. */
export function stack(columns: Column[]): Column[] {
  const out: Column[] = [];
  let below: Column | null = null;
  for (let i = columns.length - 1; i >= 0; i--) {
    const under: Column | null = below;
    below = columns[i]!.map((v, x) => (v == null ? v : v + (under?.[x] ?? 0)));
    out.unshift(below);
  }
  return out;
}

export const pickPoint = (key: keyof Point) => (p: Point) => p[key];
export const pickFigure = (key: 'cpu' | 'mem' | 'disk' | 'swap') => (f: Figures) => f[key];
