import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { LiveEvent } from '../api/types';
import { niceTop } from './axis';
import { onTick, setPace } from './clock';
import { times, type Column } from './columns';
import { crosshair } from './crosshair';
import { decorations } from './decorations';
import { pan } from './pan';
import type { Past } from './past';
import { sourceOf, type Source } from './source';
import type { LiveStore } from './store';
import type { View } from './view';

/** One line of a chart. */
export interface Line {
  label: string;
  color: string;
  fill?: string;
  width?: number;
  dash?: number[];
  stepped?: boolean;
  /** What the readout says, where the drawn value is a sum. */
  read?: (index: number) => number | null | undefined;
  /** Over: all of these share one entry of the legend, which counts them. */
  gone?: boolean;
}

export interface Content {
  series: Line[];
  columns: Column[];
  bands?: uPlot.Band[];
}

export interface ChartSpec {
  id: string;
  title: string;
  unit: string;
  /** The lines and their values at xs (seconds). Called once for each change of the data. */
  content: (from: Source, xs: number[], dark: boolean) => Content;
  format: (v: number | null | undefined) => string;
  /** What the axis says; format where none is given. */
  tick?: (v: number) => string;
  /** The top of the axis for the largest value drawn. */
  top?: (max: number) => number;
  limit?: { at: number; label: string };
  /** Said in place of lines where figures arrive, but never this one. */
  none?: string;
}

/** The elements that a chart fills. */
export interface Parts { box: HTMLElement; legend: HTMLElement; at: HTMLElement; none: HTMLElement }
export interface Feed { store: LiveStore; past: Past; view: View }

const HEIGHT = 168; // where the page does not give another, as on a wall
const OUT_OF_SIGHT = 2000; // ms between two drawings

/** The living part of a chart, outside React: it is drawn up to ten times a second. */
export class ChartView {
  private plot: uPlot | null = null;
  private content: Content = { series: [], columns: [] };
  private events: LiveEvent[] = [];
  private xs: number[] = [];
  private shape = '';
  private drawnOf = ''; // versions of what the present content was made of
  private cells: HTMLElement[] = [];
  private seen = true;
  private drawn = 0; // ms
  private undo: (() => void)[] = [];

  constructor(private parts: Parts, private feed: Feed, private spec: ChartSpec, private dark: boolean) {
    const size = new ResizeObserver(() => this.resize());
    size.observe(parts.box);
    const sight = new IntersectionObserver((all) => this.seeing(all.at(-1)!.isIntersecting), { rootMargin: '200px' });
    sight.observe(parts.box);
    const now = () => this.tick();
    window.addEventListener('beforeprint', now);
    this.undo = [onTick(() => this.due() && this.tick()), () => size.disconnect(), () => sight.disconnect(), crosshair.subscribe(() => this.readout()),
      () => window.removeEventListener('beforeprint', now), feed.view.subscribe(() => this.moved()), pan(parts.box, feed.view)];
    this.tick();
  }

  destroy(): void {
    this.undo.forEach((u) => u());
    this.plot?.destroy();
    this.parts.legend.replaceChildren();
  }

  private seeing(seen: boolean): void {
    this.seen = seen;
    if (seen) this.tick();
  }

  private moved(): void {
    setPace(this.feed.view.span, this.parts.box.clientWidth);
    if (this.seen) this.tick();
  }

  // A chart out of sight is drawn now and then only: enough for a picture of the whole page.
  private due(): boolean {
    return this.seen || Date.now() - this.drawn > OUT_OF_SIGHT;
  }

  private tick(): void {
    this.drawn = Date.now();
    const { store, past, view } = this.feed;
    const edge = view.edge();
    // A step is drawn once it is over: half a second's requests would look like a fall.
    const last = view.end === null ? Math.floor(edge / view.step) * view.step - view.step : Math.floor(edge / view.step) * view.step;
    const of = [view.span, last, past.version, view.end === null ? '' : store.oldest].join();
    if (of !== this.drawnOf) {
      this.drawnOf = of;
      this.load(edge - view.span - 2 * view.step, last);
    }
    this.plot?.setScale('x', { min: edge - view.span, max: edge });
  }

  private load(from: number, to: number): void {
    const { store, past, view } = this.feed;
    const source = sourceOf(store, past, view);
    this.xs = times(from, to, view.step);
    this.events = source.events;
    this.content = this.spec.content(source, this.xs, this.dark);
    const shape = this.content.series.map((s) => `${s.label}${s.color}${s.gone ?? ''}`).join('|');
    const data = [this.xs, ...this.content.columns] as uPlot.AlignedData;
    if (shape !== this.shape || !this.plot) {
      this.shape = shape;
      this.plot?.destroy();
      this.plot = new uPlot(this.options(), data, this.parts.box);
      this.buildLegend();
    } else {
      this.plot.setData(data, false);
      this.plot.setScale('y', this.yRange());
    }
    this.parts.none.hidden = !source.heard || this.content.columns.some((c) => c.some((v) => v != null));
    this.readout();
  }

