import { amount, count, ms, percent } from '../format/format';
import { replicaColor, seriesColor, type SeriesName } from '../theme/series';
import type { ChartProps, Content, Series } from './Chart';
import { column, pickFigure, pickPoint, stack, type Column } from './columns';
import type { LiveStore } from './store';

type Spec = Omit<ChartProps, 'span'>;


/** #RRGGBB with an opacity. */
function faint(hex: string, opacity: number): string {
  return hex + Math.round(opacity * 255).toString(16).padStart(2, '0');
}

const CLASSES = [['s2', '2xx'], ['s3', '3xx'], ['s4', '4xx'], ['s5', '5xx']] as const;

function requests(store: LiveStore, xs: number[], dark: boolean): Content {
  const own = CLASSES.map(([key]) => column(xs, store.points, pickPoint(key)));
  const series = CLASSES.map(([key, label], i): Series => {
    const color = seriesColor(key, dark);
    return { label, color, width: 1, fill: faint(color, key === 's2' ? 0.35 : 0.75), read: (x) => own[i]![x] };
  });
  return { series, columns: stack(own), bands: [{ series: [1, 2] }, { series: [2, 3] }, { series: [3, 4] }] };
}

function latency(store: LiveStore, xs: number[], dark: boolean): Content {
  const keys = ['p99', 'p95', 'p50'] as const;
  return {
    series: keys.map((key) => ({ label: key, color: seriesColor(key, dark), width: key === 'p95' ? 2 : 1.25, fill: faint(seriesColor(key, dark), key === 'p50' ? 0.3 : 0.16) })),
    columns: keys.map((key) => column(xs, store.points, pickPoint(key))),
    bands: [{ series: [1, 2] }, { series: [2, 3] }],
  };
}

const LINES = 12; // replicas drawn each on its own; a chart with more is not read line by line
const SILENT = 8; // s without a sample after which a replica counts as gone

function figure(key: 'cpu' | 'mem' | 'disk' | 'swap') {
  return (store: LiveStore, xs: number[], dark: boolean): Content => {
    const series: Series[] = [];
    const columns: Column[] = [];
    const from = xs[0] ?? 0;
    const to = xs.at(-1) ?? 0;
    const all = [...store.replicas].map(([name, figures]) => ({ name, figures, last: newest(figures) })).filter((r) => r.last >= from);
    const drawn = all.map((r) => ({ ...r, gone: to - r.last > SILENT })).sort((a, b) => Number(a.gone) - Number(b.gone) || b.name.localeCompare(a.name));
    let shade = 0;
    for (const { name, figures, gone } of drawn.slice(0, LINES)) {
      const color = gone ? faint(seriesColor(key, dark), 0.45) : replicaColor(key, shade++, dark);
      series.push({ label: short(name), color, gone, width: gone ? 1.25 : 1.75 });
      columns.push(column(xs, figures, pickFigure(key)));
    }
    if (store.host.size > 0) {
      series.push({ label: 'host', color: seriesColor('host', dark), width: 1, dash: [4, 3] });
      columns.push(column(xs, store.host, pickFigure(key)));
    }
    return { series, columns };
  };
}

/** What the host used: on the view of all apps, whose replicas may be many. */
function ofHost(key: 'cpu' | 'mem' | 'disk' | 'swap') {
  return (store: LiveStore, xs: number[], dark: boolean): Content => {
    const color = seriesColor(key, dark);
    return { series: [{ label: 'host', color, width: 1.75, fill: faint(color, 0.14) }], columns: [column(xs, store.host, pickFigure(key))] };
  };
}

function newest(series: Map<number, unknown>): number {
  let last = 0;
  for (const t of series.keys()) if (t > last) last = t;
  return last;
}

/** hello-7-kfxbdy is 7-kfxbdy on its own app's page. */
function short(replica: string): string {
  return replica.split('-').slice(-2).join('-');
}

function plain(keys: SeriesName[], labels: string[], stepped = false) {
  return (store: LiveStore, xs: number[], dark: boolean): Content => ({
    series: keys.map((k, i) => ({ label: labels[i]!, color: seriesColor(k, dark), width: 1.75, stepped, fill: i === 0 ? faint(seriesColor(k, dark), 0.14) : undefined })),
    columns: keys.map((k) => column(xs, store.points, pickPoint(k as 'inflight' | 'queued' | 'replicas'))),
  });
}

const whole = (max: number) => Math.max(Math.ceil(max * 1.15), 4);
const toLimit = (max: number) => Math.max(110, max * 1.05);
const LIMIT = { at: 100, label: 'limit' };

/** Of one app. */
export const CHARTS: Spec[] = [
  { id: 'requests', title: 'Requests by status', unit: 'requests/s', content: requests, format: count, tick: amount },
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
export const ALL_CHARTS: Spec[] = CHARTS.map((c) => {
  const host = HOST.find(([key]) => key === c.id);
  return host ? { ...c, title: host[1], unit: '% in use', content: ofHost(host[0]), limit: undefined, none: host[0] === 'swap' ? 'This host has no swap.' : undefined, top: () => 100 } : c;
});
