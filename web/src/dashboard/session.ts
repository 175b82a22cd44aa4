import type { Session } from '../api/types';

let consoleUrl = ''; // as the server named it

/** Who looks at the dashboard; null when nobody is signed in. */
export async function readSession(): Promise<Session | null> {
  const answer = await fetch('/api/session').catch(() => {
    throw new Error('The dashboard does not answer. It may be restarting: load the page again in a moment.');
  });
  const said = (await answer.json().catch(() => null)) as (Session & { console_url?: string }) | null;
  consoleUrl = said?.console_url ?? '';
  if (answer.status === 401) return null;
  if (!answer.ok) throw new Error(`The dashboard answered with status ${answer.status}.`);
  return said;
}

/** A page of the console, at the address that the server named. */
export function consoleAddress(page = ''): string {
  return `${consoleUrl.replace(/\/$/, '')}/${page}`;
}
