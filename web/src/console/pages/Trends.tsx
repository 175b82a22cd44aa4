import { SegmentedControl, useComputedColorScheme } from '@mantine/core';
import { useState } from 'react';
import { stepsOf, useCourse, type CourseWindow } from '../../api/course';
import type { CoursePoint } from '../../api/schema';
import { ms, percent, rate } from '../../format/format';
import { Problem } from '../../parts/Said';
import { Trend } from '../../parts/Trend';
import { seriesColor, type SeriesName } from '../../theme/series';
import { ids } from '../../testids';
import { setQuery, useRoute } from '../route';

const WINDOWS: { value: CourseWindow; label: string }[] = [{ value: '15m', label: '15 min' }, { value: '1h', label: '1 h' }, { value: '24h', label: '24 h' }, { value: '7d', label: '7 days' }];
type Figure = (p: CoursePoint) => number | null;
const FIGURES: [label: string, of: Figure, format: (v: number | null | undefined) => string, color: SeriesName, top?: number][] = [
  ['Requests/s', (p) => p.rate, rate, 's2'],
  ['p95 of a request', (p) => p.p95, ms, 'p95'],
  ['Errors/s (5xx)', (p) => p.errors, rate, 's5'],
  ['CPU, of the limit', (p) => p.cpu, percent, 'cpu', 100],
  ['Memory, of the limit', (p) => p.mem, percent, 'mem', 100],
  ['Replicas', (p) => p.replicas, (v) => (v == null ? '–' : String(v)), 'replicas', 2],
];

const NEW = 30 * 60_000; // ms; of a younger app an hour would be mostly empty

/** An app's last figures as lines. since is when the app was made. */
export function Trends({ app, since }: { app: string; since: string }) {
  const { query } = useRoute();
  const [usual] = useState<CourseWindow>(() => (Date.now() - Date.parse(since) < NEW ? '15m' : '1h'));
  const window = WINDOWS.find((w) => w.value === query.get('window'))?.value ?? usual;
  const dark = useComputedColorScheme('light') === 'dark';
  const { data, error } = useCourse(app, window);
  const steps = data ? stepsOf(data) : [];
  return (
    <section className="section">
      <div className="section-head">
        <h2>Last figures</h2>
        <SegmentedControl size="xs" data={WINDOWS} value={window} onChange={(w) => setQuery({ window: w === usual ? undefined : w })} aria-label="Window" />
      </div>
      <Problem error={error} />
      <div className="panel trends" data-testid={ids.trends}>
        {FIGURES.map(([label, of, format, color, top]) => (
          <Trend key={label} label={label} values={steps.map((p) => p && of(p))} begin={data ? Date.parse(data.from) : 0} step={(data?.step ?? 1) * 1000} format={format} color={seriesColor(color, dark)} top={top} />
        ))}
      </div>
    </section>
  );
}
