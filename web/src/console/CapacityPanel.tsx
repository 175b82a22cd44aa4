import { Progress, Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getPlatform } from '../api/client';
import type { PlatformCapacity } from '../api/schema';
import { amount, bytes, count, percent } from '../format/format';
import { Problem } from '../parts/Said';
import { TableBox } from '../parts/TableBox';
import { TimeAgo } from '../parts/TimeAgo';
import { ids } from '../testids';

/** The hosts, and how much of them the apps of each tenant ask for. */
export function CapacityPanel() {
  const { data, error } = useQuery({ queryKey: ['capacity'], queryFn: ({ signal }) => getPlatform<PlatformCapacity>('/capacity', signal), refetchInterval: 10_000 });
  if (!data) return <Problem error={error} />;
  const tenants = data.tenants ?? [], hosts = data.hosts ?? [];
  const cpu = tenants.reduce((sum, t) => sum + t.cpu, 0), memory = tenants.reduce((sum, t) => sum + t.memory, 0);
  return (
    <section className="section" data-testid={ids.capacity}>
      <h2>Hosts and capacity</h2>
      <p className="hint">What the desired replicas of all apps may use together, against what this host has. More than there is can be asked for: replicas rarely use all of it, and while the cores are busy tenants share them by weight.</p>
      <div className="panel quota gap-top">
        <Part label="CPU asked for" says={`${amount(cpu)} of ${count(data.cores)} cores`} share={(100 * cpu) / data.cores} />
        <Part label="Memory asked for" says={`${bytes(memory)} of ${bytes(data.memory)}`} share={(100 * memory) / data.memory} />
      </div>
      <TableBox label="Hosts" className="panel gap-top">
        <Table>
          <Table.Thead><Table.Tr><Table.Th>Host</Table.Th><Table.Th className="num">CPU</Table.Th><Table.Th className="num">Memory</Table.Th><Table.Th className="num">Disk</Table.Th><Table.Th className="num">Swap</Table.Th><Table.Th>Last heard of</Table.Th></Table.Tr></Table.Thead>
          <Table.Tbody>
            {hosts.map((h) => <Table.Tr key={h.name}><Table.Td fw={600}>{h.name}</Table.Td><Table.Td className="num">{percent(h.cpu)}</Table.Td><Table.Td className="num">{percent(h.mem)}</Table.Td><Table.Td className="num">{percent(h.disk)}</Table.Td><Table.Td className="num">{h.swap == null ? 'none' : percent(h.swap)}</Table.Td><Table.Td><TimeAgo at={h.at} /></Table.Td></Table.Tr>)}
          </Table.Tbody>
        </Table>
        {hosts.length === 0 && <div className="empty">No agent has told of its host within five minutes.</div>}
      </TableBox>
      {tenants.length > 0 && (
        <TableBox label="Asked for by tenant" className="panel gap-top">
          <Table>
            <Table.Thead><Table.Tr><Table.Th>Tenant</Table.Th><Table.Th className="num">Apps</Table.Th><Table.Th className="num">Replicas</Table.Th><Table.Th className="num">CPU, cores</Table.Th><Table.Th className="num">Memory</Table.Th></Table.Tr></Table.Thead>
            <Table.Tbody>
              {tenants.slice(0, 200).map((t) => <Table.Tr key={t.tenant}><Table.Td fw={600}>{t.tenant}</Table.Td><Table.Td className="num">{count(t.apps)}</Table.Td><Table.Td className="num">{count(t.replicas)}</Table.Td><Table.Td className="num">{amount(t.cpu)}</Table.Td><Table.Td className="num">{bytes(t.memory)}</Table.Td></Table.Tr>)}
            </Table.Tbody>
          </Table>
        </TableBox>
      )}
    </section>
  );
}

function Part({ label, says, share }: { label: string; says: string; share: number }) {
  return (
    <div>
      <div className="label">{label}</div>
      <div className="quota-value">{says}</div>
      <Progress value={Math.min(100, share)} color={share > 100 ? 'yellow' : 'green'} aria-label={`${label}: ${Math.round(share)} %`} />
    </div>
  );
}
