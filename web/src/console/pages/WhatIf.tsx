import { Button, NumberInput, Table, useComputedColorScheme } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { post, seg } from '../../api/client';
import type { Policy, WhatIf as Answer } from '../../api/types';
import { ms, percent } from '../../format/format';
import { Problem } from '../../parts/Said';
import { TableBox } from '../../parts/TableBox';
import { TimeChart } from '../../parts/TimeChart';
import { ids } from '../../testids';
import { seriesColor } from '../../theme/series';

/** The app's own last day under the policy of the form, beside the one in force; both simulated. */
export function WhatIf({ app, policy }: { app: string; policy: Policy }) {
  const [objective, setObjective] = useState<number | ''>('');
  const ask = useMutation({
    mutationFn: () => post<Answer>(`/apps/${seg(app)}/what-if`, { policy, ...(objective === '' ? {} : { objective }) }),
  });
  return (
    <section className="section">
      <h2>What if</h2>
      <p className="hint">Runs the app's own traffic of the last 24 hours again, in simulation, under the policy as it stands in the form above and under the one in force.</p>
      <div>
        <NumberInput maw={420} label="Objective" description="a request that takes longer is late; empty: what the policy aims at" suffix=" ms" min={1} max={600_000} value={objective} onChange={(v) => setObjective(v === '' ? '' : Number(v))} />
      </div>
      <Button mt="sm" variant="default" loading={ask.isPending} onClick={() => ask.mutate()} data-testid={ids.whatIfRun}>Simulate</Button>
      <div className="gap-top"><Problem error={ask.error} /></div>
      {ask.data && <Outcome answer={ask.data} />}
    </section>
  );
}

function Outcome({ answer }: { answer: Answer }) {
  const results = answer.results ?? [];
  const dark = useComputedColorScheme('light') === 'dark';
  const drawn = useMemo(() => {
    const [now, then] = [results[0]?.course ?? [], results.at(-1)?.course ?? []];
    return {
      times: then.map((p) => Date.parse(p.at) / 1000),
      series: [
        { label: 'requests/s', values: then.map((p) => p.rate), color: seriesColor('s2', dark), format: number, filled: true },
        { label: 'replicas now', values: then.map((_, i) => now[i]?.replicas ?? null), color: seriesColor('mem', dark), format: number, right: true },
        { label: 'replicas then', values: then.map((p) => p.replicas), color: seriesColor('replicas', dark), format: number, right: true },
      ],
    };
  }, [answer, dark]);
  return (
    <>
      <p className="says" data-testid={ids.whatIfSays}>{answer.says}</p>
      <TableBox label="What if" className="panel gap-bottom">
        <Table>
          <Table.Thead><Table.Tr><Table.Th>Policy</Table.Th><Table.Th className="num">late</Table.Th><Table.Th className="num">failed</Table.Th><Table.Th className="num">p95</Table.Th><Table.Th className="num">p99</Table.Th><Table.Th className="num">replica-hours</Table.Th><Table.Th className="num">most</Table.Th><Table.Th className="num">changes</Table.Th></Table.Tr></Table.Thead>
          <Table.Tbody>
            {results.map((r, i) => (
              <Table.Tr key={i}>
                <Table.Td>{r.policy.name}{i === 0 ? ' (in force)' : ''}</Table.Td>
                <Table.Td className="num">{percent(100 * r.late)}</Table.Td><Table.Td className="num">{percent(100 * r.errors)}</Table.Td><Table.Td className="num">{ms(r.p95)}</Table.Td><Table.Td className="num">{ms(r.p99)}</Table.Td>
                <Table.Td className="num">{number(r.replica_hours)}</Table.Td><Table.Td className="num">{r.most}</Table.Td><Table.Td className="num">{r.changes}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </TableBox>
      <TimeChart title="Simulated requests and replicas" says="requests/s left, replicas right" {...drawn} />
    </>
  );
}

const number = (v: number | null | undefined) => (v == null ? '–' : String(Math.round(v * 10) / 10));
