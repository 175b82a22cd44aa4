import { Button, NumberInput, Switch } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { get, put, seg } from '../../api/client';
import type { AutoRollback as Policy } from '../../api/schema';
import { Problem } from '../../parts/Said';
import { ids } from '../../testids';
import { say } from '../useAppActions';

/** Whether an app goes back by itself when a release is clearly worse. */
export function AutoRollback({ app }: { app: string }) {
  const { data } = useQuery({ queryKey: ['app', app, 'auto-rollback'], queryFn: ({ signal }) => get<Policy>(`/apps/${seg(app)}/auto-rollback`, {}, signal), refetchOnWindowFocus: false });
  return data ? <Form key={JSON.stringify(data)} app={app} policy={data} /> : null;
}

function Form({ app, policy }: { app: string; policy: Policy }) {
  const queries = useQueryClient();
  const [p, setP] = useState(policy);
  const save = useMutation({
    mutationFn: (next: Policy) => put<Policy>(`/apps/${seg(app)}/auto-rollback`, next),
    onSuccess: (saved) => {
      queries.setQueryData(['app', app, 'auto-rollback'], saved);
      say(saved.auto ? `${app} goes back by itself when a release is clearly worse.` : `${app} stays with whatever is deployed.`);
    },
  });
  const number = (field: 'errors' | 'p95' | 'memory') => (v: number | string) => v !== '' && setP({ ...p, [field]: Number(v) });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    save.mutate(p);
  };
  return (
    <form className="panel panel-pad gap-top" onSubmit={submit} data-testid={ids.autoRollback}>
      <h2 className="panel-title">Go back by itself</h2>
      <p className="hint">A fresh release and a canary are compared with the release before every few seconds. Where one is clearly worse, which takes enough requests to rule out chance, Kurama rolls back once, or ends the canary, and says why here, in the audit log and to those who are told of releases. <code className="said-code">kurama.yaml</code> may set it too (rollback), at each deploy.</p>
      <Switch label="Roll back a release that is clearly worse" checked={p.auto} disabled={save.isPending} data-testid={ids.autoRollbackSwitch}
        onChange={(e) => { const next = { ...p, auto: e.currentTarget.checked }; setP(next); save.mutate(next); }} />
      {p.auto && (
        <>
          <div className="access-form gap-top">
            <NumberInput label="Within" description="after it went live" suffix=" min" min={1} max={60} value={p.within / 60} onChange={(v) => v !== '' && setP({ ...p, within: Number(v) * 60 })} />
            <NumberInput label="Errors of a route" description="more than before, of its requests" suffix=" %" min={0.1} max={100} value={p.errors} onChange={number('errors')} />
            <NumberInput label="p95 of a route" description="times what it was" suffix=" ×" min={1.1} max={100} value={p.p95} onChange={number('p95')} />
            <NumberInput label="Memory of a replica" description="more than before, of its limit" suffix=" %" min={1} max={100} value={p.memory} onChange={number('memory')} />
          </div>
          {JSON.stringify(p) !== JSON.stringify(policy) && <Button type="submit" mt="md" loading={save.isPending}>Save</Button>}
        </>
      )}
      <div className="gap-top"><Problem error={save.error} /></div>
    </form>
  );
}
