import { Button, NumberInput, Progress, Table, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { del, get, post, seg } from '../../api/client';
import type { VolumeList } from '../../api/schema';
import { bytes, percent } from '../../format/format';
import { Problem } from '../../parts/Said';
import { TableBox } from '../../parts/TableBox';
import { TimeAgo } from '../../parts/TimeAgo';
import { Waiting } from '../../parts/Waiting';
import { ids } from '../../testids';
import { RemoveButton } from '../access/RemoveButton';
import { say } from '../useAppActions';
import { DatabaseCard } from './DatabaseCard';

const MiB = 1 << 20;

/** What outlives an app's releases: its database and folders. */
export default function Storage({ app }: { app: string }) {
  const queries = useQueryClient();
  const [path, setPath] = useState('');
  const [size, setSize] = useState<number | string>(256);
  const key = ['app', app, 'volumes'];
  const { data, error } = useQuery({ queryKey: key, queryFn: ({ signal }) => get<VolumeList>(`/apps/${seg(app)}/volumes`, {}, signal), refetchInterval: 10_000 });
  const onSettled = () => void queries.invalidateQueries({ queryKey: key });
  const add = useMutation({ mutationFn: () => post(`/apps/${seg(app)}/volumes`, { path: path.trim(), size: Number(size) * MiB }), onSuccess: () => { setPath(''); say('The volume is there; the replicas restart one by one.'); }, onSettled });
  const remove = useMutation({ mutationFn: (p: string) => del(`/apps/${seg(app)}/volumes`, { path: p }), onSettled, onError: (err: Error) => say(err.message, true) });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    add.mutate();
  };
  return (
    <>
      <p className="hint gap-bottom">What an app writes goes with its replica, except in a volume: a folder below its source, shared by its replicas, that outlives releases. A change restarts the replicas one by one.</p>
      <form onSubmit={submit} className="panel panel-pad">
        <div className="access-form">
          <TextInput label="Folder" placeholder="instance" required value={path} onChange={(e) => setPath(e.currentTarget.value)} className="mono-input" spellCheck={false} autoComplete="off" data-testid={ids.volumePath} />
          <NumberInput label="Size" suffix=" MiB" min={1} value={size} onChange={setSize} />
          <Button type="submit" loading={add.isPending} disabled={size === ''} data-testid={ids.volumeAdd}>Add volume</Button>
        </div>
        {add.error && <div className="gap-top"><Problem error={add.error} /></div>}
      </form>
      {!data ? (error ? <div className="gap-top"><Problem error={error} /></div> : <Waiting />) : (
        <TableBox label="Volumes" className="panel gap-top">
          <Table>
            <Table.Thead><Table.Tr><Table.Th>Folder</Table.Th><Table.Th>In use</Table.Th><Table.Th className="num">Size</Table.Th><Table.Th>Made</Table.Th><Table.Th><span className="visually-hidden">Actions</span></Table.Th></Table.Tr></Table.Thead>
            <Table.Tbody>
              {(data.volumes ?? []).map((v) => {
                const share = v.used == null ? null : (100 * v.used) / v.size;
                return (
                  <Table.Tr key={v.path}>
                    <Table.Td className="mono">{v.path}</Table.Td>
                    <Table.Td>{share == null ? <span className="dim">not mounted</span> : <div className="volume-use"><Progress value={share} color={share > 90 ? 'red' : 'green'} aria-label={`${v.path}: ${percent(share)} used`} />{bytes(v.used)} ({percent(share)})</div>}</Table.Td>
                    <Table.Td className="num">{bytes(v.size)}</Table.Td>
                    <Table.Td>{v.created_at ? <TimeAgo at={v.created_at} /> : '–'}</Table.Td>
                    <Table.Td className="num"><RemoveButton what={`${v.path} and all it holds`} onRemove={() => remove.mutate(v.path)} /></Table.Td>
                  </Table.Tr>
                );
              })}
            </Table.Tbody>
          </Table>
          {(data.volumes ?? []).length === 0 && <div className="empty"><b>No volume</b>A SQLite file, uploads or a cache that must survive a release belong into one.</div>}
        </TableBox>
      )}
      <DatabaseCard app={app} />
    </>
  );
}
