import { useSyncExternalStore } from 'react';

/** What is looked at: `#hello` is an app, `#` all of them; an operator's `?tenant=` goes with it, and which time. */
export interface Place { app: string; tenant: string; span?: number; end?: number; share?: string }

export function parsePlace(hash: string): Place {
  const [app = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const q = new URLSearchParams(query);
  let name = app;
  try {
    name = decodeURIComponent(app);
  } catch {
    // an address typed by hand: taken as it is
  }
  const place: Place = { app: name, tenant: q.get('tenant') ?? '' };
  for (const key of ['span', 'end'] as const) if (Number(q.get(key)) > 0) place[key] = Number(q.get(key));
  const share = q.get('share');
  if (share) place.share = share;
  return place;
}

export function placeHash({ app, tenant, span, end, share }: Place): string {
  const q = new URLSearchParams();
  if (tenant) q.set('tenant', tenant);
  if (span) q.set('span', String(span));
  if (end) q.set('end', String(end));
  if (share) q.set('share', share);
  const s = q.toString();
  return `#${encodeURIComponent(app)}${s ? `?${s}` : ''}`;
}

let seen: string | null = null;
let place: Place;

export function usePlace(): Place {
  return useSyncExternalStore(
    (fn) => {
      window.addEventListener('hashchange', fn);
      return () => window.removeEventListener('hashchange', fn);
    },
    () => {
      if (window.location.hash !== seen) {
        seen = window.location.hash;
        const next = parsePlace(seen);
        // Moving in time is no other place.
        if (!place || next.app !== place.app || next.tenant !== place.tenant) place = next;
      }
      return place;
    },
  );
}
