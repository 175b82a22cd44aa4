import type { App, Release } from '../../api/types';
import { ms } from '../../format/format';

/** The state of a release as the app has it, which is asked for more often than the list: a canary that was promoted is live. */
export function stateOf(r: Release, app: App): Release['state'] {
  if (r.state !== 'canary' || app.canary?.release === r.number) return r.state;
  return app.release === r.number ? 'live' : app.release > r.number ? 'superseded' : 'failed';
}

/** How long a release took until its first requests; for one that was a canary, when it was that. */
export function untilServed(r: Release): string {
  const served = r.canary_at ?? r.live_at;
  return served ? ms(Date.parse(served) - Date.parse(r.created_at)) : '–';
}
