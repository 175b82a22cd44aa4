import { Button, Select, Table } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { get, put, seg } from '../../api/client';
import type { Isolation, Runtimes } from '../../api/schema';
import { Problem } from '../../parts/Said';
import { StatusTag } from '../../parts/StatusTag';
import { TableBox } from '../../parts/TableBox';
import { TimeAgo } from '../../parts/TimeAgo';
import { Waiting } from '../../parts/Waiting';
import { ids } from '../../testids';
import { say } from '../useAppActions';

/** What the app's code may do to its host and its neighbours, tried from within. */
export default function IsolationTab({ app }: { app: string }) {
  const measure = useMutation({ mutationFn: () => get<Isolation>(`/apps/${seg(app)}/isolation`) });
  const card = measure.data;
  const broken = card?.checks?.filter((c) => !c.ok).length ?? 0;
  return (
    <>
      <div className="page-head">
        <p className="hint min0">Tries, from within a replica, what code that is up to no good would try: to become root, to fill the disk, to reach the host, its engine or a neighbour. It takes some seconds; what would harm the replica is tried in a fresh container of the same profile.</p>
        <div className="page-head-end"><Button onClick={() => measure.mutate()} loading={measure.isPending} data-testid={ids.isolationMeasure}>Measure now</Button></div>
      </div>
      <RuntimeChoice app={app} />
      <Problem error={measure.error} />
      {measure.isPending && <Waiting />}
      {card && (
        <TableBox label="Report card" className="panel">
          <p className="card-says"><StatusTag state={broken === 0 ? 'ok' : 'failed'} word={broken === 0 ? 'Nothing got out' : `${broken} of ${card.checks?.length} got out`} /> <span className="dim">release {card.release}, replica <span className="mono">{card.replica}</span>, <TimeAgo at={card.measured_at} /></span></p>
          <Table>
            <Table.Thead><Table.Tr><Table.Th>Tried</Table.Th><Table.Th>Held</Table.Th><Table.Th>What happened</Table.Th><Table.Th>Where</Table.Th></Table.Tr></Table.Thead>
            <Table.Tbody>
              {(card.checks ?? []).map((c) => (
                <Table.Tr key={c.name} data-testid={ids.isolationCheck}>
                  <Table.Td fw={600}>{c.name}</Table.Td>
                  <Table.Td><StatusTag state={c.ok ? 'ok' : 'failed'} word={c.ok ? 'Yes' : 'No'} /></Table.Td>
                  <Table.Td className="reason">{c.says}</Table.Td>
                  <Table.Td className="dim">{c.where}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </TableBox>
      )}
    </>
  );
}

/** Which OCI runtime runs the app, where the operator allows others. */
function RuntimeChoice({ app }: { app: string }) {
  const queries = useQueryClient();
  const key = ['runtime', app];
  const { data } = useQuery({ queryKey: key, queryFn: ({ signal }) => get<Runtimes>(`/apps/${seg(app)}/runtime`, {}, signal) });
  const change = useMutation({ mutationFn: (runtime: string) => put<Runtimes>(`/apps/${seg(app)}/runtime`, { runtime }), onSuccess: (now) => { queries.setQueryData(key, now); say('The replicas are being replaced, without a gap.'); } });
  if (!data || (data.choices.length === 0 && !data.runtime)) return null;
  return (
    <div className="gap-bottom">
      <Select label="Runtime of its containers" description="runsc (gVisor) and Kata put a kernel of their own between the app and the host; calls cost more." data-testid={ids.runtime} allowDeselect={false} disabled={change.isPending}
        data={[{ value: '', label: `${data.default} (the platform's)` }, ...data.choices.map((c) => ({ value: c.name, label: c.installed ? c.name : `${c.name} (not installed)`, disabled: !c.installed }))]}
        value={data.runtime} onChange={(v) => v !== null && change.mutate(v)} />
      <Problem error={change.error} />
    </div>
  );
}
