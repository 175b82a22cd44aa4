import type { ReactNode } from 'react';
import type { LiveWindow } from '../api/types';
import { clock, count, duration, ms, percent, rate, short } from '../format/format';
import { ids } from '../testids';
import type { LiveStore } from './store';
import { useFeed, useLive, useLiveEvery } from './useLive';
import { usePastWindow } from './usePastWindow';
import { useMoves } from './view';

/** The figures of the moment, or of the past that is looked at, each with its unit and window. */
export function Numbers() {
  const store = useLive('numbers');
  const past = usePastWindow();
  const { view: v } = useFeed();
  const view = useMoves(v);
  const live = view.end === null;
  const w: LiveWindow | null | undefined = live ? store.window : past.data;
  const over = live ? (w ? `last ${duration(w.seconds)}` : '') : 'in this window';
  const share = w && w.requests > 0 ? (100 * w.errors) / w.requests : w ? 0 : null;
  return (
    <section className="numbers" aria-label={live ? 'Figures of the moment' : 'Figures of the time looked at'}>
      <Number label="Requests" unit="/s" note={over} testid={ids.rps}>{rate(w?.rate)}</Number>
      <Number label="p50" note={over} testid={ids.p50}>{ms(w?.p50)}</Number>
      <Number label="p95" note={over} testid={ids.p95}>{ms(w?.p95)}</Number>
      <Number label="p99" note={over} testid={ids.p99}>{ms(w?.p99)}</Number>
      <Number label="Errors" unit={share ? percent(share) : ''} note={over} testid={ids.errors} bad={(w?.errors ?? 0) > 0}>{count(w?.errors)}</Number>
      {live ? <Now store={store} /> : <Number label="All requests" note={over} testid={ids.totalRequests} value={w?.requests}>{short(w?.requests)}</Number>}
    </section>
  );
}

/** What only the present has. */
function Now({ store }: { store: LiveStore }) {
  const { total } = store;
  const since = total?.since ? `since ${clock(total.since, false).slice(0, 5)}` : '';
  const queued = latest(store, 'queued');
  return (
    <>
      <Number label="In flight" note="now" testid={ids.inflight}>{count(latest(store, 'inflight'))}</Number>
      <Number label="Queued" note="now" testid={ids.queued} bad={(queued ?? 0) > 0}>{count(queued)}</Number>
      <Number label="Replicas" note="now" testid={ids.replicas}>{count(latest(store, 'replicas'))}</Number>
      <Cpu />
      <Number label="All requests" note={since} testid={ids.totalRequests} value={total?.requests}>{short(total?.requests)}</Number>
      <Number label="Log records" note={since} testid={ids.totalLogs} value={total?.logs}>{short(total?.logs)}</Number>
    </>
  );
}

function Cpu() {
  const store = useLiveEvery('numbers', 500);
  const most = store.app ? busiestReplica(store) : busiest(store.apps.map((a) => a.cpu));
  return <Number label="Busiest CPU" note="replica, now" testid="cpu" bad={(most ?? 0) > 90}>{percent(most)}</Number>;
}

const FRESH = 10; // s; an older figure says nothing about now

/** The second that is being filled may not know yet: then the one before speaks. */
function latest(store: LiveStore, key: 'inflight' | 'queued' | 'replicas'): number | null {
  const end = store.last?.t ?? 0;
  for (let t = end; t > end - FRESH; t--) {
    const v = store.points.get(t)?.[key];
    if (v != null) return v;
  }
  return null;
}

function busiestReplica(store: LiveStore): number | null {
  const from = store.now() / 1000 - FRESH;
  return busiest([...store.replicas.values()].map((series) => {
    const last = [...series.values()].at(-1);
    return last && last.t > from ? last.cpu : null;
  }));
}

function busiest(values: (number | null | undefined)[]): number | null {
  return values.reduce<number | null>((most, v) => (v != null && (most == null || v > most) ? v : most), null);
}

interface Props { label: string; note: string; testid: string; children: ReactNode; unit?: string; bad?: boolean; value?: number }

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
