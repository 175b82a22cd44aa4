import { useState } from 'react';
import type { App } from '../../api/types';

const KEY = 'kurama.ticks';

/** Which steps of an app this browser has seen done. An app that is made anew under an old name starts without any. */
export function useTicks(app: App) {
  const [all, setAll] = useState(read);
  const key = `${app.tenant}/${app.name}@${app.created_at}`;
  const ticks = all[key] ?? [];
  return {
    has: (tick: string) => ticks.includes(tick),
    add: (tick: string) => {
      const next = { ...read(), [key]: [...new Set([...ticks, tick])] };
      setAll(next);
      try {
        localStorage.setItem(KEY, JSON.stringify(next));
      } catch {
        // a browser that keeps nothing shows the steps again
      }
    },
  };
}

function read(): Record<string, string[]> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') as Record<string, string[]>;
  } catch {
    return {};
  }
}
