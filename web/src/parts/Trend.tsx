import { useState, type PointerEvent } from 'react';
import { clock, UNKNOWN } from '../format/format';
import './trend.css';

interface Props {
  label: string;
  values: (number | null | undefined)[];
  begin: number; // ms; of the first value
  step: number; // ms
  format: (v: number | null | undefined) => string;
  color: string;
  /** Where the line stops; else the highest value. */
  top?: number;
  bad?: boolean;
}

const W = 200;
const H = 40;
export const TREND_BOX = `0 0 ${W} ${H}`;

/** One figure over time in a line, with its last value; under the pointer the value of that moment. A gap is a gap. */
export function Trend({ label, values, begin, step, format, color, top, bad }: Props) {
  const [at, setAt] = useState<number | null>(null);
  const known = values.filter((v) => v != null);
  const max = Math.max(top ?? 0, ...known, 1e-9);
  const last = lastKnown(values);
  const shown = at ?? last;
  const move = (e: PointerEvent) => {
    const box = e.currentTarget.getBoundingClientRect();
    setAt(Math.min(values.length - 1, Math.max(0, Math.floor(((e.clientX - box.left) / box.width) * values.length))));
  };
  const note = at != null ? clock(begin + at * step, false).slice(0, 5) : known.length > 0 ? `at most ${format(Math.max(...known))}` : 'nothing known';
  return (
    <div className={bad ? 'trend trend-bad' : 'trend'} role="img" aria-label={`${label}: ${last == null ? 'nothing known' : `last ${format(values[last])}, ${note}`}`}>
      <div className="label">{label}</div>
      <div className="trend-value">{shown == null ? UNKNOWN : format(values[shown])}</div>
      <svg viewBox={`0 0 ${W} ${H}`} preserveAspectRatio="none" onPointerMove={move} onPointerLeave={() => setAt(null)}>
        <path className="trend-area" d={area(values, max)} style={{ fill: color }} />
        <path className="trend-line" d={trendLine(values, max)} style={{ stroke: color }} vectorEffect="non-scaling-stroke" />
        {at != null && <line x1={x(at, values.length)} x2={x(at, values.length)} y1={0} y2={H} className="trend-at" vectorEffect="non-scaling-stroke" />}
      </svg>
      <div className="label">{note}</div>
    </div>
  );
}

const RECENT = 3; // steps; an older value is not the latest

function lastKnown(values: (number | null | undefined)[]): number | null {
  for (let i = values.length - 1; i >= Math.max(0, values.length - RECENT); i--) if (values[i] != null) return i;
  return null;
}

const x = (i: number, n: number) => (n < 2 ? 0 : (i / (n - 1)) * W);
const y = (v: number, max: number) => H - 1 - (v / max) * (H - 3);

function runs(values: (number | null | undefined)[]): [from: number, to: number][] {
  const out: [number, number][] = [];
  values.forEach((v, i) => {
    if (v == null) return;
    const open = out.at(-1);
    if (open && open[1] === i - 1) open[1] = i;
    else out.push([i, i]);
  });
  return out;
}

/** The path of a line over values, in a box of TREND_BOX. */
export function trendLine(values: (number | null | undefined)[], max: number): string {
  const n = values.length;
  // A single point is a short dash, to the side where there is room: a path of one point draws nothing.
  const dash = W / n / 2;
  return runs(values).map(([a, b]) => `M${points(values, max, a, b)}${a === b ? `h${(x(a, n) + dash > W ? -dash : dash).toFixed(1)}` : ''}`).join('');
}

function area(values: (number | null | undefined)[], max: number): string {
  const n = values.length;
  return runs(values).map(([a, b]) => (a === b ? '' : `M${x(a, n).toFixed(1)} ${H}L${points(values, max, a, b)}L${x(b, n).toFixed(1)} ${H}Z`)).join('');
}

function points(values: (number | null | undefined)[], max: number, a: number, b: number): string {
  const out: string[] = [];
  for (let i = a; i <= b; i++) out.push(`${x(i, values.length).toFixed(1)} ${y(values[i]!, max).toFixed(1)}`);
  return out.join('L');
}
