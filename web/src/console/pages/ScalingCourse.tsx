import { SegmentedControl, useComputedColorScheme } from '@mantine/core';
import { useMemo, useState } from 'react';
import { stepsOf, useCourse, type CourseWindow } from '../../api/course';
import type { Decision } from '../../api/types';
import { rate } from '../../format/format';
import { Problem } from '../../parts/Said';
import { TimeChart } from '../../parts/TimeChart';
import { seriesColor } from '../../theme/series';

const WINDOWS: { value: CourseWindow; label: string }[] = [{ value: '1h', label: '1 h' }, { value: '24h', label: '24 h' }, { value: '7d', label: '7 days' }];

/** The load, the replicas below it, and each decision as a marked line. */
export function ScalingCourse({ app, decisions }: { app: string; decisions: Decision[] }) {
  const [window, setWindow] = useState<CourseWindow>('1h');
  const dark = useComputedColorScheme('light') === 'dark';
  const { data, error } = useCourse(app, window);
  const drawn = useMemo(() => {
    if (!data) return null;
    const from = Date.parse(data.from) / 1000;
    const steps = stepsOf(data);
    return {
      times: steps.map((_, i) => from + i * data.step),
      series: [
        { label: 'requests/s', values: steps.map((p) => p?.rate ?? null), color: seriesColor('s2', dark), format: rate, filled: true },
        { label: 'replicas', values: steps.map((p) => p?.replicas ?? null), color: seriesColor('replicas', dark), format: (v: number | null | undefined) => (v == null ? '–' : String(Math.round(v))), stepped: true, right: true },
      ],
      events: decisions.map((d) => ({ t: Date.parse(d.at), event: 'scaled', msg: `${d.from} → ${d.to}` })).filter((e) => e.t / 1000 >= from).reverse(),
    };
  }, [data, decisions, dark]);
  return (
    <section className="section">
      <div className="section-head"><h2>Load and replicas</h2><SegmentedControl size="xs" data={WINDOWS} value={window} onChange={(w) => setWindow(w as CourseWindow)} aria-label="Window" /></div>
      <Problem error={error} />
      {drawn && <TimeChart title="Requests and replicas" says={`requests/s left, replicas right, last ${WINDOWS.find((w) => w.value === window)!.label}`} {...drawn} />}
    </section>
  );
}
