import type { Problem, Session } from './types';

/** A refusal by the API. Its message is the sentence that the API gave. */
export class ApiError extends Error {
  constructor(readonly status: number, message: string, readonly problem?: Problem) {
    super(message);
  }
}

const BASE = '/api/v1';
let csrf = '';
let tenant = ''; // the one an operator looks at; empty: the caller's own

export function rememberSession(session: Session | null): void {
  csrf = session?.csrf ?? '';
}

export function setRequestTenant(name: string): void {
  tenant = name;
}

export const requestTenant = () => tenant;

/** The address of an API path, with the query and, for an operator, the tenant. */
export function apiPath(path: string, query: Record<string, string | number | boolean | undefined> = {}): string {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(query)) if (v !== undefined && v !== '') q.set(k, String(v));
  if (tenant) q.set('tenant', tenant);
  const s = q.toString();
  return BASE + path + (s ? '?' + s : '');
}

export function csrfHeader(): Record<string, string> {
  return csrf ? { 'X-CSRF-Token': csrf } : {};
}

/** What a failed answer says, as one sentence. */
export function sentence(status: number, body: string): { message: string; problem?: Problem } {
  try {
    const problem = JSON.parse(body) as Problem;
    const first = problem.errors?.map((e) => e.message).filter(Boolean).join('; ');
    const said = [problem.detail, first].filter(Boolean).join(': ');
    return { message: said || problem.title || `The console answered with status ${status}.`, problem };
  } catch {
    return { message: body.trim().slice(0, 300) || `The console answered with status ${status}.` };
  }
}

async function send(path: string, init: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, { credentials: 'same-origin', ...init });
  } catch (err) {
    if (init.signal?.aborted) throw err;
    throw new Error('The console does not answer. It may be restarting: try again in a moment.');
  }
  if (!answer.ok) {
    const { message, problem } = sentence(answer.status, await answer.text());
    throw new ApiError(answer.status, message, problem);
  }
  return answer;
}

export async function get<T>(path: string, query?: Record<string, string | number | boolean | undefined>, signal?: AbortSignal): Promise<T> {
  const answer = await send(apiPath(path, query), { headers: { Accept: 'application/json' }, signal });
  return (await answer.json()) as T;
}

/** Asks about the platform as a whole, whichever tenant an operator looks at. */
export async function getPlatform<T>(path: string, signal?: AbortSignal): Promise<T> {
  const answer = await send(BASE + path, { headers: { Accept: 'application/json' }, signal });
  return (await answer.json()) as T;
}

async function write<T>(method: string, path: string, body?: unknown, query?: Record<string, string | undefined>): Promise<T> {
  const answer = await send(apiPath(path, query), {
    method,
    headers: { 'Content-Type': 'application/json', ...csrfHeader() },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

export const post = <T>(path: string, body?: unknown) => write<T>('POST', path, body);
export const put = <T>(path: string, body?: unknown, query?: Record<string, string | undefined>) => write<T>('PUT', path, body, query);
export const del = <T = void>(path: string, query?: Record<string, string | undefined>) => write<T>('DELETE', path, undefined, query);

export const session = {
  read: () => get<Session>('/session'),
  signIn: (name: string, password: string) => post<Session>('/session', { name, password }),
  signOut: () => del('/session'),
};

/** Reads a stream of JSON lines until it ends or signal aborts. */
export async function ndjson<T>(path: string, each: (value: T) => void, signal: AbortSignal): Promise<void> {
  const answer = await send(path, { signal, headers: { Accept: 'application/x-ndjson' } });
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  const lines = new LineBuffer();
  for (;;) {
    const { value, done } = await reader.read();
    for (const line of done ? lines.rest() : lines.push(value)) each(JSON.parse(line) as T);
    if (done) return;
  }
}

/** Cuts chunks of text into lines; blank ones (keep-alives) are left out. */
export class LineBuffer {
  private tail = '';

  push(chunk: string): string[] {
    const parts = (this.tail + chunk).split('\n');
    this.tail = parts.pop() ?? '';
    return parts.filter((l) => l.trim() !== '');
  }

  rest(): string[] {
    const last = this.tail;
    this.tail = '';
    return last.trim() === '' ? [] : [last];
  }
}

/** The part of a path that is a name, safe for an address. */
export const seg = encodeURIComponent;
