import { Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { get } from '../../api/client';
import type { Status } from '../../api/types';
import { count, percent, rate } from '../../format/format';
import { Problem } from '../../parts/Said';
import { StatusTag } from '../../parts/StatusTag';
import { TableBox } from '../../parts/TableBox';
import { Waiting } from '../../parts/Waiting';
import { CapacityPanel } from '../CapacityPanel';
import { DiskPanel } from '../DiskPanel';
import { BEHIND, useRates } from './useRates';

const DOES: Record<string, string> = {
  stream: 'keeps batches of records until every service has read them',
  logship: 'collects records, lines and figures from the replicas',
  paas: 'builds, starts and watches the apps; serves this console',
  router: 'sends requests to replicas, one record per request',
  persist: 'writes records to Postgres',
  archive: 'seals records into JSON files',
  alert: 'watches conditions and sends mail',
  profile: 'counts and times each route',
  dashboard: 'serves the live dashboard',
  autoscaler: 'chooses the number of replicas',
  postgres: 'holds records and settings',
};

export default function StatusPage() {
  const { data, error, dataUpdatedAt } = useQuery({ queryKey: ['status'], queryFn: ({ signal }) => get<Status>('/status', {}, signal), refetchInterval: 3000 });
  const rates = useRates(data?.roles, dataUpdatedAt);
  if (!data) return error ? <div className="page"><Problem error={error} /></div> : <Waiting />;
  const roles = data.roles ?? [];
  const down = roles.filter((r) => !r.ready);
  const host = data.host;
  return (
    <div className="page">
      <div className="page-head"><h1>Status</h1><span>{roles.length === 0 ? '' : down.length === 0 ? <StatusTag state="ready" word="Every role is ready" /> : <StatusTag state="down" word={`Not ready: ${down.map((r) => r.name).join(', ')}`} />}</span></div>
      <Problem error={error} />
      <dl className="panel facts">
        <div><dt>CPU of the host</dt><dd>{percent(host.cpu)}</dd></div>
        <div><dt>Memory used</dt><dd>{percent(host.mem)}</dd></div>
        <div><dt>Disk used</dt><dd>{percent(host.disk)}</dd></div>
        <div><dt>Swap used</dt><dd>{host.swap == null ? 'none' : percent(host.swap)}</dd></div>
      </dl>
      <section className="section">
        <h2>Roles</h2>
        <p className="hint">Records per second since the last look, three seconds ago (of the router: requests); errors since the role started. A batch holds up to some hundred records; a service that falls behind catches up by itself, and nothing is lost meanwhile.</p>
        <TableBox label="Roles" className="panel gap-top">
          <Table>
            <Table.Thead><Table.Tr><Table.Th>Role</Table.Th><Table.Th>State</Table.Th><Table.Th className="num">Records/s</Table.Th><Table.Th className="num">Batches waiting</Table.Th><Table.Th className="num">Errors</Table.Th><Table.Th>What it does</Table.Th></Table.Tr></Table.Thead>
            <Table.Tbody>
              {roles.map((r) => (
                <Table.Tr key={r.name}>
                  <Table.Td fw={600}>{r.name}</Table.Td>
                  <Table.Td><StatusTag state={r.ready ? 'ready' : 'down'} />{!r.ready && <div className="reason">{r.detail}</div>}</Table.Td>
                  <Table.Td className="num" title={r.records == null ? undefined : `${count(r.records)} since it started`}>{r.records == null ? <span className="dim">–</span> : rate(rates.get(r.name))}</Table.Td>
                  <Table.Td className="num">{r.lag == null ? <span className="dim">–</span> : <span className={r.lag > BEHIND ? 'tone-bad' : ''}>{count(r.lag)}</span>}</Table.Td>
                  <Table.Td className="num">{r.errors == null ? <span className="dim">–</span> : <span className={r.errors > 0 ? 'tone-bad' : ''}>{count(r.errors)}</span>}</Table.Td>
                  <Table.Td className="dim nowrap">{DOES[r.name] ?? ''}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </TableBox>
      </section>
      <CapacityPanel />
      <DiskPanel platform />
    </div>
  );
}
