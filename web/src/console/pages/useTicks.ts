import { useSyncExternalStore } from 'react';
import type { App } from '../../api/types';

type Ticks = Record<string, string[]>;

const KEY = 'kurama.ticks';
const readers = new Set<() => void>();
let ticks = stored();
window.addEventListener('storage', (e) => e.key === KEY && put(stored())); // another tab

/** Which steps of an app this browser has seen done, wherever that was. An app that is made anew under an old name starts without any. */
export function useTicks(app: App): Set<string> {
  return new Set(useSyncExternalStore(subscribe, () => ticks)[keyOf(app)]);
}

/** Notes that a step of an app is done. */
export function tick(app: App, step: string): void {
  const done = ticks[keyOf(app)] ?? [];
  if (done.includes(step)) return;
  put({ ...stored(), ...ticks, [keyOf(app)]: [...done, step] });
  try {
    localStorage.setItem(KEY, JSON.stringify(ticks));
  } catch {
    // a browser that keeps nothing shows the steps again next time
  }
}

const keyOf = (app: App) => `${app.tenant}/${app.name}@${app.created_at}`;

function put(next: Ticks): void {
  ticks = next;
  readers.forEach((fn) => fn());
}

function subscribe(fn: () => void): () => void {
  readers.add(fn);
  return () => readers.delete(fn);
}

function stored(): Ticks {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') as Ticks;
  } catch {
    return {};
  }
}
