import { Button, Table } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { get, post, seg } from '../../api/client';
import type { CronJobView, CronRun, CronView } from '../../api/schema';
import { ms } from '../../format/format';
import { plain } from '../../parts/plain';
import { Problem } from '../../parts/Said';
import { StatusTag } from '../../parts/StatusTag';
import { TableBox } from '../../parts/TableBox';
import { TimeAgo } from '../../parts/TimeAgo';
import { Waiting } from '../../parts/Waiting';
import { ids } from '../../testids';
import { to } from '../route';
import { mayWrite, useSession } from '../session';
import { say } from '../useAppActions';

const EXAMPLE = `cron:
  - name: nightly
    schedule: "30 3 * * *"
    command: flask --app shop send-mails`;

/** The jobs that an app runs at set times, and how their runs ended. */
export default function CronTab({ app }: { app: string }) {
  const session = useSession();
  const queries = useQueryClient();
  const key = ['app', app, 'cron'];
  const { data, error } = useQuery({ queryKey: key, queryFn: ({ signal }) => get<CronView>(`/apps/${seg(app)}/cron`, {}, signal), refetchInterval: (q) => (q.state.data?.runs?.some((r) => r.outcome === 'running') ? 1000 : 10_000) });
  const run = useMutation({
    mutationFn: (job: string) => post<CronRun>(`/apps/${seg(app)}/cron/${seg(job)}/run`),
    onError: (err) => say(err.message, true),
    onSettled: () => void queries.invalidateQueries({ queryKey: key }),
  });
  if (!data) return error ? <Problem error={error} /> : <Waiting />;
  const runs = data.runs ?? [];
  return (
    <>
      <p className="hint gap-bottom">Commands that run at set times, each run in a fresh container of the live release. The app's <span className="mono">kurama.yaml</span> names them; times are UTC unless the schedule names a zone. What they write is in the <a href={to(['apps', app, 'logs'], { q: 'cron' })}>logs</a>.</p>
      <TableBox label="Cron jobs" className="panel">
        <Table>
          <Table.Thead><Table.Tr><Table.Th>Job</Table.Th><Table.Th>Schedule</Table.Th><Table.Th>Next</Table.Th><Table.Th>Last</Table.Th><Table.Th>Command</Table.Th><Table.Th><span className="visually-hidden">Actions</span></Table.Th></Table.Tr></Table.Thead>
          <Table.Tbody>
            {(data.jobs ?? []).map((j: CronJobView) => (
              <Table.Tr key={j.name} data-testid={ids.cronJob}>
                <Table.Td>{j.name}</Table.Td>
                <Table.Td className="mono">{j.schedule}</Table.Td>
                <Table.Td>{j.next ? <TimeAgo at={j.next} /> : <span className="dim">the app is stopped</span>}</Table.Td>
                <Table.Td>{j.last ? <><Outcome run={j.last} /> <TimeAgo at={j.last.due_at} /></> : <span className="dim">never</span>}</Table.Td>
                <Table.Td className="mono">{j.command}</Table.Td>
                <Table.Td className="num">{mayWrite(session) && <Button size="compact-sm" variant="default" onClick={() => run.mutate(j.name)} loading={run.isPending && run.variables === j.name} disabled={j.last?.outcome === 'running' && !j.overlap} data-testid={ids.cronRun}>Run now</Button>}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
        {(data.jobs ?? []).length === 0 && <div className="empty"><b>No cron job</b>Name some in <span className="mono">kurama.yaml</span> and deploy:<pre className="mono">{EXAMPLE}</pre></div>}
      </TableBox>
      {runs.length > 0 && (
        <section className="section">
          <h2>Runs</h2>
          <TableBox label="Runs" className="panel">
            <Table>
              <Table.Thead><Table.Tr><Table.Th>Job</Table.Th><Table.Th>Due</Table.Th><Table.Th>Outcome</Table.Th><Table.Th className="num">Took</Table.Th><Table.Th className="num">Release</Table.Th><Table.Th>By</Table.Th><Table.Th>Wrote last</Table.Th></Table.Tr></Table.Thead>
              <Table.Tbody>
                {runs.map((r) => (
                  <Table.Tr key={r.id}>
                    <Table.Td>{r.job}</Table.Td>
                    <Table.Td><TimeAgo at={r.due_at} /></Table.Td>
                    <Table.Td><Outcome run={r} /></Table.Td>
                    <Table.Td className="num">{r.started_at && r.ended_at ? ms(Date.parse(r.ended_at) - Date.parse(r.started_at)) : '–'}</Table.Td>
                    <Table.Td className="num"><a href={to(['apps', app, 'releases', r.release])}>{r.release}</a></Table.Td>
                    <Table.Td>{r.by || 'schedule'}</Table.Td>
                    <Table.Td><div className="mono reason clamp">{plain(r.said ?? '')}</div></Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </TableBox>
        </section>
      )}
    </>
  );
}

function Outcome({ run }: { run: CronRun }) {
  const note = run.exit ? ` exit code ${run.exit}` : run.count && run.count > 1 ? ` × ${run.count}` : '';
  return <>{run.outcome === 'running' ? <StatusTag state="starting" word="Running" /> : <StatusTag state={run.outcome} />}<span className="dim">{note}</span></>;
}
