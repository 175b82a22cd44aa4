import { sentence } from '../api/client';
import type { Frame } from '../api/types';
import { liveApi } from './session';
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

  const address = (origin: string) => origin + liveApi('/api/live', { app, ...(tenant ? { tenant } : {}) });

  const open = () => {
    if (stopped) return;
    store.setConnection({ state: 'connecting' });
    const s = new WebSocket(address(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}`));
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
    s.onclose = () => {
      if (s === socket) void lost();
    };
  };

  const lost = async () => {
    if (stopped) return;
    const lostAt = store.connection.lostAt || Date.now();
    wait = Math.min(wait * 2, MAX_WAIT);
    const delay = wait * (0.75 + Math.random() / 2); // spread out, so that viewers do not return all at once
    store.setConnection({ state: 'waiting', lostAt, retryAt: Date.now() + delay });
    timer = window.setTimeout(open, delay);
    // A refused upgrade looks like a lost connection; the same question without one is answered in words.
    const said = await fetch(address('')).catch(() => null);
    if (stopped || !said) return;
    if (said.status === 401) {
      clearTimeout(timer);
      store.setConnection({ state: 'signed-out' });
    } else if (said.headers.get('Content-Type')?.includes('problem+json')) {
      store.setConnection({ reason: sentence(said.status, await said.text()).message });
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
