import { Button, Group, NumberInput, PasswordInput, Progress } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { del, get, post, put, seg } from '../../api/client';
import type { DatabaseAnswer, DatabaseUrl, DatabaseView } from '../../api/schema';
import { bytes, percent } from '../../format/format';
import { Problem } from '../../parts/Said';
import { TimeAgo } from '../../parts/TimeAgo';
import { Waiting } from '../../parts/Waiting';
import { ids } from '../../testids';
import { RemoveButton } from '../access/RemoveButton';
import { say } from '../useAppActions';

const MiB = 1 << 20;

/** The Postgres database of an app, or the way to one. */
export function DatabaseCard({ app }: { app: string }) {
  const queries = useQueryClient();
  const path = `/apps/${seg(app)}/database`;
  const key = ['app', app, 'database'];
  const { data, error } = useQuery({ queryKey: key, queryFn: ({ signal }) => get<DatabaseAnswer>(path, {}, signal), refetchInterval: 10_000 });
  const onSettled = () => void queries.invalidateQueries({ queryKey: key });
  const create = useMutation({ mutationFn: () => post(path, {}), onSuccess: () => say('The database is there; the replicas restart one by one with its address in DATABASE_URL.'), onSettled });
  if (!data) return error ? <Problem error={error} /> : <Waiting />;
  return (
    <section className="section" data-testid={ids.database}>
      <h2>Database</h2>
      <p className="hint gap-bottom">A Postgres of the app&apos;s own, apart from every other app&apos;s. The app finds its address in <span className="mono">DATABASE_URL</span>; psycopg and psycopg2 take it as it is, SQLAlchemy before 2.1 with psycopg2.</p>
      {data.database ? <Present key={data.database.name} path={path} database={data.database} onSettled={onSettled} /> : (
        <div className="panel panel-pad">
          <Button loading={create.isPending} onClick={() => create.mutate()} data-testid={ids.databaseCreate}>Create database</Button>
          <Problem error={create.error} />
        </div>
      )}
    </section>
  );
}

function Present({ path, database, onSettled }: { path: string; database: DatabaseView; onSettled: () => void }) {
  const [size, setSize] = useState<number | string>(database.size / MiB);
  const onError = (err: Error) => say(err.message, true);
  const resize = useMutation({ mutationFn: () => put(path, { size: Number(size) * MiB }), onSettled });
  const rotate = useMutation({ mutationFn: () => post(`${path}/rotate`, {}), onSuccess: () => say('The replicas restart one by one with the new password; the former one works for ten minutes.'), onSettled, onError });
  const remove = useMutation({ mutationFn: () => del(path, {}), onSettled, onError });
  const share = database.used == null ? null : (100 * database.used) / database.size;
  const submit = (e: FormEvent) => {
    e.preventDefault();
    resize.mutate();
  };
  return (
    <>
      {database.says && <Problem error={new Error(database.says)} />}
      <dl className="panel facts">
        <div><dt>Name</dt><dd className="mono">{database.name}</dd></div>
        <div><dt>In use</dt><dd>{share == null ? <span className="dim">not measured yet</span> : <div className="volume-use"><Progress value={share} color={share > 90 ? 'red' : 'green'} aria-label={`Database: ${percent(share)} used`} />{bytes(database.used)} ({percent(share)})</div>}</dd></div>
        <div><dt>Size</dt><dd>{bytes(database.size)}</dd></div>
        <div><dt>Made</dt><dd><TimeAgo at={database.created_at} /></dd></div>
      </dl>
      <form onSubmit={submit} className="panel panel-pad gap-top">
        <div className="access-form">
          <NumberInput label="Size" suffix=" MiB" min={16} value={size} onChange={setSize} />
          <Button type="submit" variant="default" loading={resize.isPending} disabled={size === '' || Number(size) * MiB === database.size}>Set size</Button>
        </div>
        <Problem error={resize.error} />
        <Group gap="xs" mt="md">
          <Address path={path} />
          <Button variant="default" loading={rotate.isPending} onClick={() => rotate.mutate()}>Change the password</Button>
          <RemoveButton what="the database and all it holds" onRemove={() => remove.mutate()} />
        </Group>
      </form>
    </>
  );
}

/** The address with its password, once somebody asks for it: the audit log tells of that. */
function Address({ path }: { path: string }) {
  const show = useMutation({ mutationFn: () => get<DatabaseUrl>(`${path}/url`) });
  if (!show.data) return <><Button variant="default" loading={show.isPending} onClick={() => show.mutate()}>Show the address</Button><Problem error={show.error} /></>;
  return <PasswordInput aria-label="Address of the database" value={show.data.url} readOnly className="mono-input" w="100%" />;
}
