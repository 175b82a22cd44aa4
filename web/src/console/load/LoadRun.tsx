import { Button, Progress, useComputedColorScheme } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { del, get, seg } from '../../api/client';
import type { LoadReport, LoadRun as Run } from '../../api/types';
import { count, duration, ms, percent, rate } from '../../format/format';
import { Problem } from '../../parts/Said';
import { StatusTag } from '../../parts/StatusTag';
import { TimeChart } from '../../parts/TimeChart';
import { Waiting } from '../../parts/Waiting';
import { IconPlayerStop } from '../../theme/icons';
import { seriesColor } from '../../theme/series';
import { ids } from '../../testids';
import { say } from '../useAppActions';

/** One load test: live while it runs, then its report. */
export function LoadRun({ app, id, write }: { app: string; id: number; write: boolean }) {
  const queries = useQueryClient();
  const { data, error } = useQuery({
    queryKey: ['app', app, 'loadtest', id],
    queryFn: ({ signal }) => get<Run>(`/apps/${seg(app)}/loadtests/${id}`, {}, signal),
    refetchInterval: (q) => (!q.state.data || q.state.data.state === 'running' ? 1000 : false),
  });
  const over = data != null && data.state !== 'running';
  useEffect(() => {
    if (over) void queries.invalidateQueries({ queryKey: ['app', app, 'loadtests'] });
  }, [over, queries, app]);
  if (!data) return error ? <Problem error={error} /> : <Waiting />;
  const points = data.report?.series ?? data.series ?? [];
  return (
    <section className="section" data-testid={ids.loadRun} data-state={data.state}>
      <div className="section-head">
        <div className="between"><h2>Load test {data.id}</h2><StatusTag state={data.state} word={data.state === 'running' ? 'Under way' : undefined} /></div>
        {data.state === 'running' && write && <Stop app={app} id={id} />}
      </div>
      {data.state === 'running' && <Left run={data} />}
      <dl className="facts panel">
        <div><dt>Requests</dt><dd data-testid={ids.loadAnswered}>{count(data.answered)}</dd></div>
        <div><dt>Failed</dt><dd className={data.failed > 0 ? 'tone-bad' : ''}>{count(data.failed)}{data.answered > 0 && data.failed > 0 ? ` (${percent((100 * data.failed) / data.answered)})` : ''}</dd></div>
        <div><dt>{over ? 'Rate, over the run' : 'Rate, lately'}</dt><dd>{rate(data.rate)}/s</dd></div>
        <div><dt>p50</dt><dd>{ms(data.p50)}</dd></div>
        <div><dt>p95</dt><dd>{ms(data.p95)}</dd></div>
        <div><dt>p99</dt><dd>{ms(data.p99)}</dd></div>
      </dl>
      <Charts began={Date.parse(data.began) / 1000} points={points} />
      {data.report && <Conditions report={data.report} />}
      {over && !data.report && <p className="hint">It has no report: it was cut off by a restart of the platform.</p>}
    </section>
  );
}

function Stop({ app, id }: { app: string; id: number }) {
  const stop = useMutation({ mutationFn: () => del(`/apps/${seg(app)}/loadtests/${id}`), onError: (err) => say(err.message, true) });
  return <Button size="compact-sm" variant="default" leftSection={<IconPlayerStop size={15} />} loading={stop.isPending || stop.isSuccess} onClick={() => stop.mutate()} data-testid={ids.loadStop}>Stop</Button>;
}

function Left({ run }: { run: Run }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, []);
  const [from, to] = [Date.parse(run.began), Date.parse(run.ends)];
  const left = Math.max(0, (to - now) / 1000);
  return (
    <div className="gap-bottom">
      <Progress value={Math.min(100, (100 * (now - from)) / (to - from))} aria-label="How far it is" />
      <p className="hint">{left > 0 ? `${duration(left)} left` : 'the last requests are under way'}, {rate(run.wanted)} visits/s planned now.</p>
    </div>
  );
}

const replicas = (v: number | null | undefined) => (v == null ? '–' : String(Math.round(v)));

function Charts({ began, points }: { began: number; points: NonNullable<Run['series']> }) {
  const dark = useComputedColorScheme('light') === 'dark';
  const drawn = useMemo(() => ({
    times: points.map((p) => began + p.second),
    times_of: [
      { label: 'p50', values: points.map((p) => p.p50), color: seriesColor('p50', dark), format: ms },
      { label: 'p95', values: points.map((p) => p.p95), color: seriesColor('p95', dark), format: ms },
      { label: 'p99', values: points.map((p) => p.p99), color: seriesColor('p99', dark), format: ms },
    ],
    counts: [
      { label: 'requests/s', values: points.map((p) => p.requests), color: seriesColor('s2', dark), format: rate, filled: true },
      { label: 'failed/s', values: points.map((p) => p.failed), color: seriesColor('s5', dark), format: rate },
      { label: 'replicas', values: points.map((p) => p.app.ready), color: seriesColor('replicas', dark), format: replicas, stepped: true, right: true },
    ],
  }), [began, points, dark]);
  if (points.length < 2) return <p className="hint">The charts begin with the second second.</p>;
  return (
    <div className="charts">
      <TimeChart title="Requests and replicas" says="requests/s left, replicas right, by the second in which they were due" times={drawn.times} series={drawn.counts} />
      <TimeChart title="Response time" says="from when a request was due, each second" times={drawn.times} series={drawn.times_of} />
    </div>
  );
}

function Conditions({ report }: { report: LoadReport }) {
  const list = report.ensure ?? [];
  const kinds = Object.entries(report.errors ?? {});
  return (
    <>
      {list.length > 0 && <ul className="plain-list gap-top">{list.map((v) => <li key={v.ensure}><StatusTag state={v.holds ? 'ok' : 'failed'} word={v.holds ? 'holds' : 'does not hold'} /> <span className="mono">{v.ensure}</span></li>)}</ul>}
      {kinds.length > 0 && <ul className="plain-list gap-top">{kinds.map(([kind, n]) => <li key={kind}>{count(n)} × {kind}</li>)}</ul>}
    </>
  );
}
