import { Table, UnstyledButton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Fragment, useState } from 'react';
import { get, seg } from '../../api/client';
import type { SlowList, SlowRequest } from '../../api/schema';
import type { LogRecord } from '../../api/types';
import { clock, ms } from '../../format/format';
import { LevelTag } from '../../parts/LevelTag';
import { plain } from '../../parts/plain';
import { Problem } from '../../parts/Said';
import { TableBox } from '../../parts/TableBox';
import { TimeAgo } from '../../parts/TimeAgo';
import { ids } from '../../testids';
import { to } from '../route';

/** The requests that took longest, each with its log lines. */
export function Slowest({ app, window }: { app: string; window: string }) {
  const [open, setOpen] = useState('');
  const { data, error } = useQuery({
    queryKey: ['app', app, 'slowest', window],
    queryFn: async ({ signal }) => (await get<SlowList>(`/apps/${seg(app)}/profile/slowest`, { window }, signal)).requests ?? [],
    refetchInterval: 15_000,
    placeholderData: (before) => before,
  });
  if (!data?.length) return <Problem error={error} />;
  return (
    <section className="section">
      <h2>Slowest requests</h2>
      <p className="hint">The slowest of the window, at most one of each route and minute. A click shows what it logged.</p>
      <TableBox label="Slowest requests" className="panel">
        <Table>
          <Table.Thead><Table.Tr><Table.Th className="num">Took</Table.Th><Table.Th>Request</Table.Th><Table.Th className="num">Status</Table.Th><Table.Th className="num">Release</Table.Th><Table.Th>When</Table.Th><Table.Th>Id</Table.Th></Table.Tr></Table.Thead>
          <Table.Tbody>
            {data.map((r) => (
              <Fragment key={r.req}>
                <Table.Tr data-testid={ids.slowRow}>
                  <Table.Td className="num"><b>{ms(r.dur)}</b></Table.Td>
                  <Table.Td><span className="method">{r.method}</span> <UnstyledButton className="app-name mono" aria-expanded={open === r.req} onClick={() => setOpen(open === r.req ? '' : r.req)}>{plain(r.url)}</UnstyledButton></Table.Td>
                  <Table.Td className="num">{r.status}</Table.Td>
                  <Table.Td className="num">{r.release}</Table.Td>
                  <Table.Td><TimeAgo at={r.at} /></Table.Td>
                  <Table.Td><a className="crumb mono" href={to(['apps', app, 'logs'], { req: r.req, range: '24h' })} title={r.req}>{r.req.slice(0, 8)}…</a></Table.Td>
                </Table.Tr>
                {open === r.req && <Table.Tr><Table.Td colSpan={6}><Lines of={r} /></Table.Td></Table.Tr>}
              </Fragment>
            ))}
          </Table.Tbody>
        </Table>
      </TableBox>
    </section>
  );
}

function Lines({ of }: { of: SlowRequest }) {
  const logs = (of.logs ?? []) as LogRecord[];
  if (logs.length === 0) return <span className="dim">It logged nothing, or its records are gone.</span>;
  return <div className="mono last-lines">{logs.map((l) => <div key={l.id}><span className="dim">{clock(l.ts)}</span> <LevelTag level={l.level} /> {plain(l.msg ?? '')}{l.exc ? `\n${plain(l.exc)}` : ''}</div>)}</div>;
}
