import { Button, NumberInput, PasswordInput, Switch, TagsInput, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { get, put, seg } from '../../api/client';
import type { RoutingView } from '../../api/schema';
import { Problem } from '../../parts/Said';
import { Waiting } from '../../parts/Waiting';
import { ids } from '../../testids';
import { say } from '../useAppActions';

/** How an app is reached: its domains, a page for maintenance, a password before it, a bound for each client. */
export default function RoutingTab({ app }: { app: string }) {
  const { data, error } = useQuery({ queryKey: ['app', app, 'routing'], queryFn: ({ signal }) => get<RoutingView>(`/apps/${seg(app)}/routing`, {}, signal), refetchOnWindowFocus: false });
  if (!data) return error ? <Problem error={error} /> : <Waiting />;
  return <Form key={JSON.stringify(data)} app={app} routing={data} />;
}

function Form({ app, routing }: { app: string; routing: RoutingView }) {
  const queries = useQueryClient();
  const [r, setR] = useState(routing);
  const [password, setPassword] = useState('');
  const same = JSON.stringify(r) === JSON.stringify(routing) && password === '';
  const save = useMutation({
    mutationFn: () => put<RoutingView>(`/apps/${seg(app)}/routing`, { ...r, ...(password ? { password } : {}) }),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ['app', app] });
      setPassword('');
      say('In force.');
    },
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    save.mutate();
  };
  return (
    <form onSubmit={submit}>
      <div className="panel panel-pad">
        <h2 className="panel-title">Domains</h2>
        <p className="hint">Hosts on which the app answers beside its own names. Point their DNS to this machine; each belongs to one app.</p>
        <TagsInput aria-label="Domains" placeholder="shop.example.org, then Enter" value={r.domains ?? []} onChange={(domains) => setR({ ...r, domains })} splitChars={[',', ' ']} acceptValueOnBlur data-testid={ids.domains} />
        <Switch mt="sm" label="Requests without TLS are led to https://" checked={r.https} onChange={(e) => setR({ ...r, https: e.currentTarget.checked })} />
      </div>
      <div className="panel panel-pad gap-top">
        <h2 className="panel-title gap-bottom">Maintenance</h2>
        <Switch label="Visitors get a page that says the app is being worked on" checked={r.maintenance} onChange={(e) => setR({ ...r, maintenance: e.currentTarget.checked })} />
        <TextInput mt="sm" label="What the page says" placeholder="the usual sentence" value={r.message} onChange={(e) => setR({ ...r, message: e.currentTarget.value })} />
      </div>
      <div className="panel panel-pad gap-top">
        <h2 className="panel-title">Password</h2>
        <p className="hint">{routing.user ? 'The app is private: browsers ask for this name and its password.' : 'The app is open to all. A name and a password make it private.'}</p>
        <div className="access-form">
          <TextInput label="Name" placeholder="nobody has to sign in" value={r.user} onChange={(e) => setR({ ...r, user: e.currentTarget.value })} autoComplete="off" />
          <PasswordInput label="Password" placeholder={routing.user ? 'unchanged' : ''} value={password} onChange={(e) => setPassword(e.currentTarget.value)} autoComplete="new-password" disabled={!r.user} />
        </div>
      </div>
      <div className="panel panel-pad gap-top">
        <h2 className="panel-title">Rate of a client</h2>
        <p className="hint">Requests of one address above it are answered with 429. 0: no bound.</p>
        <div className="access-form">
          <NumberInput label="Requests per second" min={0} value={r.rate} onChange={(v) => v !== '' && setR({ ...r, rate: Number(v) })} />
          <NumberInput label="At once" description="0: as the rate" min={0} value={r.burst} onChange={(v) => v !== '' && setR({ ...r, burst: Number(v) })} />
        </div>
      </div>
      <div className="gap-top"><Problem error={save.error} /></div>
      <Button type="submit" mt="md" loading={save.isPending} disabled={same} data-testid={ids.routingSave}>Save</Button>
    </form>
  );
}
