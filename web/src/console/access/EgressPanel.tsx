import { Button, Select, Textarea } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { del, get, put } from '../../api/client';
import type { Egress, EgressView } from '../../api/schema';
import { Problem } from '../../parts/Said';
import { ids } from '../../testids';
import { useSession } from '../session';
import { say } from '../useAppActions';

const MODES: Record<string, string> = {
  open: 'The internet; no private address but those listed.',
  listed: 'Nothing but what is listed.',
  none: 'Nothing.',
};

/** What the tenant's apps may reach; an operator changes it. */
export function EgressPanel() {
  const session = useSession();
  const { data, error } = useQuery({ queryKey: ['egress'], queryFn: ({ signal }) => get<EgressView>('/egress', {}, signal), refetchInterval: 30_000 });
  if (!data) return <Problem error={error} />;
  return (
    <section className="section" data-testid={ids.egress}>
      <h2>What apps may reach</h2>
      <p className="hint">{MODES[data.mode]} {data.own ? 'It was set for this tenant alone.' : 'It is so for every tenant without a rule of its own.'} Answers to requests always pass.</p>
      {data.allow.length > 0 && (
        <dl className="panel facts">{data.allow.map((to) => {
          const name = data.names.find((n) => n.name === to.split(':')[0]);
          return <div key={to}><dt className="mono">{to}</dt><dd>{name ? name.addresses.join(', ') || 'no address' : ''} {name?.says && <span className="tone-bad">{name.says}</span>}</dd></div>;
        })}</dl>
      )}
      {session.role === 'operator' && <Change key={JSON.stringify([data.mode, data.allow, data.own])} view={data} />}
    </section>
  );
}

function Change({ view }: { view: EgressView }) {
  const queries = useQueryClient();
  const [mode, setMode] = useState(view.mode);
  const [list, setList] = useState(view.allow.join('\n'));
  const after = { onSuccess: () => { void queries.invalidateQueries({ queryKey: ['egress'] }); say('What apps may reach is in force. Connections that are open stay open.'); } };
  const save = useMutation({ mutationFn: () => put<EgressView>('/egress', { mode, allow: mode === 'none' ? [] : list.split(/\s+/).filter(Boolean) } as Egress), ...after });
  const reset = useMutation({ mutationFn: () => del('/egress'), ...after });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    save.mutate();
  };
  return (
    <form onSubmit={submit} className="panel panel-pad gap-top">
      <div className="form-grid form-grid-tall">
        <Select label="Apps of this tenant may reach" data={[{ value: 'open', label: 'the internet' }, { value: 'listed', label: 'what is listed' }, { value: 'none', label: 'nothing' }]} value={mode} onChange={(v) => v && setMode(v as EgressView['mode'])} allowDeselect={false} />
        {mode !== 'none' && <Textarea label="Listed" description="One a line: a name, an IPv4 address or a range, and ports after a colon. Names are looked up every 30 s." placeholder={'pypi.org:443\n203.0.113.0/24:5432'} autosize minRows={2} value={list} onChange={(e) => setList(e.currentTarget.value)} />}
      </div>
      <div className="gap-top"><Problem error={save.error ?? reset.error} /></div>
      <div className="button-row gap-top">
        <Button type="submit" loading={save.isPending} data-testid={ids.egressSave}>Save</Button>
        {view.own && <Button variant="default" loading={reset.isPending} onClick={() => reset.mutate()}>Back to the default</Button>}
      </div>
    </form>
  );
}
