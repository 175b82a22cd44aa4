import { useEffect, useRef, useState } from 'react';
import { ApiError, apiPath, get, ndjson, seg } from '../../api/client';
import type { LogRecord } from '../../api/types';
import { clock } from '../../format/format';
import { queryOf, type LogFilter } from './filter';

const KEPT = 1000;
const BEGIN = 100;
const SHOW_EVERY = 250; // ms; a flood must not freeze the page

/** Follows an app's new records, newest first, the latest thousand kept. It begins with the newest that there are. */
export function useTail(app: string, filter: LogFilter) {
  const [records, setRecords] = useState<LogRecord[]>([]);
  const [state, setState] = useState('Connecting…');
  const [error, setError] = useState<unknown>(null);
  const fresh = useRef<LogRecord[]>([]);
  const { from: _from, to: _to, ...query } = queryOf({ ...filter, range: 'all' });
  const key = JSON.stringify(query);

  useEffect(() => {
    const stop = new AbortController();
    const begun = new Set<string>(); // ids of what was here already: it may come again with the new
    fresh.current = [];
    setRecords([]);
    const show = window.setInterval(() => {
      const some = fresh.current.filter((r) => !begun.has(r.id));
      fresh.current = [];
      if (some.length === 0) return;
      setRecords((before) => [...some.reverse(), ...before].slice(0, KEPT));
    }, SHOW_EVERY);
    void begin(stop.signal);
    void follow(stop.signal);
    return () => {
      stop.abort();
      clearInterval(show);
    };

    // What is here already goes below what has come in the meantime. Without it the tail works as well.
    async function begin(signal: AbortSignal): Promise<void> {
      const page = await get<{ records: LogRecord[] | null }>(`/apps/${seg(app)}/logs`, { ...JSON.parse(key), limit: BEGIN }, signal).catch(() => null);
      if (!page?.records || signal.aborted) return;
      const old = page.records;
      old.forEach((r) => begun.add(r.id));
      setRecords((before) => {
        const known = new Set(before.map((r) => r.id));
        return [...before, ...old.filter((r) => !known.has(r.id))].slice(0, KEPT);
      });
    }

    async function follow(signal: AbortSignal): Promise<void> {
      for (let wait = 500; !signal.aborted; wait = Math.min(wait * 2, 10000)) {
        try {
          setState('Live');
          setError(null);
          await ndjson<LogRecord>(apiPath(`/apps/${seg(app)}/logs`, { ...JSON.parse(key), follow: true }), (r) => {
            wait = 500;
            fresh.current.push(r);
            if (fresh.current.length > 2 * KEPT) fresh.current.splice(0, KEPT);
          }, signal);
        } catch (err) {
          if (signal.aborted) return;
          setError(err);
          if (err instanceof ApiError && err.status < 500) return setState('Stopped');
        }
        if (signal.aborted) return;
        setState(`Connection lost at ${clock(Date.now(), false)}, trying again`);
        await new Promise((r) => setTimeout(r, wait));
      }
    }
  }, [app, key]);
  return { records, state, error };
}
