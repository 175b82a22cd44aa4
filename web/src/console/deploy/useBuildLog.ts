import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { ApiError, apiPath, ndjson, seg } from '../../api/client';
import type { BuildEnd, BuildLine } from '../../api/types';

/** Follows a release's build log to its end; a broken connection is taken up again. */
export function useBuildLog(app: string, release: number) {
  const queries = useQueryClient();
  const [lines, setLines] = useState<BuildLine[]>([]);
  const [end, setEnd] = useState<BuildEnd | null>(null);
  const [error, setError] = useState<unknown>(null);

  useEffect(() => {
    const stop = new AbortController();
    void follow(stop.signal);
    return () => stop.abort();

    async function follow(signal: AbortSignal): Promise<void> {
      for (let wait = 500; !signal.aborted; wait = Math.min(wait * 2, 5000)) {
        try {
          if (await readOnce(signal)) return;
          setError(null);
        } catch (err) {
          if (signal.aborted) return;
          setError(err);
          if (err instanceof ApiError && err.status < 500) return;
        }
        await new Promise((r) => setTimeout(r, wait));
      }
    }

    // Reads from the first line each time, so that a taken-up log has no hole.
    async function readOnce(signal: AbortSignal): Promise<boolean> {
      const got: BuildLine[] = [];
      let ended = false;
      let due = 0;
      const show = () => {
        due = 0;
        if (!signal.aborted) setLines([...got]);
      };
      await ndjson<BuildLine | BuildEnd>(apiPath(`/apps/${seg(app)}/releases/${release}/log`, { follow: true }), (v) => {
        if ('end' in v) {
          ended = true;
          setEnd(v);
          void queries.invalidateQueries({ queryKey: ['app', app] });
          void queries.invalidateQueries({ queryKey: ['apps'] });
        } else {
          got.push(v);
          due ||= window.setTimeout(show, 60);
        }
      }, signal);
      show();
      return ended;
    }
  }, [app, release, queries]);
  return { lines, end, error };
}
