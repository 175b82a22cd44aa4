import { useEffect, useSyncExternalStore } from 'react';
import { ago, exact, utc } from '../format/format';

// One clock for all relative times of a page.
let now = Date.now();
const readers = new Set<() => void>();
let timer = 0;

function subscribe(fn: () => void): () => void {
  readers.add(fn);
  if (!timer) timer = window.setInterval(tick, 5000);
  return () => {
    readers.delete(fn);
    if (readers.size === 0) {
      clearInterval(timer);
      timer = 0;
    }
  };
}

function tick(): void {
  now = Date.now();
  readers.forEach((fn) => fn());
}

/** A time, relative up to a day; exact, with UTC, on hover. */
export function TimeAgo({ at }: { at: string | number | null | undefined }) {
  const clock = useSyncExternalStore(subscribe, () => now);
  useEffect(() => {
    if (Date.now() - now > 1000) tick();
  }, [at]);
  if (at == null) return <span className="dim">never</span>;
  return (
    <time dateTime={new Date(at).toISOString()} title={`${exact(at)} · ${utc(at)}`} className="nowrap">
      {ago(at, Math.max(clock, Date.now() - 1000))}
    </time>
  );
}
