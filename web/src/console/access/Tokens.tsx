import { Button, Code, CopyButton, Group, MultiSelect, Select, Table, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import type { Token } from '../../api/types';
import { Note, Problem } from '../../parts/Said';
import { TimeAgo } from '../../parts/TimeAgo';
import { TableBox } from '../../parts/TableBox';
import { useApps, useSession } from '../session';
import { RemoveButton } from './RemoveButton';
import { ROLES, useList } from './useList';

const DAY = 86400;
const SCOPES = [{ value: 'read', label: 'look' }, { value: 'deploy', label: 'deploy' }, { value: 'env', label: 'set the environment' }, { value: 'run', label: 'run commands' }, { value: 'live', label: 'watch live' }];
const AGES = [{ value: String(30 * DAY), label: '30 days' }, { value: String(365 * DAY), label: 'a year' }, { value: '', label: 'until deleted' }];

export function Tokens() {
  const session = useSession();
  const { list, add, remove } = useList<Token, { name: string; role: string; expires_in?: number; scopes?: string[]; app?: string }>('tokens');
  const [name, setName] = useState('');
  const may = ROLES.slice(0, ROLES.findIndex((r) => r.value === session.role) + 1);
  const usual = session.role === 'viewer' ? 'viewer' : 'developer';
  const [role, setRole] = useState<string>(usual);
  const [scopes, setScopes] = useState<string[]>([]);
  const [app, setApp] = useState('');
  const apps = useApps();
  const [age, setAge] = useState(AGES[0]!.value);
  const submit = (e: FormEvent) => {
    e.preventDefault();
    add.mutate({ name: name.trim(), role, ...(age ? { expires_in: Number(age) } : {}), ...(scopes.length > 0 ? { scopes } : {}), ...(app ? { app } : {}) }, { onSuccess: () => setName('') });
  };
  return (
    <>
      <p className="hint gap-bottom">A token lets the command line or a script act in your tenant: <span className="mono">KURAMA_TOKEN=… kurama deploy .</span></p>
      <form onSubmit={submit} className="panel panel-pad">
        <div className="access-form">
          <TextInput label="What for" placeholder="laptop, CI" required value={name} onChange={(e) => setName(e.currentTarget.value)} autoComplete="off" />
          <Select label="Role" data={may} value={role} onChange={(v) => setRole(v ?? usual)} allowDeselect={false} />
          <Select label="Valid for" data={AGES} value={age} onChange={(v) => setAge(v ?? '')} allowDeselect={false} />
          <MultiSelect label="Only to" placeholder={scopes.length === 0 ? 'everything' : ''} data={SCOPES} value={scopes} onChange={setScopes} />
          <Select label="Only for the app" searchable data={[{ value: '', label: 'each' }, ...(apps.data ?? []).map((a) => ({ value: a.name, label: a.name }))]} value={app} onChange={(v) => setApp(v ?? '')} allowDeselect={false} limit={200} />
          <Button type="submit" loading={add.isPending}>Make token</Button>
        </div>
        {add.error && <div className="gap-top"><Problem error={add.error} /></div>}
      </form>
      {add.data?.token && (
        <div className="gap-top">
          <Note good>
            Copy the token now: it is shown this once.
            <Group gap="xs" mt={8}><Code>{add.data.token}</Code><CopyButton value={add.data.token}>{({ copied, copy }) => <Button size="compact-sm" variant="default" onClick={copy}>{copied ? 'Copied' : 'Copy'}</Button>}</CopyButton></Group>
          </Note>
        </div>
      )}
      <div className="gap-top"><Problem error={list.error} /></div>
      <TableBox label="Tokens" className="panel gap-top">
        <Table>
          <Table.Thead><Table.Tr><Table.Th>Token</Table.Th><Table.Th>Role</Table.Th><Table.Th>Made</Table.Th><Table.Th>Last used</Table.Th><Table.Th>Valid</Table.Th><Table.Th><span className="visually-hidden">Actions</span></Table.Th></Table.Tr></Table.Thead>
          <Table.Tbody>
            {list.data?.map((t) => (
              <Table.Tr key={t.id}>
                <Table.Td fw={600}>{t.name}</Table.Td>
                <Table.Td>{t.role}{(t.scopes?.length || t.app) && <div className="label">{[t.scopes?.join(', '), t.app && `of ${t.app}`].filter(Boolean).join(' ')}</div>}</Table.Td>
                <Table.Td>{t.created_at ? <TimeAgo at={t.created_at} /> : '–'}{t.created_by ? <span className="dim"> by {t.created_by}</span> : null}</Table.Td>
                <Table.Td><TimeAgo at={t.used_at} /></Table.Td>
                <Table.Td>{t.expires_at ? 'until ' + new Date(t.expires_at).toLocaleDateString('en-GB', { dateStyle: 'medium' }) : 'until deleted'}</Table.Td>
                <Table.Td className="num"><RemoveButton what={t.name} onRemove={() => remove.mutate(t.id)} /></Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
        {list.data?.length === 0 && <div className="empty">No token yet.</div>}
      </TableBox>
    </>
  );
}
