import { Button, NumberInput, PasswordInput, Switch, TagsInput, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { get, post, put, seg } from '../../api/client';
import type { RoutingView } from '../../api/schema';
import { Problem } from '../../parts/Said';
import { Sentence } from '../../parts/Sentence';
import { StatusTag } from '../../parts/StatusTag';
import { Waiting } from '../../parts/Waiting';
import { bytes } from '../../format/format';
import { ids } from '../../testids';
import { say } from '../useAppActions';
import { wanted } from './wanted';

/** How an app is reached: its domains, a page for maintenance, a password before it, a bound for each client. */
export default function RoutingTab({ app }: { app: string }) {
  const { data, error } = useQuery({ queryKey: ['app', app, 'routing'], queryFn: ({ signal }) => get<RoutingView>(`/apps/${seg(app)}/routing`, {}, signal), refetchOnWindowFocus: false });
  if (!data) return error ? <Problem error={error} /> : <Waiting />;
  return <Form key={JSON.stringify(data)} app={app} routing={data} />;
}

const MiB = 1024 * 1024;

/** What is known of the domains: those that lead here, and what the others wait for. */
function Found({ app, routing }: { app: string; routing: RoutingView }) {
  const queries = useQueryClient();
  const look = useMutation({
    mutationFn: () => post<RoutingView>(`/apps/${seg(app)}/routing/check`),
    onSuccess: (now) => {
      queries.setQueryData(['app', app, 'routing'], now);
      say(now.found?.every((d) => d.active) ? 'All domains lead to the app.' : 'Looked: some are not shown to be yours yet.');
    },
  });
  const found = routing.found ?? [];
  if (found.length === 0) return null;
  return (
    <div className="gap-top" data-testid={ids.domainsFound}>
      {found.map((d) => (
        <div key={d.domain} className="hint gap-bottom">
          <b>{d.domain}</b> <StatusTag state={d.active ? 'ok' : 'pending'} word={d.active ? 'Leads here' : 'Does not lead here yet'} />
          {d.says && <div><Sentence>{d.says}</Sentence></div>}
        </div>
      ))}
      {found.some((d) => !d.active) && <Button variant="default" size="xs" loading={look.isPending} onClick={() => look.mutate()}>Look again</Button>}
      <Problem error={look.error} />
    </div>
  );
}

function Form({ app, routing }: { app: string; routing: RoutingView }) {
  const queries = useQueryClient();
  const [r, setR] = useState(routing);
  const [password, setPassword] = useState('');
  const same = JSON.stringify(r) === JSON.stringify(routing) && password === '';
  const save = useMutation({
    mutationFn: () => put<RoutingView>(`/apps/${seg(app)}/routing`, wanted(r, password)),
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
        <p className="hint">Hosts on which the app answers beside its own names, or paths below a host, such as example.org/shop. Point their DNS to this machine; each belongs to one app. A new one waits until DNS shows that it is yours: once it is saved, the record to set stands here.</p>
        <TagsInput aria-label="Domains" placeholder="shop.example.org or example.org/shop, then Enter" value={r.domains ?? []} onChange={(domains) => setR({ ...r, domains })} splitChars={[',', ' ']} acceptValueOnBlur data-testid={ids.domains} />
        <Found app={app} routing={routing} />
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
      <div className="panel panel-pad gap-top">
        <h2 className="panel-title">Bounds of a request</h2>
        <p className="hint">0 is the platform's own bound, and for silence none. At most {routing.most.timeout ?? 0} s and {bytes(routing.most.max_body ?? 0)} can be asked for. <code className="said-code">kurama.yaml</code> may set them too (timeout, idle, max_body), at each deploy.</p>
        <div className="access-form">
          <NumberInput label="Until an answer begins" suffix=" s" min={0} value={r.timeout} onChange={(v) => v !== '' && setR({ ...r, timeout: Number(v) })} />
          <NumberInput label="Silence within it" description="ends an answer or a websocket" suffix=" s" min={0} value={r.idle} onChange={(v) => v !== '' && setR({ ...r, idle: Number(v) })} />
          <NumberInput label="Largest body" suffix=" MiB" min={0} value={r.max_body / MiB} onChange={(v) => v !== '' && setR({ ...r, max_body: Math.round(Number(v) * MiB) })} />
        </div>
      </div>
      <div className="gap-top"><Problem error={save.error} /></div>
      <Button type="submit" mt="md" loading={save.isPending} disabled={same} data-testid={ids.routingSave}>Save</Button>
    </form>
  );
}
