import { Button, Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { get, seg } from '../../api/client';
import type { Comparison, RouteSide } from '../../api/schema';
import type { Release } from '../../api/types';
import { count, ms, percent, UNKNOWN } from '../../format/format';
import { Sentence } from '../../parts/Sentence';
import { StatusTag } from '../../parts/StatusTag';
import { TableBox } from '../../parts/TableBox';
import { ids } from '../../testids';
import { to } from '../route';

const FIRST = 20; // routes that are shown before somebody asks for the rest
const VERDICTS: Record<string, [state: string, word: string]> = { worse: ['failed', 'Clearly worse'], fine: ['ok', 'Not worse'], few: ['pending', 'Too early to tell'] };

/** How a release that got requests does beside the one before: each route, the replicas' memory, and what that comes to. */
export function ReleaseFigures({ app, release }: { app: string; release: Release }) {
  const [all, setAll] = useState(false);
  const serves = release.state === 'live' || release.state === 'canary';
  const { data: c } = useQuery({
    queryKey: ['app', app, 'figures', release.number],
    queryFn: ({ signal }) => get<Comparison>(`/apps/${seg(app)}/releases/${release.number}/figures`, {}, signal),
    refetchInterval: serves ? 5000 : false,
    enabled: release.live_at != null || release.canary_at != null,
  });
  if (!c || c.against === 0) return null;
  const routes = c.routes ?? [];
  const [state, word] = VERDICTS[c.verdict] ?? ['pending', c.verdict];
  const { memory } = c;
  return (
    <section className="section" data-testid={ids.releaseFigures}>
      <h2>How it does</h2>
      <p className="hint">Against <a href={to(['apps', app, 'releases', c.against])}>release {c.against}</a>, {release.live_at ? 'each in the last hour in which it answered requests' : 'in the same minutes'}; in brackets where the true p95 lies with a certainty of 95 %.</p>
      <div className="panel panel-pad"><StatusTag state={state} word={word} /><div><Sentence>{c.says}</Sentence></div></div>
      {routes.length > 0 && (
        <TableBox label="Routes of both releases" className="panel gap-top">
          <Table>
            <Table.Thead><Table.Tr><Table.Th>Route</Table.Th><Table.Th className="num">Requests</Table.Th><Table.Th className="num">Errors</Table.Th><Table.Th className="num">p95 before</Table.Th><Table.Th className="num">p95 now</Table.Th><Table.Th>Verdict</Table.Th></Table.Tr></Table.Thead>
            <Table.Tbody>
              {routes.slice(0, all ? undefined : FIRST).map((r) => (
                <Table.Tr key={`${r.method} ${r.route}`}>
                  <Table.Td className="mono">{r.method} {r.route}</Table.Td>
                  <Table.Td className="num">{count(r.before.requests)} → {count(r.now.requests)}</Table.Td>
                  <Table.Td className="num">{percent(r.before.errors)} → {percent(r.now.errors)}</Table.Td>
                  <Table.Td className="num"><P95 side={r.before} /></Table.Td>
                  <Table.Td className="num"><P95 side={r.now} /></Table.Td>
                  <Table.Td>{r.worse ? <StatusTag state="failed" word="Clearly worse" /> : <span className="dim">{r.says}</span>}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </TableBox>
      )}
      {routes.length > FIRST && !all && <Button mt="xs" size="compact-sm" variant="default" onClick={() => setAll(true)}>Show all {routes.length} routes</Button>}
      {memory.mean != null && (
        <p className="hint gap-top">Memory of a replica, of its limit: mean {percent(memory.before_mean)} → {percent(memory.mean)}, peak {percent(memory.before_peak)} → {percent(memory.peak)}. <Sentence>{memory.says}</Sentence></p>
      )}
    </section>
  );
}

function P95({ side }: { side: RouteSide }) {
  if (side.p95 == null) return <span className="dim">{side.requests > 0 ? 'too few' : UNKNOWN}</span>;
  return <>{ms(side.p95)} <span className="dim nowrap">({ms(side.p95_low)}–{ms(side.p95_high)})</span></>;
}
