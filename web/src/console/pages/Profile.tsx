import { SegmentedControl, Table, UnstyledButton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Fragment, useState } from 'react';
import { get, seg } from '../../api/client';
import type { RouteTrend, TrendList } from '../../api/schema';
import type { Profile as ProfileView, RouteFigures } from '../../api/types';
import { bytes, count, duration, ms, percent, rate } from '../../format/format';
import { Problem } from '../../parts/Said';
import { TREND_BOX, trendLine } from '../../parts/Trend';
import { TableBox } from '../../parts/TableBox';
import { ids } from '../../testids';
import { IconChevronDown, IconChevronUp, IconSelector } from '../../theme/icons';
import { Waiting } from '../../parts/Waiting';
import { setQuery, to, useRoute } from '../route';
import { Slowest } from './Slowest';
import { SlowestRoutes } from './SlowestRoutes';
import { Stacks } from './Stacks';

type Column = 'route' | 'requests' | 'rate' | 'errors' | 'p50' | 'p95' | 'p99' | 'mean' | 'cpu_ms' | 'db_ms' | 'bytes' | 'share';

const COLUMNS: [id: Column, name: string, says: string][] = [
  ['route', 'Route', 'Method and rule'],
  ['requests', 'Requests', 'Requests in the window'],
  ['rate', 'Rate', 'Requests per second, mean over the window'],
  ['errors', 'Errors', 'Answers of 500 and above'],
  ['p50', 'p50', 'Half of the requests were faster'],
  ['p95', 'p95', '95 of 100 requests were faster'],
  ['p99', 'p99', '99 of 100 requests were faster'],
  ['mean', 'Mean', 'Mean response time'],
  ['cpu_ms', 'CPU', 'CPU time of a request, mean'],
  ['db_ms', 'Database', 'Time of a request in calls of database drivers, mean; none where it makes no calls'],
  ['bytes', 'Answer', 'Size of an answer, mean'],
  ['share', 'Share', 'This route\'s part of all time spent answering'],
];

const WINDOWS = [{ value: '15m', label: '15 min' }, { value: '1h', label: '1 h' }, { value: '24h', label: '24 h' }];

