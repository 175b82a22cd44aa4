import { Button, Table } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { get, getPlatform, post } from '../api/client';
import type { Collected, DiskReport } from '../api/schema';
import { bytes } from '../format/format';
import { Problem } from '../parts/Said';
import { TableBox } from '../parts/TableBox';
import { ids } from '../testids';
import { say } from './useAppActions';

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
          <Table.Thead><Table.Tr><Table.Th>Tenant</Table.Th><Table.Th className="num">Releases</Table.Th><Table.Th className="num">Archive</Table.Th><Table.Th className="num">Volumes</Table.Th><Table.Th className="num">Databases</Table.Th><Table.Th className="num">Wheels</Table.Th><Table.Th className="num">Output</Table.Th><Table.Th className="num">Together</Table.Th><Table.Th className="num">Layers used</Table.Th></Table.Tr></Table.Thead>
          <Table.Tbody>
            {(data.tenants ?? []).map((t) => <Table.Tr key={t.tenant}><Table.Td fw={600}>{t.tenant}</Table.Td><Table.Td className="num">{bytes(t.releases)}</Table.Td><Table.Td className="num">{bytes(t.archive)}</Table.Td><Table.Td className="num">{bytes(t.volumes)}</Table.Td><Table.Td className="num">{bytes(t.databases)}</Table.Td><Table.Td className="num">{bytes(t.wheels)}</Table.Td><Table.Td className="num">{bytes(t.output)}</Table.Td><Table.Td className="num">{bytes(t.total)}</Table.Td><Table.Td className="num dim">{bytes(t.layers)}</Table.Td></Table.Tr>)}
          </Table.Tbody>
        </Table>
      </TableBox>
      {shared.length > 0 && <dl className="panel facts gap-top">{shared.map(([what, n]) => <div key={what}><dt>{what.replaceAll('_', ' ')}</dt><dd>{bytes(n)}</dd></div>)}</dl>}
      {platform && <Collect spare={data.spare ?? 0} />}
    </section>
  );
}

/** Removes at once what otherwise goes with the next deploys. */
function Collect({ spare }: { spare: number }) {
  const queries = useQueryClient();
  const collect = useMutation({ mutationFn: () => post<Collected>('/disk/collect', {}), onSuccess: (done) => { void queries.invalidateQueries({ queryKey: ['disk'] }); say(`${bytes(done.freed)} were freed.`); } });
  return (
    <div className="gap-top">
      <p className="hint">{spare > 0 ? `${bytes(spare)} of layers are needed by no kept release.` : 'No layer is without a release that needs it.'} Collecting removes these, sources beyond those kept for rollback and old base images; nothing that others made.</p>
      <Button variant="default" loading={collect.isPending} onClick={() => collect.mutate()} data-testid={ids.diskCollect}>Collect now</Button>
      <Problem error={collect.error} />
    </div>
  );
}
