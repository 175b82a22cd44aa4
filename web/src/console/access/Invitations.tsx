import { Button, Code, CopyButton, Group, Select, Table, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import type { Invitation } from '../../api/schema';
import { Note, Problem } from '../../parts/Said';
import { TableBox } from '../../parts/TableBox';
import { TimeAgo } from '../../parts/TimeAgo';
import { ids } from '../../testids';
import { useSession } from '../session';
import { RemoveButton } from './RemoveButton';
import { ROLES, useList } from './useList';

/** Invites people, and shows the invitations that nobody has taken yet. */
export function Invitations() {
  const session = useSession();
  const { list, add, remove } = useList<Invitation, { email?: string; role: string }, Invitation & { link: string }>('invitations');
  const [email, setEmail] = useState('');
  const [role, setRole] = useState('developer');
  const submit = (e: FormEvent) => {
    e.preventDefault();
    add.mutate({ role, ...(email.trim() ? { email: email.trim() } : {}) }, { onSuccess: () => setEmail('') });
  };
  const open = (list.data ?? []).filter((i) => !i.accepted_at);
  return (
    <>
      <form onSubmit={submit} className="panel panel-pad">
        <div className="access-form">
          <TextInput label="Invite by mail" type="email" placeholder="ann@example.org" description="empty: you hand the link over" value={email} onChange={(e) => setEmail(e.currentTarget.value)} autoComplete="off" data-testid={ids.inviteEmail} />
          <Select label="Role" description="what they may do" data={ROLES.filter((r) => r.value !== 'operator' || session.role === 'operator')} value={role} onChange={(v) => setRole(v ?? 'developer')} allowDeselect={false} />
          <Button type="submit" loading={add.isPending} data-testid={ids.inviteSend}>{email.trim() ? 'Send invitation' : 'Make a link'}</Button>
        </div>
        {add.error && <div className="gap-top"><Problem error={add.error} /></div>}
      </form>
      {add.data && (
        <div className="gap-top">
          <Note good>
            {add.data.email ? `The invitation goes to ${add.data.email}. ` : ''}This link lets one person in until <TimeAgo at={add.data.expires_at} />. It is shown this once.
            <Group gap="xs" mt={8}><Code data-testid={ids.inviteLink} className="wrap">{add.data.link}</Code><CopyButton value={add.data.link}>{({ copied, copy }) => <Button size="compact-sm" variant="default" onClick={copy}>{copied ? 'Copied' : 'Copy'}</Button>}</CopyButton></Group>
          </Note>
        </div>
      )}
      <div className="gap-top"><Problem error={list.error} /></div>
      {open.length > 0 && (
        <TableBox label="Invitations" className="panel gap-top">
          <Table>
            <Table.Thead><Table.Tr><Table.Th>Invited</Table.Th><Table.Th>As</Table.Th><Table.Th>By</Table.Th><Table.Th>Ends</Table.Th><Table.Th><span className="visually-hidden">Actions</span></Table.Th></Table.Tr></Table.Thead>
            <Table.Tbody>
              {open.map((i) => (
                <Table.Tr key={i.id}>
                  <Table.Td fw={600}>{i.email || <span className="dim">whoever has the link</span>}</Table.Td>
                  <Table.Td>{i.role}</Table.Td>
                  <Table.Td>{i.created_by} <span className="dim"><TimeAgo at={i.created_at} /></span></Table.Td>
                  <Table.Td><TimeAgo at={i.expires_at} /></Table.Td>
                  <Table.Td className="num"><RemoveButton what={`the invitation of ${i.email || 'the link'}`} onRemove={() => remove.mutate(i.id)} /></Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </TableBox>
      )}
    </>
  );
}
