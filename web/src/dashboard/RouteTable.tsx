import { Table } from '@mantine/core';
import { useState } from 'react';
import { bytes, count, ms, rate } from '../format/format';
import { ids } from '../testids';
import { useFeed, useLiveEvery } from './useLive';
import { usePastWindow } from './usePastWindow';
import { useMoves } from './view';
import { TableBox } from '../parts/TableBox';

const SHOWN = 12;

export function RouteTable() {
  const store = useLiveEvery('routes', 900);
  const view = useMoves(useFeed().view);
  const past = usePastWindow();
  const live = view.end === null;
  const routes = live ? store.routes : (past.data?.routes ?? []);
  const over = live ? 'last 5 min' : 'whole minutes of this window';
  const [all, setAll] = useState(false);
  const sorted = [...routes].sort((a, b) => b.requests - a.requests);
  const shown = all ? sorted.slice(0, 500) : sorted.slice(0, SHOWN);
  return (
    <section className="panel">
      <header className="panel-head"><h2 className="panel-title">Top routes</h2><span className="label">{over}</span></header>
      {routes.length === 0 ? <p className="quiet">{live ? 'No requests in the last 5 minutes.' : past.data ? 'No requests in this window.' : 'Reading the history…'}</p> : (
        <TableBox label="Top routes">
          <Table verticalSpacing={4} horizontalSpacing={8} className="tight">
            <Table.Thead><Table.Tr><Table.Th>Route</Table.Th><Table.Th className="num">Requests</Table.Th><Table.Th className="num">per s</Table.Th><Table.Th className="num">Errors</Table.Th><Table.Th className="num">p50</Table.Th><Table.Th className="num">p95</Table.Th><Table.Th className="num">p99</Table.Th><Table.Th className="num">CPU</Table.Th><Table.Th className="num" title="Time of a request in calls of database drivers, mean">Database</Table.Th><Table.Th className="num" title="Size of an answer, mean">Answer</Table.Th></Table.Tr></Table.Thead>
            <Table.Tbody>
              {shown.map((r) => (
                <Table.Tr key={`${r.method} ${r.route}`} data-testid={ids.routeRow}>
                  <Table.Td className="route"><span className="dim">{r.method}</span> <span className="mono">{r.route || '(no rule)'}</span></Table.Td>
                  <Table.Td className="num">{count(r.requests)}</Table.Td>
                  <Table.Td className="num">{rate(r.rate)}</Table.Td>
                  <Table.Td className="num">{r.errors > 0 ? <span className="tone-bad">{count(r.errors)}</span> : 0}</Table.Td>
                  <Table.Td className="num">{ms(r.p50)}</Table.Td>
                  <Table.Td className="num">{ms(r.p95)}</Table.Td>
                  <Table.Td className="num">{ms(r.p99)}</Table.Td>
                  <Table.Td className="num">{ms(r.cpu_ms)}</Table.Td>
                  <Table.Td className="num">{ms(r.db_ms)}</Table.Td>
                  <Table.Td className="num">{bytes(r.bytes)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </TableBox>
      )}
      {sorted.length > SHOWN && <button type="button" className="plain more" onClick={() => setAll(!all)}>{all ? 'Fewer' : `All ${count(sorted.length)} routes`}</button>}
    </section>
  );
}
