import { Button, Table, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import type { Tenant } from '../../api/types';
import { Problem } from '../../parts/Said';
import { TimeAgo } from '../../parts/TimeAgo';
import { TableBox } from '../../parts/TableBox';
import { nameProblem } from '../deploy/name';
import { to } from '../route';
import { RemoveButton } from './RemoveButton';
import { useList } from './useList';

export function Tenants() {
  const { list, add, remove } = useList<Tenant, { name: string }>('tenants');
  const [name, setName] = useState('');
  const submit = (e: FormEvent) => {
    e.preventDefault();
    add.mutate({ name }, { onSuccess: () => setName('') });
  };
  return (
    <>
      <form onSubmit={submit} className="panel panel-pad">
        <div className="access-form">
          <TextInput label="Tenant" placeholder="acme" required value={name} error={name ? nameProblem(name) : null} onChange={(e) => setName(e.currentTarget.value)} autoComplete="off" autoCapitalize="none" spellCheck={false} />
          <Button type="submit" loading={add.isPending} disabled={nameProblem(name) != null}>Add tenant</Button>
        </div>
        {add.error && <div className="gap-top"><Problem error={add.error} /></div>}
      </form>
      <div className="gap-top"><Problem error={list.error} /></div>
      <TableBox label="Tenants" className="panel gap-top">
        <Table>
          <Table.Thead><Table.Tr><Table.Th>Tenant</Table.Th><Table.Th className="num">Apps</Table.Th><Table.Th>Since</Table.Th><Table.Th><span className="visually-hidden">Actions</span></Table.Th></Table.Tr></Table.Thead>
          <Table.Tbody>
            {list.data?.map((t) => (
              <Table.Tr key={t.name}>
                <Table.Td><a className="app-name" href={to([], { tenant: t.name })}>{t.name}</a></Table.Td>
                <Table.Td className="num">{t.apps}</Table.Td>
                <Table.Td><TimeAgo at={t.created_at} /></Table.Td>
                <Table.Td className="num"><RemoveButton what={t.name} disabled={t.name === 'default'} onRemove={() => remove.mutate(t.name)} /></Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </TableBox>
    </>
  );
}
