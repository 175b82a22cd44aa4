import { Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { get, getPlatform } from '../api/client';
import type { DiskReport } from '../api/schema';
import { bytes } from '../format/format';
import { Problem } from '../parts/Said';
import { TableBox } from '../parts/TableBox';
import { ids } from '../testids';

/** What takes the disk, by tenant; to an operator also what all share. */
export function DiskPanel({ platform = false }: { platform?: boolean }) {
  const { data, error } = useQuery({ queryKey: ['disk', platform], queryFn: ({ signal }) => (platform ? getPlatform<DiskReport>('/disk', signal) : get<DiskReport>('/disk', {}, signal)), refetchInterval: 30_000 });
  if (!data) return <Problem error={error} />;
  const shared = Object.entries((data.shared ?? {}) as Record<string, number>).sort(([, a], [, b]) => b - a);
  return (
    <section className="section" data-testid={ids.disk}>
      <h2>Disk</h2>
      <p className={data.free < data.warn ? 'hint tone-bad' : 'hint'}>{data.says || `${bytes(data.free)} of ${bytes(data.size)} are free. Below ${bytes(data.refuse)} no deploy is taken.`}</p>
      <TableBox label="Disk by tenant" className="panel">
        <Table>
          <Table.Thead><Table.Tr><Table.Th>Tenant</Table.Th><Table.Th className="num">Releases</Table.Th><Table.Th className="num">Archive</Table.Th><Table.Th className="num">Volumes</Table.Th><Table.Th className="num">Together</Table.Th></Table.Tr></Table.Thead>
          <Table.Tbody>
            {(data.tenants ?? []).map((t) => <Table.Tr key={t.tenant}><Table.Td fw={600}>{t.tenant}</Table.Td><Table.Td className="num">{bytes(t.releases)}</Table.Td><Table.Td className="num">{bytes(t.archive)}</Table.Td><Table.Td className="num">{bytes(t.volumes)}</Table.Td><Table.Td className="num">{bytes(t.total)}</Table.Td></Table.Tr>)}
          </Table.Tbody>
        </Table>
      </TableBox>
      {shared.length > 0 && <dl className="panel facts gap-top">{shared.map(([what, n]) => <div key={what}><dt>{what.replaceAll('_', ' ')}</dt><dd>{bytes(n)}</dd></div>)}</dl>}
    </section>
  );
}
