import { useComputedColorScheme } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { ApiError, post, seg } from '../../api/client';
import type { RulePreview } from '../../api/schema';
import { amount, duration, ms, percent } from '../../format/format';
import { TimeChart } from '../../parts/TimeChart';
import { seriesColor, type SeriesName } from '../../theme/series';
import { ids } from '../../testids';

const COLORS: SeriesName[] = ['cpu', 'mem', 'disk', 'swap', 'p50', 'p95', 'p99', 'replicas', 'inflight'];

/** What a condition would have done in the last hour, while it is being written; a mistake in it is pointed at. */
export function AlertPreview({ app, condition, seconds }: { app: string; condition: string; seconds: number }) {
  const [asked] = useDebouncedValue({ condition: condition.trim(), for: seconds }, 400);
  const { data, error } = useQuery({
    queryKey: ['app', app, 'alert-preview', asked],
    enabled: asked.condition !== '' && !Number.isNaN(asked.for),
    queryFn: () => post<RulePreview>(`/apps/${seg(app)}/alerts/preview`, asked),
    retry: false,
    staleTime: 10_000,
    placeholderData: (before) => before,
  });
  if (asked.condition === '') return null;
  if (error) return <Mistake error={error} />;
  if (!data) return null;
  return (
    <div className="preview" data-testid={ids.alertPreview}>
      <p className="hint">{verdict(data)}</p>
      {data.subject && <Figure of={data} />}
    </div>
  );
}

function verdict(p: RulePreview): string {
  const held = p.held === 0 ? 'In the last hour this held at no time' : `In the last hour this held for ${duration(p.held)}, and ${p.fired === 0 ? 'would not have fired' : p.fired === 1 ? 'would have fired once' : `would have fired ${p.fired} times`}`;
  return `${held}.${p.now ? ` Now: ${p.now}.` : ''}`;
}

/** The sentence of the refusal, with the character that it is about. */
function Mistake({ error }: { error: Error }) {
  const said = error instanceof ApiError ? (error.problem as { text?: string; at?: number } | undefined) : undefined;
  const at = said?.at ? said.at - 1 : -1;
  return (
    <div className="preview" role="status">
      <p className="hint tone-bad">{error.message}</p>
      {said?.text && at >= 0 && <code className="said-code">{said.text.slice(0, at)}<mark className="mistake">{said.text.slice(at, at + 1) || '\u00a0'}</mark>{said.text.slice(at + 1)}</code>}
    </div>
  );
}

function Figure({ of }: { of: RulePreview }) {
  const dark = useComputedColorScheme('light') === 'dark';
  const drawn = useMemo(() => {
    const points = of.points ?? [];
    const format = (v: number | null | undefined) => (of.unit === 'ms' ? ms(v) : of.unit === '%' ? percent(v) : v == null ? '–' : amount(v) + of.unit);
    const color = seriesColor(COLORS.find((c) => of.subject.toLowerCase().startsWith(c)) ?? 's2', dark);
    return {
      times: points.map((p) => Date.parse(p.t) / 1000),
      series: [{ label: of.subject, values: points.map((p) => p.v), color, format, filled: true }],
      limit: of.limit == null ? undefined : { at: of.limit, label: format(of.limit) },
    };
  }, [of, dark]);
  return <TimeChart title={of.subject} says="each 10 s, last 1 h" height={140} {...drawn} />;
}
