import { Button, NumberInput, Progress } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { del, get, put } from '../../api/client';
import type { Quota, QuotaView } from '../../api/types';
import { amount, bytes } from '../../format/format';
import { Problem } from '../../parts/Said';
import { Waiting } from '../../parts/Waiting';
import { ids } from '../../testids';
import { DiskPanel } from '../DiskPanel';
import { EgressPanel } from './EgressPanel';
import { useSession } from '../session';
import { say } from '../useAppActions';

const GiB = 1 << 30;
const MiB = 1 << 20;
type Part = 'apps' | 'replicas' | 'cpu' | 'memory' | 'disk' | 'build_minutes' | 'log_bytes';
const PARTS: [key: Part, label: string, says: (v: number) => string, unit: string, by: number][] = [
  ['apps', 'Apps', amount, '', 1],
  ['replicas', 'Replicas', amount, '', 1],
  ['cpu', 'CPU', (v) => `${amount(v)} cores`, ' cores', 1],
  ['memory', 'Memory', bytes, ' GiB', GiB],
  ['disk', 'Disk of replicas and volumes', bytes, ' GiB', GiB],
  ['build_minutes', 'Builds in 24 hours', (v) => `${amount(v)} min`, ' min', 1],
  ['log_bytes', 'Log of a day (UTC)', bytes, ' MiB', MiB],
];

/** What the tenant's apps ask for, and what they may; an operator changes it. */
export function QuotaTab() {
  const session = useSession();
  const { data, error } = useQuery({ queryKey: ['quota'], queryFn: ({ signal }) => get<QuotaView>('/quota', {}, signal), refetchInterval: 10_000 });
  if (!data) return error ? <Problem error={error} /> : <Waiting />;
  return (
    <>
      <div className="panel quota">
        {PARTS.map(([key, label, says]) => <Use key={key} label={label} used={data.use[key] ?? 0} bound={data.quota[key] ?? 0} says={says} />)}
      </div>
      <p className="hint gap-top">What the desired replicas of all apps ask for, what builds took and what was logged, against what the tenant may have. What is logged beyond the bound of a day is dropped, and told. {data.own ? 'The bounds were set for this tenant alone.' : 'The bounds are those of every tenant without bounds of its own.'}</p>
      {data.log_dropped > 0 && <p className="hint tone-bad">{amount(data.log_dropped)} log records of today were dropped: the apps of this tenant have logged as much as they may until midnight (UTC).</p>}
      <EgressPanel />
      <DiskPanel />
      {session.role === 'operator' && <Bounds key={JSON.stringify(data.quota)} view={data} />}
    </>
  );
}

function Use({ label, used, bound, says }: { label: string; used: number; bound: number; says: (v: number) => string }) {
  const share = bound > 0 ? (100 * used) / bound : 0;
  return (
    <div>
      <div className="label">{label}</div>
      <div className="quota-value">{says(used)} <span className="dim">{bound > 0 ? `of ${says(bound)}` : 'without a bound'}</span></div>
      <Progress value={Math.min(100, share)} color={share >= 100 ? 'red' : share >= 85 ? 'yellow' : 'green'} aria-label={`${label}: ${Math.round(share)} % used`} />
    </div>
  );
}

function Bounds({ view }: { view: QuotaView }) {
  const queries = useQueryClient();
  const [quota, setQuota] = useState<Quota>(view.quota);
  const after = { onSuccess: () => { void queries.invalidateQueries({ queryKey: ['quota'] }); say('The quota is in force.'); } };
  const save = useMutation({ mutationFn: () => put<QuotaView>('/quota', quota), ...after });
  const reset = useMutation({ mutationFn: () => del('/quota'), ...after });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    save.mutate();
  };
  return (
    <form onSubmit={submit} className="panel panel-pad section">
      <h2 className="panel-title gap-bottom">Bounds of this tenant</h2>
      <div className="form-grid">
        {PARTS.map(([key, label, , unit, by]) => (
          <NumberInput key={key} label={label} description="0: no bound" min={0} decimalScale={2} suffix={unit} value={(quota[key] ?? 0) / by} onChange={(v) => v !== '' && setQuota({ ...quota, [key]: Math.round(Number(v) * by * 100) / 100 })} />
        ))}
        <NumberInput label="Weight of CPU" description="Beside other tenants while all cores are busy; 100 is usual" min={1} max={10_000} value={quota.cpu_weight || 100} onChange={(v) => v !== '' && setQuota({ ...quota, cpu_weight: Number(v) })} />
      </div>
      <div className="gap-top"><Problem error={save.error ?? reset.error} /></div>
      <div className="button-row gap-top">
        <Button type="submit" loading={save.isPending} disabled={JSON.stringify(quota) === JSON.stringify(view.quota)} data-testid={ids.quotaSave}>Save bounds</Button>
        {view.own && <Button variant="default" loading={reset.isPending} onClick={() => reset.mutate()}>Back to the default</Button>}
      </div>
    </form>
  );
}
