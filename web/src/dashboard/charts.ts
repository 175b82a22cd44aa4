import { amount, count, ms, percent, rate } from '../format/format';
import { replicaColor, seriesColor, type SeriesName } from '../theme/series';
import type { ChartSpec, Content, Line } from './ChartView';
import { column, pickFigure, pickPoint, stack, type Column } from './columns';
import type { Source } from './source';

/** #RRGGBB with an opacity. */
function faint(hex: string, opacity: number): string {
  return hex + Math.round(opacity * 255).toString(16).padStart(2, '0');
}

type Class = 's2' | 's3' | 's4' | 's5';
const CLASSES: [key: Class, label: string][] = [['s2', '2xx'], ['s3', '3xx'], ['s4', '4xx'], ['s5', '5xx']];
const ERRORS_APART: [key: Class, label: string][] = [['s2', 'below 500'], ['s5', '5xx']];

function requests(from: Source, xs: number[], dark: boolean): Content {
  const classes = from.byClass ? CLASSES : ERRORS_APART;
  const own = classes.map(([key]) => column(xs, from.points, pickPoint(key)));
  const series = classes.map(([key, label], i): Line => {
    const color = seriesColor(key, dark);
    return { label, color, width: 1, fill: faint(color, key === 's2' ? 0.35 : 0.75), read: (x) => own[i]![x] };
  });
  return { series, columns: stack(own), bands: series.slice(1).map((_, i) => ({ series: [i + 1, i + 2] })) };
}

/** Requests of a second are whole, those of a longer step a mean. */
const perSecond = (v: number | null | undefined) => (v == null || Number.isInteger(v) ? count(v) : rate(v));

function latency(from: Source, xs: number[], dark: boolean): Content {
  const keys = ['p99', 'p95', 'p50'] as const;
  return {
    series: keys.map((key) => ({ label: key, color: seriesColor(key, dark), width: key === 'p95' ? 2 : 1.25, fill: faint(seriesColor(key, dark), key === 'p50' ? 0.3 : 0.16) })),
    columns: keys.map((key) => column(xs, from.points, pickPoint(key))),
    bands: [{ series: [1, 2] }, { series: [2, 3] }],
  };
}

const LINES = 12; // replicas drawn each on its own; a chart with more is not read line by line
const SILENT = 8; // s without a sample after which a replica counts as gone

function figure(key: 'cpu' | 'mem' | 'disk' | 'swap') {
  return (from: Source, xs: number[], dark: boolean): Content => {
    const recent = Math.ceil(SILENT / from.step) + 1;
    const all = from.replicas.map(([name, figures]) => {
      const values = column(xs, figures, pickFigure(key));
      return { name, values, gone: values.slice(-recent).every((v) => v == null) };
    }).filter((r) => !r.gone || r.values.some((v) => v != null));
    const drawn = all.sort((a, b) => Number(a.gone) - Number(b.gone) || b.name.localeCompare(a.name)).slice(0, LINES);
    let shade = 0;
    const series = drawn.map(({ name, gone }): Line => {
      const color = gone ? faint(seriesColor(key, dark), 0.45) : replicaColor(key, shade++, dark);
      return { label: short(name), color, gone, width: gone ? 1.25 : 1.75 };
    });
    const columns: Column[] = drawn.map((r) => r.values);
    if (from.heard) {
      series.push({ label: 'host', color: seriesColor('host', dark), width: 1, dash: [4, 3] });
      columns.push(column(xs, from.host, pickFigure(key)));
    }
    return { series, columns };
  };
}

/** What the host used: on the view of all apps, whose replicas may be many. */
function ofHost(key: 'cpu' | 'mem' | 'disk' | 'swap') {
  return (from: Source, xs: number[], dark: boolean): Content => {
    const color = seriesColor(key, dark);
    return { series: [{ label: 'host', color, width: 1.75, fill: faint(color, 0.14) }], columns: [column(xs, from.host, pickFigure(key))] };
  };
}

/** hello-7-kfxbdy is 7-kfxbdy on its own app's page. */
function short(replica: string): string {
  return replica.split('-').slice(-2).join('-');
}

function plain(keys: SeriesName[], labels: string[], stepped = false) {
  return (from: Source, xs: number[], dark: boolean): Content => ({
    series: keys.map((k, i) => ({ label: labels[i]!, color: seriesColor(k, dark), width: 1.75, stepped, fill: i === 0 ? faint(seriesColor(k, dark), 0.14) : undefined })),
    columns: keys.map((k) => column(xs, from.points, pickPoint(k as 'inflight' | 'queued' | 'replicas'))),
  });
}

const whole = (max: number) => Math.max(Math.ceil(max * 1.15), 4);
const toLimit = (max: number) => Math.max(110, max * 1.05);
const LIMIT = { at: 100, label: 'limit' };

/** Of one app. */
export const CHARTS: ChartSpec[] = [
  { id: 'requests', title: 'Requests by status', unit: 'requests/s', content: requests, format: perSecond, tick: amount },
  { id: 'latency', title: 'Latency', unit: 'time of a request', content: latency, format: ms },
  { id: 'cpu', title: 'CPU', unit: "% of the replica's limit", content: figure('cpu'), format: percent, top: toLimit, limit: LIMIT },
  { id: 'mem', title: 'Memory', unit: "% of the replica's limit", content: figure('mem'), format: percent, top: toLimit, limit: LIMIT },
  { id: 'inflight', title: 'In flight and queued', unit: 'requests at once', content: plain(['inflight', 'queued'], ['in flight', 'queued']), format: count, top: whole },
  { id: 'replicas', title: 'Replicas', unit: 'replicas that take requests', content: plain(['replicas'], ['replicas'], true), format: count, top: whole },
  { id: 'disk', title: 'Disk', unit: '% of the quota', content: figure('disk'), format: percent, top: toLimit, limit: LIMIT },
  { id: 'swap', title: 'Swap', unit: '% of the limit', content: figure('swap'), format: percent, top: toLimit, limit: LIMIT },
];

const HOST: [key: 'cpu' | 'mem' | 'disk' | 'swap', title: string][] = [['cpu', 'CPU of the host'], ['mem', 'Memory of the host'], ['disk', 'Disk of the host'], ['swap', 'Swap of the host']];

/** Of all apps of a tenant together. */
export const ALL_CHARTS: ChartSpec[] = CHARTS.map((c) => {
  const host = HOST.find(([key]) => key === c.id);
  return host ? { ...c, title: host[1], unit: '% in use', content: ofHost(host[0]), limit: undefined, none: host[0] === 'swap' ? 'This host has no swap.' : undefined, top: () => 100 } : c;
});
