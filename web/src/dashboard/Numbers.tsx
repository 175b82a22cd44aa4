import type { ReactNode } from 'react';
import { count, duration, ms, percent, rate, short } from '../format/format';
import { ids } from '../testids';
import { useLive, useLiveEvery } from './useLive';

/** The figures of the moment, each with its unit and window. */
export function Numbers() {
  const store = useLive('numbers');
  const { window: w, last, total } = store;
  const over = w ? `last ${duration(w.seconds)}` : '';
  const share = w && w.requests > 0 ? (100 * w.errors) / w.requests : w ? 0 : null;
  return (
    <section className="numbers" aria-label="Figures of the moment">
      <Number label="Requests" unit="/s" note={over} testid={ids.rps}>{rate(w?.rate)}</Number>
      <Number label="p50" note={over} testid={ids.p50} small>{ms(w?.p50)}</Number>
      <Number label="p95" note={over} testid={ids.p95}>{ms(w?.p95)}</Number>
      <Number label="p99" note={over} testid={ids.p99} small>{ms(w?.p99)}</Number>
      <Number label="Errors" unit={share ? percent(share) : ''} note={over} testid={ids.errors} bad={(w?.errors ?? 0) > 0}>{count(w?.errors)}</Number>
      <Number label="In flight" note="now" testid={ids.inflight}>{count(last?.inflight)}</Number>
      <Number label="Queued" note="now" testid={ids.queued} bad={(last?.queued ?? 0) > 0}>{count(last?.queued)}</Number>
      <Number label="Replicas" note="now" testid={ids.replicas}>{count(last?.replicas)}</Number>
      <Cpu />
      <Number label="Requests" note="in all" testid={ids.totalRequests} value={total?.requests}>{short(total?.requests)}</Number>
      <Number label="Log records" note="in all" testid={ids.totalLogs} value={total?.logs}>{short(total?.logs)}</Number>
    </section>
  );
}

function Cpu() {
  const store = useLiveEvery('points', 500);
  const now = store.now() / 1000;
  let most: number | null = null;
  for (const series of store.replicas.values()) {
    let last;
    for (const f of series.values()) last = f;
    if (last && now - last.t < 10 && last.cpu != null && (most == null || last.cpu > most)) most = last.cpu;
  }
  return <Number label="CPU" note="busiest replica" testid="cpu" bad={(most ?? 0) > 90}>{percent(most)}</Number>;
}

interface Props { label: string; note: string; testid: string; children: ReactNode; unit?: string; bad?: boolean; small?: boolean; value?: number }

// data-value is the exact figure where the page says a short one.
function Number({ label, note, testid, children, unit, bad, value }: Props) {
  return (
    <div className={bad ? 'number number-bad' : 'number'}>
      <div className="label">{label}</div>
      <div className="number-value"><span data-testid={testid} data-value={value}>{children}</span>{unit && <small>{unit}</small>}</div>
      <div className="label ellipsis" title={note}>{note || '\u00a0'}</div>
    </div>
  );
}
