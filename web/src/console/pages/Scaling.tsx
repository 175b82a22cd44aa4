import { Button, NumberInput, Switch } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { get, put, seg } from '../../api/client';
import type { App, Policy } from '../../api/types';
import { Problem } from '../../parts/Said';
import { TimeAgo } from '../../parts/TimeAgo';
import { ids } from '../../testids';
import { Waiting } from '../Console';
import { policySentence } from '../policy';
import { mayWrite, useSession } from '../session';
import { say } from '../useAppActions';
import { useDecisions } from './Overview';

export default function Scaling({ app }: { app: App }) {
  const { data, error } = useQuery({
    queryKey: ['app', app.name, 'scaling'],
    queryFn: ({ signal }) => get<Policy>(`/apps/${seg(app.name)}/scaling`, {}, signal),
  });
  if (!data) return error ? <Problem error={error} /> : <Waiting />;
  return (
    <>
      <PolicyForm key={JSON.stringify(data)} app={app.name} policy={data} />
      <Decisions app={app.name} />
    </>
  );
}

type Field = Exclude<keyof Policy, 'name'>;
const FIELDS: [id: Field, label: string, suffix: string, min: number, max: number][] = [
  ['min', 'At least', ' replicas', 0, 50],
  ['max', 'At most', ' replicas', 1, 50],
  ['load_up', 'Scale up above load of', ' %', 1, 100],
  ['load_down', 'Scale down below load of', ' %', 0, 99],
  ['load_window', 'Load over the last', ' s', 10, 3600],
  ['time_up', 'Scale up above response time of', ' ms', 1, 60000],
  ['time_window', 'Response time over the last', ' s', 10, 3600],
  ['cooldown', 'Between two decisions', ' s', 1, 3600],
];

function PolicyForm({ app, policy }: { app: string; policy: Policy }) {
  const session = useSession();
  const queries = useQueryClient();
  const [p, setP] = useState(policy);
  const save = useMutation({
    mutationFn: () => put<Policy>(`/apps/${seg(app)}/scaling`, p),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ['app', app] });
      say('The policy is in force.');
    },
  });
  const on = p.name !== 'off';
  const submit = (e: FormEvent) => {
    e.preventDefault();
    save.mutate();
  };
  return (
    <form onSubmit={submit} className="panel panel-pad">
      <Switch label="Let the autoscaler choose the number of replicas" checked={on} onChange={(e) => setP({ ...p, name: e.currentTarget.checked ? 'kurama' : 'off' })} disabled={!mayWrite(session)} />
      {on && (
        <div className="form-grid section">
          {FIELDS.map(([id, label, suffix, min, max]) => (
            <NumberInput key={id} label={label} suffix={suffix} min={min} max={max} value={p[id]} disabled={!mayWrite(session)} onChange={(v) => v !== '' && setP({ ...p, [id]: Number(v) })} />
          ))}
        </div>
      )}
      <p className="says" data-testid={ids.policySays}>{policySentence(p)}</p>
      <Problem error={save.error} />
      {mayWrite(session) && <Button type="submit" mt="sm" loading={save.isPending} disabled={JSON.stringify(p) === JSON.stringify(policy)} data-testid={ids.policySave}>Save policy</Button>}
    </form>
  );
}

function Decisions({ app }: { app: string }) {
  const { data, error } = useDecisions(app);
  return (
    <section className="section">
      <h2>Decisions</h2>
      <Problem error={error} />
      {data && (data.length === 0 ? <p className="hint">None yet. Each change of the number of replicas appears here with its reason.</p> : (
        <ol className="panel timeline gap-top">
          {data.slice(0, 200).map((d, i) => (
            <li key={`${d.at} ${i}`} data-testid={ids.decision}>
              <span className="dim"><TimeAgo at={d.at} /></span>
              <span className="arrow">{d.from} → {d.to}</span>
              <span>{d.reason.replace(/^\d+ → \d+ replicas?: /, '')}</span>
            </li>
          ))}
        </ol>
      ))}
    </section>
  );
}
