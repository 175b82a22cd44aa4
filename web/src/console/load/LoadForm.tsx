import { Button, NumberInput, SegmentedControl, Select, Textarea } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { post, seg } from '../../api/client';
import type { LoadTest } from '../../api/schema';
import { Problem } from '../../parts/Said';
import { ids } from '../../testids';
import { bodyOf, peaks, SHAPES, START, type Plan } from './plan';

/** What is to be sent: a few numbers, or a scenario in YAML. */
export function LoadForm({ app, busy, onBegun }: { app: string; busy: boolean; onBegun: (id: number) => void }) {
  const queries = useQueryClient();
  const [p, setP] = useState<Plan>(START);
  const begin = useMutation({
    mutationFn: () => post<LoadTest>(`/apps/${seg(app)}/loadtests`, bodyOf(p)),
    onSuccess: (t) => onBegun(t.id),
    onSettled: () => queries.invalidateQueries({ queryKey: ['app', app, 'loadtests'] }),
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    begin.mutate();
  };
  const number = (key: 'rate' | 'peak' | 'minutes') => (v: number | string) => v !== '' && setP({ ...p, [key]: Number(v) });
  return (
    <form onSubmit={submit} className="panel panel-pad">
      <SegmentedControl size="xs" mb="sm" value={p.by} onChange={(by) => setP({ ...p, by: by as Plan['by'] })} data={[{ value: 'form', label: 'A few numbers' }, { value: 'scenario', label: 'Scenario' }]} aria-label="How it is told" data-testid={ids.loadBy} />
      {p.by === 'form' ? (
        <div className="form-grid form-grid-tall">
          <NumberInput label="Rate" description="requests/s, where it begins" suffix=" /s" min={0.1} value={p.rate} onChange={number('rate')} data-testid={ids.loadRate} />
          <Select label="Shape" description="the rate over time" allowDeselect={false} value={p.shape} data={SHAPES} onChange={(shape) => shape && setP({ ...p, shape })} />
          {peaks(p.shape) && <NumberInput label="Peak" description="requests/s at its top" suffix=" /s" min={0.1} value={p.peak} onChange={number('peak')} />}
          <NumberInput label="For" description="how long to send" suffix=" min" min={0.05} step={1} value={p.minutes} onChange={number('minutes')} data-testid={ids.loadMinutes} />
          <Textarea label="Paths" description="one a line; they take turns" autosize minRows={2} value={p.paths} onChange={(e) => setP({ ...p, paths: e.currentTarget.value })} />
          <Textarea label="Conditions" description="one a line, such as p95 < 200ms" autosize minRows={2} value={p.ensure} onChange={(e) => setP({ ...p, ensure: e.currentTarget.value })} />
        </div>
      ) : (
        <>
          <textarea
            className="code-field mono" rows={18} value={p.scenario} onChange={(e) => setP({ ...p, scenario: e.currentTarget.value })} aria-label="Scenario in YAML" aria-describedby="scenario-hint"
            spellCheck={false} autoCapitalize="none" autoComplete="off" wrap="off" data-testid={ids.loadScenario}
          />
          <p className="hint" id="scenario-hint">Phases, visits of several steps, captured values and conditions, as <span className="mono">kurama reqsim --scenario</span> takes them. It goes to {app} alone and reads no files.</p>
        </>
      )}
      <div className="gap-top"><Problem error={begin.error} /></div>
      <Button type="submit" mt="sm" loading={begin.isPending} disabled={busy} data-testid={ids.loadBegin}>{busy ? 'A load test is under way' : 'Begin'}</Button>
    </form>
  );
}
