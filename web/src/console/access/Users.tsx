import { Button, PasswordInput, Select, Table, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { put, seg } from '../../api/client';
import type { Role, User } from '../../api/types';
import { Problem } from '../../parts/Said';
import { TimeAgo } from '../../parts/TimeAgo';
import { TableBox } from '../../parts/TableBox';
import { useSession } from '../session';
import { say } from '../useAppActions';
import { Invitations } from './Invitations';
import { RemoveButton } from './RemoveButton';
import { ROLES, useList } from './useList';

export function Users() {
  const session = useSession();
  const { list, add, remove } = useList<User, { name: string; role: string; password: string }>('users');
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: ({ name, role }: { name: string; role: string }) => put(`/users/${seg(name)}`, { role }),
    onSuccess: (_, { name, role }) => say(`${name} is ${role} now.`),
    onError: (err) => say(err.message, true),
    onSettled: () => void queries.invalidateQueries({ queryKey: ['users'] }),
  });
  const [name, setName] = useState('');
  const [role, setRole] = useState<string>('developer');
  const [password, setPassword] = useState('');
  const submit = (e: FormEvent) => {
    e.preventDefault();
    add.mutate({ name: name.trim(), role: role as Role, password }, { onSuccess: () => { setName(''); setPassword(''); } });
  };
  return (
    <>
      <Invitations />
      <h2 className="sub-heading">Members</h2>
      <form onSubmit={submit} className="panel panel-pad">
        <div className="access-form">
          <TextInput label="Name" required value={name} onChange={(e) => setName(e.currentTarget.value)} autoComplete="off" />
          <Select label="Role" data={ROLES.filter((r) => r.value !== 'operator' || session.role === 'operator')} value={role} onChange={(v) => setRole(v ?? 'developer')} allowDeselect={false} />
          <PasswordInput label="Password" required value={password} onChange={(e) => setPassword(e.currentTarget.value)} autoComplete="new-password" />
          <Button type="submit" loading={add.isPending}>Add user</Button>
        </div>
        {add.error && <div className="gap-top"><Problem error={add.error} /></div>}
      </form>
      <div className="gap-top"><Problem error={list.error} /></div>
      <TableBox label="Users" className="panel gap-top">
        <Table>
          <Table.Thead><Table.Tr><Table.Th>Name</Table.Th><Table.Th>Role</Table.Th><Table.Th>Since</Table.Th><Table.Th><span className="visually-hidden">Actions</span></Table.Th></Table.Tr></Table.Thead>
          <Table.Tbody>
            {list.data?.map((u) => (
              <Table.Tr key={u.name}>
                <Table.Td fw={600}>{u.name}{u.name === session.user && <span className="dim"> (you)</span>}{u.email && <div className="label">{u.email}</div>}</Table.Td>
                <Table.Td>{u.name === session.user ? u.role : <Select size="xs" w={130} aria-label={`Role of ${u.name}`} data={ROLES.filter((r) => r.value !== 'operator' || session.role === 'operator').map((r) => r.value)} value={u.role} onChange={(v) => v && change.mutate({ name: u.name, role: v })} allowDeselect={false} />}</Table.Td>
                <Table.Td>{u.created_at ? <TimeAgo at={u.created_at} /> : '–'}</Table.Td>
                <Table.Td className="num"><RemoveButton what={u.name} disabled={u.name === session.user} onRemove={() => remove.mutate(u.name)} /></Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </TableBox>
    </>
  );
}
