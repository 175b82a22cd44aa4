import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { LiveEvent } from '../api/types';
import { niceTop } from '../dashboard/axis';
import { decorations } from '../dashboard/decorations';
import { exact } from '../format/format';
import './timechart.css';

export interface Drawn {
  label: string;
  values: (number | null)[];
  color: string;
  format: (v: number | null | undefined) => string;
  stepped?: boolean;
  filled?: boolean;
  /** On the right axis, where it has another unit. */
  right?: boolean;
}

interface Props {
  title: string;
  says: string;
  times: number[]; // s
  series: Drawn[];
  events?: LiveEvent[];
  limit?: { at: number; label: string };
  height?: number;
}

const second = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const hour = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric' });

const clockOf = (span: number) => (span > 2 * 86400 ? day : span < 300 ? second : hour);

/** A chart of a stretch of the past that stands still, with what happened marked and a readout under the pointer. */
export function TimeChart({ title, says, times, series, events = [], limit, height = 200 }: Props) {
  const dark = useComputedColorScheme('light') === 'dark';
  const box = useRef<HTMLDivElement>(null);
  const readout = useRef<HTMLDListElement>(null);
  const at = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const cells = series.map((_, i) => readout.current!.querySelectorAll('dd')[i]!);
    const moment = at.current!; // the chart tells once more after it has left the page
    const tell = (index: number | null | undefined) => {
      moment.textContent = index == null ? '' : [exact(times[index]! * 1000).slice(0, -3), ...events.filter((e) => Math.abs(e.t / 1000 - times[index]!) < (times[1]! - times[0]!)).map((e) => e.msg)].join(' · ');
      series.forEach((s, i) => (cells[i]!.textContent = s.format(index == null ? s.values.findLast((v) => v != null) : s.values[index])));
    };
    const ink = dark ? '#AAA097' : '#6B6259';
    const axis = { stroke: ink, grid: { stroke: dark ? '#322C28' : '#ECE7E0', width: 1 }, ticks: { show: false }, font: '11px system-ui, sans-serif' };
    const side = (right: boolean) => series.filter((s) => !!s.right === right);
    const top = (right: boolean) => (): [number, number] => {
      const most = Math.max(0, ...side(right).flatMap((s) => s.values.map((v) => v ?? 0)), right ? 0 : limit?.at ?? 0);
      return [0, side(right).some((s) => s.stepped) ? Math.max(Math.ceil(most * 1.15), 4) : niceTop(most)];
    };
    const plot = new uPlot({
      width: box.current!.clientWidth || 400, height, padding: [12, side(true).length > 0 ? 0 : 8, 0, 0], legend: { show: false }, cursor: { y: false, drag: { x: false, y: false }, points: { size: 5 } },
      scales: { x: { time: true, range: [times[0] ?? 0, times.at(-1) ?? 1] }, y: { range: top(false) }, right: { range: top(true) } },
      axes: [
        { ...axis, size: 24, space: 70, values: (_u, vs) => vs.map((v) => clockOf(vs.at(-1)! - vs[0]!).format(v * 1000)) },
        { ...axis, size: 56, space: 32, values: (_u, vs) => vs.map((v) => side(false)[0]?.format(v) ?? '') },
        ...(side(true).length > 0 ? [{ ...axis, scale: 'right', side: 1 as const, size: 48, space: 32, grid: { show: false }, values: (_u: uPlot, vs: number[]) => vs.map((v) => side(true)[0]!.format(v)) }] : []),
      ],
      series: [{}, ...series.map((s) => ({ label: s.label, scale: s.right ? 'right' : 'y', stroke: s.color, width: 1.5, fill: s.filled ? s.color + '26' : undefined, paths: s.stepped ? uPlot.paths.stepped!({ align: 1 }) : undefined, points: { show: false } }))],
      hooks: { draw: [(u) => decorations(u, events, limit, dark)], setCursor: [(u) => tell(u.cursor.idx)] },
    }, [times, ...series.map((s) => s.values)] as uPlot.AlignedData, box.current!);
    tell(null);
    const size = new ResizeObserver(() => plot.setSize({ width: box.current?.clientWidth || 400, height }));
    size.observe(box.current!);
    return () => {
      size.disconnect();
      plot.destroy();
    };
  }, [times, series, events, limit, dark, height]);
  return (
    <figure className="panel time-chart">
      <figcaption><h2 className="panel-title">{title}</h2><span className="label">{says}</span><span ref={at} className="label time-chart-at ellipsis" /></figcaption>
      <div ref={box} role="img" aria-label={`${title}, ${says}`} />
      <dl ref={readout} className="time-legend">{series.map((s) => <div key={s.label}><dt><i style={{ background: s.color }} />{s.label}</dt><dd /></div>)}</dl>
    </figure>
  );
}
