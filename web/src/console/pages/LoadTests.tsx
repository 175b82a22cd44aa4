import { Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { apiPath, get, seg } from '../../api/client';
import type { LoadTest } from '../../api/schema';
import type { App } from '../../api/types';
import { count, ms, rate } from '../../format/format';
import { Problem } from '../../parts/Said';
import { StatusTag } from '../../parts/StatusTag';
import { TableBox } from '../../parts/TableBox';
import { TimeAgo } from '../../parts/TimeAgo';
import { Waiting } from '../../parts/Waiting';
import { ids } from '../../testids';
import { LoadForm } from '../load/LoadForm';
import { LoadRun } from '../load/LoadRun';
import { REPORTS } from '../load/plan';
import { mayWrite, useSession } from '../session';

/** Simulated requests to the app: what to send, the test under way, and the reports of the last ones. */
export default function LoadTests({ app }: { app: App }) {
  const write = mayWrite(useSession());
  const [chosen, setChosen] = useState(0);
  const { data, error } = useQuery({
    queryKey: ['app', app.name, 'loadtests'],
    queryFn: async ({ signal }) => (await get<{ load_tests: LoadTest[] | null }>(`/apps/${seg(app.name)}/loadtests`, {}, signal)).load_tests ?? [],
    refetchInterval: 5000,
  });
  if (!data) return error ? <Problem error={error} /> : <Waiting />;
  const running = data.find((t) => t.state === 'running');
  const shown = chosen || running?.id;
  return (
    <>
      {write && app.release > 0 && <LoadForm app={app.name} busy={running != null} onBegun={setChosen} />}
      {shown && <LoadRun key={shown} app={app.name} id={shown} write={write} />}
      <section className="section">
        <h2>The last load tests</h2>
        {data.length === 0
          ? <p className="hint">None yet. {app.release > 0 ? 'Each one is kept here with its report, the last twenty.' : 'Deploy the app first: then it can be sent requests.'}</p>
          : <Past app={app.name} tests={data} shown={shown} onShow={setChosen} />}
      </section>
    </>
  );
}

function Past({ app, tests, shown, onShow }: { app: string; tests: LoadTest[]; shown?: number; onShow: (id: number) => void }) {
  return (
    <TableBox label="Load tests" className="panel">
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr><Table.Th className="num">Test</Table.Th><Table.Th>State</Table.Th><Table.Th>Began</Table.Th><Table.Th>By</Table.Th><Table.Th>Shape</Table.Th><Table.Th className="num">requests</Table.Th><Table.Th className="num">failed</Table.Th><Table.Th className="num">rate</Table.Th><Table.Th className="num">p95</Table.Th><Table.Th className="num">p99</Table.Th><Table.Th>Conditions</Table.Th><Table.Th>Report</Table.Th></Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {tests.map((t) => (
            <Table.Tr key={t.id} data-testid={ids.loadRow} data-state={t.state}>
              <Table.Td className="num"><a className="app-name" href={window.location.hash} aria-current={t.id === shown ? 'true' : undefined} onClick={(e) => { e.preventDefault(); onShow(t.id); }}>{t.id}</a></Table.Td>
              <Table.Td><StatusTag state={t.state} word={t.state === 'running' ? 'Under way' : undefined} /></Table.Td>
              <Table.Td><TimeAgo at={t.began} /></Table.Td><Table.Td>{t.by}</Table.Td><Table.Td>{t.shape}</Table.Td>
              <Table.Td className="num">{count(t.answered)}</Table.Td><Table.Td className="num">{count(t.failed)}</Table.Td><Table.Td className="num">{rate(t.rate)}/s</Table.Td><Table.Td className="num">{ms(t.p95)}</Table.Td><Table.Td className="num">{ms(t.p99)}</Table.Td>
              <Table.Td>{t.holds == null ? '–' : <StatusTag state={t.holds ? 'ok' : 'failed'} word={t.holds ? 'hold' : 'do not hold'} />}</Table.Td>
              <Table.Td className="nowrap">{t.state === 'running' ? '–' : REPORTS.map((format) => <a key={format} className="in-text gap-right" download href={apiPath(`/apps/${seg(app)}/loadtests/${t.id}/report`, { format })}>{format.toUpperCase()}</a>)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </TableBox>
  );
}
