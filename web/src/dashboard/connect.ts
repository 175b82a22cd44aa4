import type { Frame } from '../api/types';
import type { LiveStore } from './store';

const MIN_WAIT = 500;
const MAX_WAIT = 10_000;
const SILENCE = 15_000; // a live server sends several frames a second; this long without one is a lost connection

/** Keeps a websocket to the server and feeds the store, until the function returned is called. */
export function connect(store: LiveStore, app: string, tenant: string): () => void {
  let socket: WebSocket | null = null;
  let timer = 0;
  let wait = MIN_WAIT;
  let heard = 0;
  let stopped = false;
  const watch = window.setInterval(() => {
    if (socket?.readyState === WebSocket.OPEN && Date.now() - heard > SILENCE) socket.close();
  }, 2000);

  const open = () => {
    if (stopped) return;
    store.setConnection({ state: 'connecting' });
    const query = new URLSearchParams({ app, ...(tenant ? { tenant } : {}) });
    const s = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/live?${query}`);
    socket = s;
    heard = Date.now();
    s.onmessage = (m) => {
      if (s !== socket) return;
      heard = Date.now();
      const frame = JSON.parse(m.data as string) as Frame;
      const lostAt = store.connection.lostAt;
      store.apply(frame, heard);
      if (store.connection.state !== 'live') {
        wait = MIN_WAIT;
        store.setConnection({ state: 'live', lostAt: 0, reason: '', gap: lostAt ? gapSince(store, lostAt, frame) : store.connection.gap });
      }
    };
    s.onclose = (e) => {
      if (s === socket) void lost(e.reason);
    };
  };

  const lost = async (reason: string) => {
    if (stopped) return;
    const lostAt = store.connection.lostAt || Date.now();
    wait = Math.min(wait * 2, MAX_WAIT);
    const delay = wait * (0.75 + Math.random() / 2); // spread out, so that viewers do not return all at once
    store.setConnection({ state: 'waiting', lostAt, retryAt: Date.now() + delay, reason });
    timer = window.setTimeout(open, delay);
    // A refused upgrade looks like a lost connection; the session tells them apart.
    const session = await fetch('/api/session').catch(() => null);
    if (session?.status === 401 && !stopped) {
      clearTimeout(timer);
      store.setConnection({ state: 'signed-out' });
    }
  };

  const now = () => {
    if (store.connection.state !== 'waiting') return;
    clearTimeout(timer);
    open();
  };
  window.addEventListener('online', now);
  open();
  return () => {
    stopped = true;
    clearTimeout(timer);
    clearInterval(watch);
    window.removeEventListener('online', now);
    socket?.close();
  };
}

// The gap is filled where the snapshot has points of the time in between.
function gapSince(store: LiveStore, lostAt: number, frame: Frame) {
  const from = (lostAt + store.offset) / 1000;
  const inside = (frame.points ?? []).filter((p) => p.t > from && p.t * 1000 < frame.t - 1000).length;
  const ms = Date.now() - lostAt;
  return { ms, filled: inside >= Math.floor(ms / 1000) - 2, endedAt: Date.now() };
}
