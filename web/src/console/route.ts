import { useSyncExternalStore } from 'react';

/** Where the page is: `#/apps/hello/logs?level=ERROR` has parts [apps hello logs] and query level=ERROR. */
export interface Route { parts: string[]; query: URLSearchParams }

export function parseHash(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  return { parts: path.split('/').filter(Boolean).map(decode), query: new URLSearchParams(query) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

let keep = ''; // the tenant that an operator looks at, kept on every link

export function keepTenant(name: string): void {
  keep = name;
}

/** The address of a page of the console. */
export function to(parts: (string | number)[], query: Record<string, string | undefined> = {}): string {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(query)) if (v) q.set(k, v);
  if (keep && !q.has('tenant')) q.set('tenant', keep);
  const s = q.toString();
  return '#/' + parts.map(encodeURIComponent).join('/') + (s ? '?' + s : '');
}

export function go(parts: (string | number)[], query?: Record<string, string | undefined>): void {
  window.location.hash = to(parts, query);
}

/** Changes the query of the present page without a new step in the history. */
export function setQuery(change: Record<string, string | undefined>): void {
  const { parts, query } = parseHash(window.location.hash);
  const next: Record<string, string | undefined> = { ...Object.fromEntries(query), ...change };
  history.replaceState(null, '', to(parts, next));
  window.dispatchEvent(new HashChangeEvent('hashchange'));
}

/** Lets a link lead to the top of its page, while the way back leads to where one was. */
export function followLinks(): void {
  let followed = -Infinity; // ms; when a link was last pressed
  window.addEventListener('click', (e) => {
    const link = (e.target as Element | null)?.closest('a[href^="#"]');
    if (link && !e.defaultPrevented && !e.ctrlKey && !e.metaKey && !e.shiftKey) followed = e.timeStamp;
  });
  window.addEventListener('hashchange', (e) => {
    if (e.timeStamp - followed < 500) window.scrollTo(0, 0);
    followed = -Infinity;
  });
}

function subscribe(fn: () => void): () => void {
  window.addEventListener('hashchange', fn);
  return () => window.removeEventListener('hashchange', fn);
}

let seen: string | null = null;
let route: Route;

// The same object as long as the address is the same: React compares it.
function current(): Route {
  if (window.location.hash !== seen) {
    seen = window.location.hash;
    route = parseHash(seen);
  }
  return route;
}

export function useRoute(): Route {
  return useSyncExternalStore(subscribe, current);
}
