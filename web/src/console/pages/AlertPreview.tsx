import { useComputedColorScheme } from '@mantine/core';
import { useMemo } from 'react';
import { stepsOf, useCourse } from '../../api/course';
import type { Course } from '../../api/schema';
import { amount, duration, ms, percent, plural } from '../../format/format';
import { TimeChart } from '../../parts/TimeChart';
import { seriesColor, type SeriesName } from '../../theme/series';
import { ids } from '../../testids';
import { comparedIn, heldIn, isSimple, type Compared } from '../alerts';

const COLORS: Record<string, SeriesName> = { cpu: 'cpu', mem: 'mem', disk: 'disk', swap: 'swap', p50: 'p50', p95: 'p95', p99: 'p99', rate: 's2', error_rate: 's5', replicas: 'replicas', inflight: 'inflight' };
const FORMATS = { percent, ms, count: (v: number | null | undefined) => (v == null ? '–' : amount(v)) };

/** What the figures of a condition were in the last hour, with its bounds drawn, while it is being written. */
export function AlertPreview({ app, condition, seconds }: { app: string; condition: string; seconds: number }) {
  const compared = useMemo(() => comparedIn(condition), [condition]);
  const { data } = useCourse(app, '1h');
  if (!data || compared.length === 0) return null;
  return (
    <div className="preview" data-testid={ids.alertPreview}>
      {isSimple(condition) && <p className="hint">{verdict(data, compared[0]!, seconds)}</p>}
      <div className="preview-charts">{compared.map((c) => <Figure key={c.figure} course={data} compared={c} />)}</div>
    </div>
  );
}

function verdict(course: Course, c: Compared, seconds: number): string {
  const steps = stepsOf(course);
  const known = steps.filter((p) => p && c.of(p) != null).length;
  if (known === 0) return 'Of the last hour nothing is known of this figure.';
  const held = heldIn(c, steps.map((p) => p && c.of(p)), Math.max(1, Math.ceil(seconds / course.step)));
  if (held.steps === 0) return `By the minute, this held at no time in the last hour (${plural(known, 'minute')} known).`;
  return `By the minute, this held in ${held.steps} of ${known} known minutes of the last hour${seconds >= course.step ? `, and ${plural(held.times, 'time')} for ${duration(seconds)}` : ''}.`;
}

function Figure({ course, compared: c }: { course: Course; compared: Compared }) {
  const dark = useComputedColorScheme('light') === 'dark';
  const drawn = useMemo(() => {
    const from = Date.parse(course.from) / 1000;
    const steps = stepsOf(course);
    return {
      times: steps.map((_, i) => from + i * course.step),
      series: [{ label: c.figure, values: steps.map((p) => (p ? c.of(p) : null)), color: seriesColor(COLORS[c.figure]!, dark), format: FORMATS[c.unit], filled: true }],
      limit: { at: c.bound, label: `${c.operator} ${FORMATS[c.unit](c.bound)}` },
    };
  }, [course, c, dark]);
  return <TimeChart title={c.figure} says="by the minute, last 1 h" height={130} {...drawn} />;
}
