import { Button, NumberInput, Select, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { get, put, seg } from '../../api/client';
import type { App, Decision, Policy, PolicyInfo } from '../../api/types';
import { Problem } from '../../parts/Said';
import { TimeAgo } from '../../parts/TimeAgo';
import { ids } from '../../testids';
import { Waiting } from '../../parts/Waiting';
import { numberLabel, numberOf, policySentence, withNumber } from '../policy';
import { mayWrite, useSession } from '../session';
import { say } from '../useAppActions';
import { useDecisions } from './Overview';
import { WhatIf } from './WhatIf';
import { ScalingCourse } from './ScalingCourse';

export default function Scaling({ app }: { app: App }) {
  const { data, error } = useQuery({
    queryKey: ['app', app.name, 'scaling'],
    queryFn: ({ signal }) => get<Policy>(`/apps/${seg(app.name)}/scaling`, {}, signal),
  });
  const policies = useQuery({
    queryKey: ['policies'],
    queryFn: ({ signal }) => get<{ policies: PolicyInfo[] }>('/policies', {}, signal),
    staleTime: Infinity,
  });
  const wrong = error ?? policies.error;
  if (!data || !policies.data) return wrong ? <Problem error={wrong} /> : <Waiting />;
  return (
    <>
      <PolicyForm key={JSON.stringify(data)} app={app.name} policy={data} policies={policies.data.policies} />
      <Decisions app={app.name} />
    </>
  );
}

const BOUNDS: [id: 'min' | 'max', label: string, says: string, least: number][] = [['min', 'At least', 'replicas that always run', 0], ['max', 'At most', 'replicas under any load', 1]];

function PolicyForm({ app, policy, policies }: { app: string; policy: Policy; policies: PolicyInfo[] }) {
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
  const info = policies.find((x) => x.name === p.name);
  const readOnly = !mayWrite(session);
  const submit = (e: FormEvent) => {
    e.preventDefault();
    save.mutate();
  };
  return (
    <>
      <form onSubmit={submit} className="panel panel-pad">
        <Select label="Policy" allowDeselect={false} maw={280} value={p.name} data={policies.map((x) => x.name)} disabled={readOnly} onChange={(name) => name && setP({ ...p, name })} data-testid={ids.policyName} />
        {p.name !== 'off' && (
          <div className="form-grid section">
            {BOUNDS.map(([id, label, says, least]) => (
              <NumberInput key={id} label={label} description={says} suffix=" replicas" min={least} max={64} value={p[id]} disabled={readOnly} onChange={(v) => v !== '' && setP({ ...p, [id]: Number(v) })} />
            ))}
            {info?.numbers?.map((n) => (
              <NumberInput key={n.policy + n.name} label={numberLabel(n)} description={n.what} suffix={n.unit && ` ${n.unit}`} min={n.low} max={n.high} value={numberOf(p, n)} disabled={readOnly} onChange={(v) => v !== '' && setP(withNumber(p, n, Number(v)))} />
            ))}
            <TextInput label="Schedule (UTC)" description="replicas at least, at set times" placeholder="Mon-Fri 08:00-18:00 3" value={p.schedule} disabled={readOnly} onChange={(e) => setP({ ...p, schedule: e.currentTarget.value })} />
          </div>
        )}
        <p className="says" data-testid={ids.policySays}>{policySentence(p, info)}</p>
        <Problem error={save.error} />
        {!readOnly && <Button type="submit" mt="sm" loading={save.isPending} disabled={JSON.stringify(p) === JSON.stringify(policy)} data-testid={ids.policySave}>Save policy</Button>}
      </form>
      {p.name !== 'off' && <WhatIf app={app} policy={p} />}
    </>
  );
}

function Decisions({ app }: { app: string }) {
  const { data, error } = useDecisions(app);
  return (
    <>
      <ScalingCourse app={app} decisions={data ?? NONE} />
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
    </>
  );
}

const NONE: Decision[] = [];
