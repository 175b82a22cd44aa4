import { Button, NumberInput, Table } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { del, get, put } from '../../api/client';
import type { ArchiveState } from '../../api/schema';
import { bytes, count, duration } from '../../format/format';
import { Problem } from '../../parts/Said';
import { TableBox } from '../../parts/TableBox';
import { Waiting } from '../../parts/Waiting';
import { ids } from '../../testids';
import { to } from '../route';
import { useSession } from '../session';
import { say } from '../useAppActions';

const DAY = 86_400;
const GiB = 2 ** 30;

/** What the archive of the tenant holds and for how long; an operator says for how long. */
export function ArchiveLimits() {
  const session = useSession();
  const { data, error } = useQuery({ queryKey: ['archive-limits'], queryFn: ({ signal }) => get<ArchiveState>('/archive', {}, signal), refetchInterval: 30_000 });
  if (!data) return error ? <Problem error={error} /> : <Waiting />;
  const { retention, max_bytes: most } = data.limits;
  const apps = [...(data.apps ?? [])].sort((a, b) => b.bytes - a.bytes);
  return (
    <>
      <dl className="panel facts">
        <div><dt>Kept for</dt><dd>{duration(retention)}</dd></div>
        <div><dt>Sealed files, all apps</dt><dd>{bytes(data.bytes)}</dd></div>
        <div><dt>Bound</dt><dd>{most > 0 ? `${bytes(most)}, ${Math.round((100 * data.bytes) / most)} % used` : 'none'}</dd></div>
        <div><dt>Set for</dt><dd>{data.own ? 'this tenant alone' : 'every tenant'}</dd></div>
      </dl>
      <p className="hint gap-top">Files of days before are deleted. Where the archive grows beyond its bound, the tenant's oldest files go first, and the app's archive says how many records went. An app can keep less on its page Pipeline.</p>
      {apps.length === 0 ? <div className="panel empty gap-top"><b>Nothing is archived yet</b>The first file of an app is sealed a few minutes after its first record.</div> : (
        <TableBox label="Archive by app" className="panel gap-top">
          <Table>
            <Table.Thead><Table.Tr><Table.Th>App</Table.Th><Table.Th className="num">Files</Table.Th><Table.Th className="num">Records</Table.Th><Table.Th className="num">Size</Table.Th><Table.Th className="num">Records removed by the bound</Table.Th></Table.Tr></Table.Thead>
            <Table.Tbody>
              {apps.map((a) => (
                <Table.Tr key={a.app}>
                  <Table.Td><a className="app-name" href={to(['apps', a.app, 'archive'])}>{a.app}</a></Table.Td>
                  <Table.Td className="num">{count(a.files)}</Table.Td><Table.Td className="num">{count(a.records)}</Table.Td><Table.Td className="num">{bytes(a.bytes)}</Table.Td>
                  <Table.Td className="num">{a.removed_records ? <span className="tone-bad">{count(a.removed_records)}</span> : '0'}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </TableBox>
      )}
      {session.role === 'operator' && <Limits key={JSON.stringify(data.limits)} state={data} />}
    </>
  );
}

function Limits({ state }: { state: ArchiveState }) {
  const queries = useQueryClient();
  const [days, setDays] = useState(state.limits.retention / DAY);
  const [most, setMost] = useState(state.limits.max_bytes / GiB);
  const after = { onSuccess: () => { void queries.invalidateQueries({ queryKey: ['archive-limits'] }); say('In force; files that are too old go within ten minutes.'); } };
  const save = useMutation({ mutationFn: () => put<ArchiveState>('/archive', { retention: Math.round(days * DAY), max_bytes: Math.round(most * GiB) }), ...after });
  const reset = useMutation({ mutationFn: () => del('/archive'), ...after });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    save.mutate();
  };
  return (
    <form onSubmit={submit} className="panel panel-pad section">
      <h2 className="panel-title gap-bottom">Limits of this tenant</h2>
      <div className="form-grid">
        <NumberInput label="Kept for" description="Whole days" suffix=" days" min={1} max={7300} allowDecimal={false} value={days} onChange={(v) => v !== '' && setDays(Number(v))} />
        <NumberInput label="Bound" description="0: none" suffix=" GiB" min={0} decimalScale={2} value={most} onChange={(v) => v !== '' && setMost(Number(v))} />
      </div>
      <div className="gap-top"><Problem error={save.error ?? reset.error} /></div>
      <div className="button-row gap-top">
        <Button type="submit" loading={save.isPending} disabled={days === state.limits.retention / DAY && most === state.limits.max_bytes / GiB} data-testid={ids.archiveLimitsSave}>Save limits</Button>
        {state.own && <Button variant="default" loading={reset.isPending} onClick={() => reset.mutate()}>Back to the default</Button>}
      </div>
    </form>
  );
}
