import { useQuery } from '@tanstack/react-query';
import { createContext, useContext } from 'react';
import { ApiError, get, rememberSession, session, setRequestTenant } from '../api/client';
import type { App, Session } from '../api/types';
import { keepTenant } from './route';

const SessionContext = createContext<Session | null>(null);
export const SessionProvider = SessionContext.Provider;

export function useSession(): Session {
  const s = useContext(SessionContext);
  if (!s) throw new Error('used outside a session');
  return s;
}

/** Who is signed in; null when nobody is. */
export function useSessionQuery() {
  return useQuery({
    queryKey: ['session'],
    queryFn: async () => {
      try {
        const s = await session.read();
        rememberSession(s);
        return s;
      } catch (err) {
        if (err instanceof ApiError && err.status === 401) return null;
        throw err;
      }
    },
    staleTime: Infinity,
    refetchOnWindowFocus: true,
  });
}

/** Makes every request and link about tenant; the caller's own needs no naming. */
export function lookAtTenant(s: Session, tenant: string): void {
  const named = s.role === 'operator' ? tenant || s.tenant : '';
  setRequestTenant(named);
  keepTenant(named === s.tenant ? '' : named);
}

export const mayWrite = (s: Session) => s.role !== 'viewer';
export const mayManage = (s: Session) => s.role === 'owner' || s.role === 'operator';

export function dashboardAddress(s: Session, app = '', tenant = ''): string {
  const base = s.dashboard_url || `${location.protocol}//${location.hostname}:5005`;
  const of = tenant && tenant !== s.tenant ? `?tenant=${encodeURIComponent(tenant)}` : '';
  return `${base.replace(/\/$/, '')}/#${encodeURIComponent(app)}${of}`;
}

/** The full address of an app as a link. */
export function appAddress(address: string): string {
  return /^https?:\/\//.test(address) ? address : `http://${address}`;
}

const MANY = 500; // apps; so many are asked for less often
const MOVING = new Set(['new', 'deploying', 'deleting']);

export function useApps() {
  return useQuery({
    queryKey: ['apps'],
    queryFn: async ({ signal }) => (await get<{ apps: App[] | null }>('/apps', {}, signal)).apps ?? [],
    refetchInterval: (q) => ((q.state.data?.length ?? 0) > MANY ? 15_000 : q.state.data?.some((a) => MOVING.has(a.state) || a.ready !== a.desired) ? 1500 : 5000),
  });
}
