import { Button, Select, Table, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { del, get, post, seg } from '../../api/client';
import type { SilenceList } from '../../api/schema';
import type { AlertRule } from '../../api/types';
import { Problem } from '../../parts/Said';
import { TableBox } from '../../parts/TableBox';
import { TimeAgo } from '../../parts/TimeAgo';
import { ids } from '../../testids';
import { RemoveButton } from '../access/RemoveButton';
import { mayWrite, useSession } from '../session';
import { say } from '../useAppActions';

const HOUR = 3_600_000;
const LENGTHS = [{ value: String(HOUR), label: '1 hour' }, { value: String(4 * HOUR), label: '4 hours' }, { value: String(24 * HOUR), label: '1 day' }, { value: String(7 * 24 * HOUR), label: '7 days' }];

/** Times in which nobody is told; what still fires when one ends is told then. */
export function Silences({ app, rules }: { app: string; rules: AlertRule[] }) {
  const session = useSession();
  const queries = useQueryClient();
  const [alert, setAlert] = useState('');
  const [length, setLength] = useState(LENGTHS[0]!.value);
  const [comment, setComment] = useState('');
  const key = ['app', app, 'silences'];
  const { data, error } = useQuery({ queryKey: key, queryFn: async ({ signal }) => (await get<SilenceList>(`/apps/${seg(app)}/silences`, {}, signal)).silences ?? [], refetchInterval: 10_000 });
  const onSettled = () => void queries.invalidateQueries({ queryKey: key });
  const add = useMutation({
    mutationFn: () => post(`/apps/${seg(app)}/silences`, { ends_at: new Date(Date.now() + Number(length)).toISOString(), ...(alert ? { alert } : {}), ...(comment.trim() ? { comment: comment.trim() } : {}) }),
    onSuccess: () => { setComment(''); say('Nobody is told until it ends.'); },
    onSettled,
  });
  const remove = useMutation({ mutationFn: (id: string) => del(`/apps/${seg(app)}/silences/${seg(id)}`), onSettled, onError: (err: Error) => say(err.message, true) });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    add.mutate();
  };
  return (
    <section className="section">
      <h2>Silences</h2>
      <p className="hint">While one lasts, nobody is told of its alerts; what still fires when it ends is told then.</p>
      {mayWrite(session) && (
        <form onSubmit={submit} className="panel panel-pad">
          <div className="access-form">
            <Select label="Alert" data={[{ value: '', label: 'all of this app' }, ...rules.map((r) => ({ value: r.id, label: r.condition }))]} value={alert} onChange={(v) => setAlert(v ?? '')} allowDeselect={false} />
            <Select label="For" data={LENGTHS} value={length} onChange={(v) => v && setLength(v)} allowDeselect={false} />
            <TextInput label="Why" placeholder="maintenance" value={comment} onChange={(e) => setComment(e.currentTarget.value)} />
            <Button type="submit" variant="default" loading={add.isPending} data-testid={ids.silenceAdd}>Silence</Button>
          </div>
          {add.error && <div className="gap-top"><Problem error={add.error} /></div>}
        </form>
      )}
      <Problem error={error} />
      {data && data.length > 0 && (
        <TableBox label="Silences" className="panel gap-top">
          <Table>
            <Table.Thead><Table.Tr><Table.Th>Alert</Table.Th><Table.Th>From</Table.Th><Table.Th>Until</Table.Th><Table.Th>Why</Table.Th><Table.Th>By</Table.Th><Table.Th><span className="visually-hidden">Actions</span></Table.Th></Table.Tr></Table.Thead>
            <Table.Tbody>
              {data.map((s) => (
                <Table.Tr key={s.id} data-testid={ids.silence}>
                  <Table.Td className="mono">{rules.find((r) => r.id === s.alert)?.condition ?? (s.alert ? 'one that is gone' : 'all')}</Table.Td>
                  <Table.Td><TimeAgo at={s.starts_at} /></Table.Td>
                  <Table.Td><TimeAgo at={s.ends_at} /></Table.Td>
                  <Table.Td>{s.comment}</Table.Td>
                  <Table.Td>{s.created_by}</Table.Td>
                  <Table.Td className="num">{mayWrite(session) && <RemoveButton what="this silence" onRemove={() => remove.mutate(s.id)} />}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </TableBox>
      )}
    </section>
  );
}
