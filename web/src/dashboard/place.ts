import { useSyncExternalStore } from 'react';

/** What is looked at: `#hello` is an app, `#` all of them; an operator's `?tenant=` goes with it. */
export interface Place { app: string; tenant: string }

export function parsePlace(hash: string): Place {
  const [app = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  let name = app;
  try {
    name = decodeURIComponent(app);
  } catch {
    // an address typed by hand: taken as it is
  }
  return { app: name, tenant: new URLSearchParams(query).get('tenant') ?? '' };
}

export function placeHash({ app, tenant }: Place): string {
  return `#${encodeURIComponent(app)}${tenant ? `?tenant=${encodeURIComponent(tenant)}` : ''}`;
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
        place = parsePlace(seen);
      }
      return place;
    },
  );
}
