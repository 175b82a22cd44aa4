import { Button, Switch, Table, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { get } from '../../api/client';
import type { DeedList } from '../../api/schema';
import { plural } from '../../format/format';
import { Problem } from '../../parts/Said';
import { StatusTag } from '../../parts/StatusTag';
import { TableBox } from '../../parts/TableBox';
import { TimeAgo } from '../../parts/TimeAgo';
import { Waiting } from '../../parts/Waiting';
import { ids } from '../../testids';
import { to } from '../route';
import { useSession } from '../session';

/** Who did what: every write, every look at settings and every sign-in, the newest first. */
export function AuditTab() {
  const session = useSession();
  const [who, setWho] = useState('');
  const [app, setApp] = useState('');
  const [refused, setRefused] = useState(false);
  const [all, setAll] = useState(false);
  const [filter] = useDebouncedValue({ who: who.trim(), app: app.trim(), refused: refused || undefined, all: all || undefined }, 250);
  const audit = useInfiniteQuery({
    queryKey: ['audit', filter],
    initialPageParam: 0,
    queryFn: ({ pageParam, signal }) => get<DeedList>('/audit', { ...filter, before: pageParam || undefined, limit: 100 }, signal),
    getNextPageParam: (last) => last.before || undefined,
    placeholderData: (before) => before,
  });
  const deeds = audit.data?.pages.flatMap((p) => p.deeds ?? []) ?? [];
  return (
    <>
      <div className="access-form gap-bottom">
        <TextInput label="Who" placeholder="name" value={who} onChange={(e) => setWho(e.currentTarget.value)} />
        <TextInput label="App" placeholder="name" value={app} onChange={(e) => setApp(e.currentTarget.value)} />
        <Switch label="Refused only" checked={refused} onChange={(e) => setRefused(e.currentTarget.checked)} pb={8} />
        {session.role === 'operator' && <Switch label="All tenants" checked={all} onChange={(e) => setAll(e.currentTarget.checked)} pb={8} />}
      </div>
      <Problem error={audit.error} />
      {audit.isPending ? <Waiting /> : (
        <TableBox label="Audit log" className="panel">
          <Table>
            <Table.Thead><Table.Tr><Table.Th>When</Table.Th><Table.Th>Who</Table.Th><Table.Th>What</Table.Th><Table.Th>On</Table.Th><Table.Th>From</Table.Th><Table.Th>Outcome</Table.Th></Table.Tr></Table.Thead>
            <Table.Tbody>
              {deeds.map((d) => (
                <Table.Tr key={d.id} data-testid={ids.deed}>
                  <Table.Td className="nowrap"><TimeAgo at={d.at} /></Table.Td>
                  <Table.Td fw={600}>{d.who || <span className="dim">nobody known</span>}{all && <span className="dim"> of {d.tenant}</span>}<div className="label">{d.via}</div></Table.Td>
                  <Table.Td>{d.summary || d.action}{d.detail && <div className="reason">{d.detail}</div>}</Table.Td>
                  <Table.Td>{d.app ? <a className="app-name" href={to(['apps', d.app])}>{d.app}</a> : d.target}</Table.Td>
                  <Table.Td className="mono dim">{d.address}</Table.Td>
                  <Table.Td><StatusTag state={d.status < 400 ? 'ok' : 'failed'} word={d.status < 400 ? 'Done' : `Refused (${d.status})`} /></Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
          {deeds.length === 0 && <div className="empty"><b>Nothing fits</b>Take a filter away.</div>}
          <div className="log-foot"><span>{plural(deeds.length, 'deed')}, newest first</span>{audit.hasNextPage && <Button size="compact-sm" variant="default" loading={audit.isFetchingNextPage} onClick={() => void audit.fetchNextPage()}>Older ones</Button>}</div>
        </TableBox>
      )}
    </>
  );
}
