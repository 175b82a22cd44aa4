import type { Session } from '../api/types';
import { parsePlace } from './place';

let consoleUrl = ''; // as the server named it
let shared = false; // whether this page stands behind a share link

export const isShared = () => shared;

/** The address of a question to the dashboard; behind a share link it is asked in the link's name. */
export function liveApi(path: string, query: Record<string, string> = {}): string {
  const q = new URLSearchParams(query);
  if (shared) q.set('shared', '1');
  const s = q.toString();
  return path + (s ? '?' + s : '');
}

/** Who looks at the dashboard; null when nobody is signed in, or the link has ended. */
export async function readSession(): Promise<Session | null> {
  const { share } = parsePlace(window.location.hash);
  shared = !!share;
  const asked = share ? fetch('/api/share', { method: 'POST', headers: { Authorization: `Bearer ${share}` } }) : fetch('/api/session');
  const answer = await asked.catch(() => {
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