export default function Profile({ app }: { app: string }) {
  const { query } = useRoute();
  const window = query.get('window') || '1h';
  const [by, setBy] = useState<{ column: Column; up: boolean }>({ column: 'share', up: false });
  const { data, error, isPending } = useQuery({
    queryKey: ['app', app, 'profile', window],
    queryFn: ({ signal }) => get<ProfileView>(`/apps/${seg(app)}/profile`, { window }, signal),
    refetchInterval: 10000,
    placeholderData: (before) => before,
  });
  const trends = useQuery({
    queryKey: ['app', app, 'profile', 'trends', window],
    queryFn: ({ signal }) => get<TrendList>(`/apps/${seg(app)}/profile/trends`, { window }, signal),
    refetchInterval: 60_000,
    placeholderData: (before) => before,
  });
  const courses = new Map((trends.data?.routes ?? []).map((t) => [`${t.method} ${t.route}`, t]));
  const routes = data?.routes ?? [];
  const all = routes.reduce((sum, r) => sum + time(r), 0);
  const sorted = [...routes].sort((a, b) => compare(a, b, by.column) * (by.up ? 1 : -1));
  const slowest = Math.max(...routes.map((r) => r.p95 ?? 0), 1);
  return (
    <>
      <div className="page-head">
        <p className="hint min0">Each route's requests and times {data ? spanWords(data) : 'over the window'}; times are as the clients saw them.</p>
        <div className="page-head-end"><SegmentedControl data={WINDOWS} value={window} onChange={(w) => setQuery({ window: w })} aria-label="Window" /></div>
      </div>
      <Problem error={error} />
      {isPending ? <Waiting /> : routes.length === 0 ? (
        <div className="panel empty"><b>No requests in this window</b>Open the app or send it traffic with <span className="mono">kurama reqsim --app {app}</span>.</div>
      ) : (
        <TableBox label="Routes" className="panel">
          <Table highlightOnHover horizontalSpacing={8}>
            <Table.Thead>
              <Table.Tr>
                {COLUMNS.map(([id, name, says]) => (
                  <Fragment key={id}>
                  <Table.Th className={id === 'route' ? '' : 'num'} aria-sort={by.column === id ? (by.up ? 'ascending' : 'descending') : 'none'}>
                    <UnstyledButton className="sort" title={says} onClick={() => setBy({ column: id, up: by.column === id ? !by.up : id === 'route' })}>
                      {name}{by.column !== id ? <IconSelector size={13} /> : by.up ? <IconChevronUp size={13} /> : <IconChevronDown size={13} />}
                    </UnstyledButton>
                  </Table.Th>
                  {id === 'route' && <Table.Th title="Mean response time over the window; each line has its own height">Course</Table.Th>}
                  </Fragment>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {sorted.slice(0, 500).map((r) => <Row key={`${r.method} ${r.route}`} app={app} r={r} share={all ? time(r) / all : 0} slowest={slowest} course={courses.get(`${r.method} ${r.route}`)} />)}
            </Table.Tbody>
          </Table>
        </TableBox>
      )}
      {data && routes.some((r) => r.above_median) && <p className="hint"><span className="tone-warn-text" aria-hidden>◆</span> The route's median is above that of all requests of the app, {ms(data.total.p50)}.</p>}
      {data && data.previous_release > 0 && <p className="hint">Beside p50 and p95: against release {data.previous_release}, over the last week.</p>}
      {!isPending && <Stacks app={app} window={window} />}
      {data && <SlowestRoutes app={app} profile={data} />}
      {routes.length > 0 && <Slowest app={app} window={window} />}
    </>
  );
}

function Row({ app, r, share, slowest, course }: { app: string; r: RouteFigures; share: number; slowest: number; course: RouteTrend | undefined }) {
  return (
    <Table.Tr data-testid={ids.profileRow} data-route={r.route}>
      <Table.Td className="nowrap"><span className="method">{r.method}</span> <a className="app-name mono" href={to(['apps', app, 'logs'], { route: r.route })} title="Records of this route">{r.route || '(no rule)'}</a></Table.Td>
      <Table.Td>{course && <Course means={course.mean ?? []} />}</Table.Td>
      <Table.Td className="num">{count(r.requests)}</Table.Td>
      <Table.Td className="num">{rate(r.rate)}/s</Table.Td>
      <Table.Td className="num">{r.errors ? <span className="tone-bad">{count(r.errors)} <span className="dim">({percent((100 * r.errors) / Math.max(r.requests, 1))})</span></span> : '0'}</Table.Td>
      <Table.Td className="num">{r.above_median && <span className="tone-warn-text" title="Above the median of the app" role="img" aria-label="above the app's median">◆ </span>}{ms(r.p50)}<Change now={r.p50} before={r.before_p50} /></Table.Td>
      <Table.Td className="num with-bar">{ms(r.p95)}<Change now={r.p95} before={r.before_p95} /><div className="bar" aria-hidden><i style={{ width: `${(100 * (r.p95 ?? 0)) / slowest}%` }} /></div></Table.Td>
      <Table.Td className="num">{ms(r.p99)}</Table.Td>
      <Table.Td className="num">{ms(r.mean)}</Table.Td>
      <Table.Td className="num">{ms(r.cpu_ms)}</Table.Td>
      <Table.Td className="num">{ms(r.db_ms)}</Table.Td>
      <Table.Td className="num">{bytes(r.bytes)}</Table.Td>
      <Table.Td className="num">{percent(share * 100)}</Table.Td>
    </Table.Tr>
  );
}

const LENGTHS: Record<string, number> = { '15m': 900, '1h': 3600, '24h': 86400 }; // s

/** Which time the figures are of: of an app younger than the window, since its first request. */
function spanWords({ from, to: end, window }: ProfileView): string {
  const covered = (Date.parse(end) - Date.parse(from)) / 1000;
  return covered < (LENGTHS[window] ?? 0) - 60 ? `of the last ${duration(covered)}, since its first request` : 'over the window';
}

/** The mean response time from step to step. */
function Course({ means }: { means: (number | null)[] }) {
  const known = means.filter((v) => v != null);
  if (known.length === 0) return null;
  const says = `from ${ms(Math.min(...known))} to ${ms(Math.max(...known))}`;
  return <svg className="route-course" viewBox={TREND_BOX} preserveAspectRatio="none" role="img" aria-label={`Mean response time ${says}`}><title>{says}</title><path d={trendLine(means, Math.max(...known, 1e-9))} vectorEffect="non-scaling-stroke" /></svg>;
}

const CLEAR = 0.1; // share below which a change says nothing

/** How a time has changed since the release before; small changes are left out. */
function Change({ now, before }: { now: number | null; before?: number | null }) {
  if (now == null || !before || Math.abs(now - before) < CLEAR * before) return null;
  const share = (now - before) / before;
  return <div className={share > 0 ? 'label tone-bad' : 'label'} title={`${ms(before)} under the release before`}>{share > 0 ? '▲' : '▼'} {percent(Math.abs(share) * 100)}</div>;
}

const time = (r: RouteFigures) => (r.mean ?? r.p50 ?? 0) * r.requests;

function compare(a: RouteFigures, b: RouteFigures, column: Column): number {
  if (column === 'route') return a.route.localeCompare(b.route) || a.method.localeCompare(b.method);
  if (column === 'share') return time(a) - time(b);
  return (a[column] ?? -1) - (b[column] ?? -1);
}