  private yRange(): { min: number; max: number } {
    let max = 0;
    for (const c of this.content.columns) for (const v of c) if (v != null && v > max) max = v;
    const { top } = this.spec;
    return { min: 0, max: top ? top(max) : niceTop(max) };
  }

  private options(): uPlot.Options {
    const ink = this.dark ? '#AAA097' : '#6B6259';
    const grid = { stroke: this.dark ? '#322C28' : '#ECE7E0', width: 1 };
    const axis = { stroke: ink, grid, ticks: { show: false }, font: '11px system-ui, sans-serif' };
    const { format, limit, tick = format } = this.spec;
    return {
      width: this.parts.box.clientWidth || 400,
      height: this.parts.box.clientHeight || HEIGHT,
      padding: [8, 18, 0, 0], // room for half of the last time on the axis
      legend: { show: false },
      cursor: { sync: { key: 'kurama', scales: ['x', null] }, points: { size: 5 }, y: false, drag: { x: false, y: false }, focus: { prox: -1 } },
      focus: { alpha: 0.25 },
      scales: { x: { time: true, auto: false }, y: { auto: false, range: () => { const r = this.yRange(); return [r.min, r.max]; } } },
      axes: [
        { ...axis, size: 24, space: 70, values: (_u, at) => at.map(clockWords) },
        { ...axis, size: 52, space: 32, values: (_u, at) => at.map((v) => tick(v)) },
      ],
      series: [{}, ...this.content.series.map((s) => ({ label: s.label, stroke: s.color, fill: s.fill, width: s.width ?? 1.5, dash: s.dash, paths: s.stepped ? uPlot.paths.stepped!({ align: 1 }) : undefined, points: { show: false }, spanGaps: false }))],
      bands: this.content.bands,
      hooks: {
        draw: [(u) => decorations(u, this.events, limit, this.dark)],
        // The chart under the mouse speaks; the others only repeat it.
        setCursor: [(u) => u.over.matches(':hover') && crosshair.move(u.posToVal(u.cursor.left!, 'x'))],
        ready: [(u) => u.over.addEventListener('mouseleave', () => crosshair.move(null))],
      },
    };
  }

  private buildLegend(): void {
    this.cells = [];
    const { series } = this.content;
    const gone = series.filter((s) => s.gone).length;
    const shown = series.findIndex((s) => s.gone);
    this.parts.legend.replaceChildren(...series.flatMap((s, i) => {
      if (s.gone && i !== shown) return [];
      const item = document.createElement('div');
      const name = document.createElement('dt');
      const mark = document.createElement('i');
      mark.style.background = s.color;
      name.append(mark, s.gone ? `${gone} gone` : s.label);
      item.append(name);
      if (s.gone) return [item];
      const value = document.createElement('dd');
      this.cells[i] = value;
      item.append(value);
      item.onmouseenter = () => this.plot?.setSeries(i + 1, { focus: true });
      item.onmouseleave = () => this.plot?.setSeries(null as unknown as number, { focus: false });
      return [item];
    }));
  }

  /** The values under the crosshair, or else the latest. */
  private readout(): void {
    const { format } = this.spec;
    const { span, step } = this.feed.view;
    const at = crosshair.time;
    this.parts.at.textContent = at == null ? '' : [clockWords(Math.floor(at), true), nearby(this.events, at, span)].filter(Boolean).join(' · ');
    const index = at == null ? null : Math.round((at - (this.xs[0] ?? 0)) / step);
    this.content.series.forEach((s, i) => {
      const column = this.content.columns[i]!;
      const x = index ?? lastKnown(column);
      const text = format(s.read ? s.read(x) : column[x]);
      const cell = this.cells[i];
      if (cell && cell.textContent !== text) cell.textContent = text;
    });
  }

  private resize(): void {
    const width = this.parts.box.clientWidth;
    if (!width) return;
    setPace(this.feed.view.span, width);
    const height = this.parts.box.clientHeight || HEIGHT;
    if (this.plot && (this.plot.width !== width || this.plot.height !== height)) this.plot.setSize({ width, height });
  }
}

/** What happened under the crosshair, to within a hundredth of the width. */
function nearby(events: LiveEvent[], at: number, span: number): string {
  const found = events.filter((e) => Math.abs(e.t / 1000 - at) < span / 100);
  return found.map((e) => e.msg).join(' · ');
}

// Older than this, a value is no longer the latest but the last.
const STALE = 5; // steps

function lastKnown(column: Column): number {
  for (let i = column.length - 1; i >= Math.max(0, column.length - STALE); i--) if (column[i] != null) return i;
  return column.length - 1;
}

const form = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

function clockWords(t: number, withSeconds: unknown): string {
  const s = form.format(t * 1000);
  return withSeconds !== true && s.endsWith(':00') ? s.slice(0, 5) : s;
}
