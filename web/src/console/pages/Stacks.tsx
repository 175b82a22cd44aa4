import { Button, Select } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { get, post, seg } from '../../api/client';
import type { SamplingView, StackView } from '../../api/schema';
import { count, ms } from '../../format/format';
import { Problem } from '../../parts/Said';
import { ids } from '../../testids';
import { FlameGraph } from '../flame/FlameGraph';
import { setQuery, useRoute } from '../route';

const SECONDS = 30;

/** Where the code of the app's requests spends its time, as it was sampled. */
export function Stacks({ app, window }: { app: string; window: string }) {
  const { query } = useRoute();
  const of = query.get('stacks') ?? '';
  const [method = '', route = ''] = of.split(' ', 2);
  const [until, setUntil] = useState(0); // ms; when the sampling that was begun here ends
  const client = useQueryClient();
  const key = ['app', app, 'stacks', window, of];
  const { data, error } = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => get<StackView>(`/apps/${seg(app)}/profile/stacks`, { window, method: method || undefined, route: route || undefined }, signal),
    refetchInterval: until + 20_000 > Date.now() ? 3000 : 30_000,
    placeholderData: (before) => before,
  });
  const begin = useMutation({
    mutationFn: () => post<SamplingView>(`/apps/${seg(app)}/profile/sample`, { seconds: SECONDS }),
    onSuccess: (s) => { setUntil(Date.parse(s.until)); void client.invalidateQueries({ queryKey: key }); },
  });
  const running = until > Date.now();
  const routes = (data?.routes ?? []).filter((r) => r.route !== '').map((r) => ({ value: `${r.method} ${r.route}`, label: `${r.method} ${r.route}: ${ms(r.ms)}` }));
  return (
    <section className="section">
      <div className="section-head">
        <h2>Where the time goes</h2>
        <span className="page-head-end">
          {routes.length > 0 && <Select size="xs" aria-label="Route" placeholder="All routes" clearable data={routes} value={of || null} onChange={(v) => setQuery({ stacks: v ?? undefined })} />}
          <Button size="xs" variant="default" loading={begin.isPending} disabled={running} onClick={() => begin.mutate()} data-testid={ids.flameBegin}>{running ? `Sampling for ${SECONDS} s…` : `Sample for ${SECONDS} s`}</Button>
        </span>
      </div>
      <p className="hint">Stacks of the threads that answer requests, looked at 50 times a second, over the window above. The time is that of the clock, waiting included; of gevent workers only what computes is seen.</p>
      <Problem error={error ?? begin.error} />
      {data && (data.samples === 0 ? (
        <div className="panel empty"><b>{running ? 'No request was sampled yet' : 'Nothing was sampled in this window'}</b>{running ? 'Samples are taken while requests run, and come every 5 seconds.' : 'Sample the app while it has requests; those of a millisecond or two are met now and then. A request that takes very long is sampled by itself.'}</div>
      ) : (
        <div className="panel flame-panel">
          <FlameGraph view={data} />
          <p className="label">{count(data.samples)} samples, {ms(data.ms)} of requests{data.dropped > 0 ? `; ${count(data.dropped)} samples of too many different stacks were dropped` : ''}.</p>
        </div>
      ))}
    </section>
  );
}
