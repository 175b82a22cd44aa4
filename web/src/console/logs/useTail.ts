import { useEffect, useRef, useState } from 'react';
import { ApiError, apiPath, ndjson, seg } from '../../api/client';
import type { LogRecord } from '../../api/types';
import { clock } from '../../format/format';
import { queryOf, type LogFilter } from './filter';

const KEPT = 1000;
const SHOW_EVERY = 250; // ms; a flood must not freeze the page

/** Follows an app's new records, newest first, the latest thousand kept. */
export function useTail(app: string, filter: LogFilter) {
  const [records, setRecords] = useState<LogRecord[]>([]);
  const [state, setState] = useState('Connecting…');
  const [error, setError] = useState<unknown>(null);
  const fresh = useRef<LogRecord[]>([]);
  const { from: _from, to: _to, ...query } = queryOf({ ...filter, range: 'all' });
  const key = JSON.stringify(query);

  useEffect(() => {
    const stop = new AbortController();
    fresh.current = [];
    setRecords([]);
    const show = window.setInterval(() => {
      const some = fresh.current;
      if (some.length === 0) return;
      fresh.current = [];
      setRecords((before) => [...some.reverse(), ...before].slice(0, KEPT));
    }, SHOW_EVERY);
    void follow(stop.signal);
    return () => {
      stop.abort();
      clearInterval(show);
    };

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
