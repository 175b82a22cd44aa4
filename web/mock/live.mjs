// Frames of docs/design.md, section 9, from a simulated app.
import { record, routes } from './data.mjs';

const HISTORY = 900;
const wave = (t, period, phase = 0) => 0.5 + 0.5 * Math.sin((t / period) * 2 * Math.PI + phase);

function pointAt(t) {
  if (t % 400 > 372 && t % 400 < 392) return null; // a gap: nothing was known
  const req = Math.round(30 + 70 * wave(t, 240) + 12 * Math.random());
  const s5 = t % 180 < 12 ? Math.round(req * 0.12) : Math.random() < 0.1 ? 1 : 0;
  const s4 = Math.round(req * 0.04 * Math.random());
  const s3 = Math.round(req * 0.06);
  const p50 = 4 + 6 * wave(t, 240) + Math.random();
  return { t, req, s2: req - s3 - s4 - s5, s3, s4, s5, p50, p95: p50 * (3 + Math.random()), p99: p50 * (5 + 2 * Math.random()), inflight: Math.round(req / 20), queued: t % 180 < 20 ? Math.round(6 * Math.random()) : 0, replicas: replicasAt(t) };
}
const replicasAt = (t) => (wave(t, 240) > 0.7 ? 4 : 2);
const names = ['hello-7-kfxbdy', 'hello-7-fxmbdy', 'hello-7-qzrabc', 'hello-7-mmtwop'];

function figuresAt(t) {
  return names.slice(0, replicasAt(t)).map((replica, i) => ({ replica, t, cpu: 20 + 60 * wave(t, 240, i * 0.2) + 8 * Math.random(), mem: 38 + i * 3 + wave(t, 600) * 6, disk: 1 + i * 0.4, swap: 0 }));
}
const hostAt = (t) => ({ t, cpu: 25 + 20 * wave(t, 240), mem: 22 + wave(t, 900), disk: 14.1, swap: null });

const windowAt = (t) => ({ seconds: 60, requests: 3120, rate: 40 + 40 * wave(t, 240), errors: 12, p50: 6.1, p95: 21.4 + wave(t, 50), p99: 44.2 });

export function serve(socket, app) {
  let last = Math.floor(Date.now() / 1000);
  let total = { requests: 10000, logs: 16042 };
  const span = Array.from({ length: HISTORY }, (_, i) => last - HISTORY + 1 + i);
  const all = (t) => [['hello', 1], ['shop', 2.4], ['notes', 0.05], ['reports', 0]].map(([name, k]) => ({ app: name, rate: k * (30 + 40 * wave(t, 60 * (k + 1))), p95: k ? 20 * k + 5 * Math.random() : null, errors: name === 'notes' ? 4 : 0, replicas: k ? Math.ceil(k * 2) : 0 }));
  const send = (frame) => socket.readyState === 1 && socket.send(JSON.stringify({ t: Date.now(), app, tenant: 'default', ...frame }));
  send({
    snapshot: true, points: span.map(pointAt).filter(Boolean), figures: span.flatMap(figuresAt), host: span.map(hostAt), routes: routes(), window: windowAt(last), total,
    logs: Array.from({ length: 60 }, (_, i) => record(Date.now() - (60 - i) * 400)), dropped: 0,
    events: [{ t: (last - 800) * 1000, event: 'deployed', msg: 'Release 7 is live: 2 replicas.' }, { t: (last - 610) * 1000, event: 'scaled', msg: '2 → 4 replicas: p95 of load over 5 minutes is 91 % (limit 85 %).' }, { t: (last - 200) * 1000, event: 'scaled', msg: '4 → 2 replicas: p95 of load over 5 minutes is 31 % (limit 50 %).' }, { t: (last - 120) * 1000, event: 'alert_firing', msg: 'cpu 93 % > 90 % for 1 min' }, { t: (last - 60) * 1000, event: 'alert_resolved', msg: 'cpu is 71 % again' }],
    apps: app ? undefined : all(last),
  });
  const timer = setInterval(() => {
    const t = Math.floor(Date.now() / 1000);
    const fresh = Array.from({ length: 1 + Math.floor(Math.random() * 4) }, () => record());
    total = { requests: total.requests + fresh.length * 2, logs: total.logs + fresh.length };
    const frame = { points: [pointAt(t)].filter(Boolean), logs: fresh, total, dropped: Math.random() < 0.02 ? 120 : 0 };
    if (t !== last) {
      Object.assign(frame, { figures: figuresAt(t), host: [hostAt(t)], routes: routes(1 + Math.random() * 0.01), window: windowAt(t), apps: app ? undefined : all(t) });
      if (t % 45 === 0) frame.events = [{ t: t * 1000, event: 'scaled', msg: '2 → 3 replicas: p95 of load over 5 minutes is 88 % (limit 85 %).' }];
      last = t;
    }
    send(frame);
  }, 200);
  socket.on('close', () => clearInterval(timer));
}
