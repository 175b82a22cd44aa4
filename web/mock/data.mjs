// What the mock serves: one tenant with a few apps, and figures that move.
const now = Date.now();
const iso = (t) => new Date(t).toISOString();
const min = 60000;

export const session = { user: 'admin', role: 'operator', tenant: 'default', csrf: 'mock', dashboard_url: 'http://localhost:15005', router_port: 8080, domain: 'localhost' };

const limits = { cpu: 1, memory: 268435456, disk: 134217728, pids: 128, nofile: 1024 };
const start = { command: ['gunicorn', '-k', 'gthread', '-w', '2', '--threads', '8', 'app:app'], shell: false, health: '/', why: 'app.py has a Flask object called `app`, so gunicorn serves `app:app` with 2 workers of 8 threads.' };

export function release(app, number, state, age, more = {}) {
  return { tenant: 'default', app, number, state, source_digest: 'a3f9c1d2e4b5' + number + '77', layer: '', start, limits, created_by: 'admin', created_at: iso(now - age), live_at: state === 'live' || state === 'superseded' ? iso(now - age + 1400) : null, ...more };
}

export const apps = new Map();
export function addApp(name, state, desired, releases, more = {}) {
  const live = releases.find((r) => r.state === 'live');
  apps.set(name, { releases, log: new Map(), app: { tenant: 'default', name, state, desired, release: live?.number ?? 0, created_at: iso(now - 9e6), updated_at: iso(now), address: `http://${name}.localhost:8080`, ready: state === 'running' ? desired : 0, ...more } });
}

export function view(name) {
  const { app, releases } = apps.get(name);
  const replicas = Array.from({ length: app.ready }, (_, i) => ({ id: `${name}-${app.release}-${'kfxmqzra'.slice(i, i + 3)}${'bdy'}`, tenant: 'default', app: name, release: app.release, state: 'healthy', address: `10.90.0.${i + 2}:8000`, started_at: iso(now - 14 * min + i * 90000), restarts: i === 1 ? 1 : 0 }));
  return { ...app, replicas, last_release: releases[0] ?? null };
}

const DEAD = 'The app answered no request within 30 s: its process ended with status 1 right after the start. The last line it wrote was `ModuleNotFoundError: No module named \'flask_foo\'`. Add flask_foo to requirements.txt and deploy again.';
export function seed() {
  addApp('hello', 'running', 2, [release('hello', 7, 'live', 14 * min), release('hello', 6, 'failed', 26 * min, { reason: DEAD }), release('hello', 5, 'superseded', 3 * 60 * min), release('hello', 4, 'superseded', 50 * 60 * min, { rollback_of: 2 })]);
  addApp('shop', 'running', 4, [release('shop', 12, 'live', 47 * min)]);
  addApp('notes', 'failed', 1, [release('notes', 1, 'failed', 5 * min, { reason: DEAD })], { reason: DEAD });
  addApp('reports', 'stopped', 0, [release('reports', 3, 'live', 30 * 60 * min)]);
}

export const steps = [
  ['unpack', 'Received hello.zip, 4.1 KiB', 90], ['unpack', 'Unpacked 6 files, 11 KiB', 60],
  ['detect', start.why, 120],
  ['dependencies', 'requirements.txt: flask, requests', 50], ['dependencies', 'Collecting flask', 180], ['dependencies', 'Collecting requests', 180], ['dependencies', 'Installed 2 packages beside the base, layer 9c1f2ab4', 240],
  ['start', 'Starting 1 replica with 1 core and 256 MiB', 160], ['start', 'hello-8-kfxbdy started', 120],
  ['health', 'GET / answered 200 after 312 ms', 320],
  ['switch', 'Requests go to release 8', 60],
  ['drain', 'Release 7 finished its last request', 140],
  ['done', 'Live at http://hello.localhost:8080', 20],
];

const ROUTES = [['GET', '/', 0.5, 4, 0], ['GET', '/slow', 0.08, 420, 0.01], ['GET', '/user/<int:id>', 0.25, 11, 0.002], ['POST', '/notes', 0.12, 28, 0.03], ['GET', '/search', 0.05, 96, 0]];
let n = 0;
export function record(t = Date.now(), app = 'hello') {
  const x = Math.random();
  n++;
  const base = { ts: iso(t), id: `0193${(n + 0x100000).toString(16)}-7a00-8000-${Math.random().toString(16).slice(2, 14)}`, tenant: 'default', app, release: 7, replica: `${app}-7-${x < 0.5 ? 'kfxbdy' : 'fxmbdy'}`, cpu: 20 + 30 * x, disk: 1.2, swap: 0, mem: 41.3 };
  const [method, route, , d] = ROUTES[Math.floor(Math.random() * ROUTES.length)];
  const url = route.replace('<int:id>', String(Math.ceil(x * 900)));
  const bad = Math.random() < 0.03;
  const dur = d * (0.6 + Math.random());
  const status = bad ? 500 : Math.random() < 0.05 ? 404 : 200;
  const req = Math.random().toString(36).slice(2, 14);
  if (Math.random() < 0.6) return { ...base, kind: 'request', level: bad ? 'ERROR' : status === 404 ? 'WARNING' : 'INFO', method, url, route, status, msg: `${method} ${url} ${status} ${dur.toFixed(1)} ms`, dur, queue: 0.3, cpu_ms: dur / 6, req };
  if (bad) return { ...base, kind: 'log', level: 'ERROR', method, url, route, status: null, req, msg: 'the payment provider did not answer', exc: 'Traceback (most recent call last):\n  File "/app/app.py", line 42, in pay\n    charge(order)\n  File "/app/app.py", line 17, in charge\n    raise TimeoutError("no answer within 5 s")\nTimeoutError: no answer within 5 s' };
  const says = ['somebody said hello', 'cache warmed in 12 ms', 'note 17 was asked for, and is not there', '<script>alert(1)</script> is only text here', 'user 42 signed in'];
  const k = Math.floor(Math.random() * says.length);
  return { ...base, kind: 'log', level: k === 2 ? 'WARNING' : k === 1 ? 'DEBUG' : 'INFO', method, url, route, status, msg: says[k], req, extra: k === 4 ? { user: 42, plan: 'free' } : undefined };
}

export function routes(scale = 1) {
  return ROUTES.map(([method, route, share, d, e]) => ({ method, route, requests: Math.round(9000 * share * scale), errors: Math.round(9000 * share * e * scale), p50: d * 0.8, p95: d * 1.7, p99: d * 2.4, mean: d, cpu_ms: d / 5, db_ms: d / 3, bytes: 900 * d, rate: 30 * share }));
}

export const profile = (window) => ({ window, from: iso(Date.now() - 36e5), to: iso(Date.now()), routes: [...routes(), { method: 'GET', route: '/healthz', requests: 120, errors: 0, p50: 0.8, p95: 1.1, p99: 2, mean: 0.9, cpu_ms: 0.2, db_ms: null, bytes: 2, rate: 0.03 }] });
export const policy = { name: 'kurama', min: 1, max: 8, load_window: 300, load_up: 85, load_down: 50, time_window: 600, time_up: 200, cooldown: 60, concurrency: 0, schedule: '', step: { up: 60, up_for: 180, down: 42, down_for: 900, cooldown: 60 } };
export const policies = [
  { name: 'kurama', what: 'Adds replicas when the 95th percentile of load or of response time is above its limit.', source: "Kurama's own", numbers: [
    { policy: 'kurama', name: 'load_up', unit: '%', low: 1, high: 100, default: 85, what: 'of load, above which replicas are added' },
    { policy: 'kurama', name: 'load_down', unit: '%', low: 0, high: 100, default: 50, what: 'of load, below which a replica is taken away' }] },
  { name: 'step', what: 'Adds one replica when CPU was high for minutes.', source: "AWS' alarms with step scaling", numbers: [
    { policy: 'step', name: 'up', unit: '%', low: 1, high: 100, default: 60, what: 'of CPU, above which a replica is added' }] },
  { name: 'off', what: 'Leaves the number of replicas to you.', source: '', numbers: [] },
];
export const decisions = [
  { at: iso(now - 12 * min), policy: 'kurama', from: 4, to: 2, reason: '4 → 2 replicas: p95 of load over 5 minutes is 31 % (limit 50 %).', inputs: {} },
  { at: iso(now - 64 * min), policy: 'kurama', from: 2, to: 4, reason: '2 → 4 replicas: p95 of load over 5 minutes is 91 % (limit 85 %).', inputs: {} },
  { at: iso(now - 90 * min), policy: 'kurama', from: 1, to: 2, reason: '1 → 2 replicas: p95 of response time over 10 minutes is 260 ms (limit 200 ms).', inputs: {} },
];
export const rules = [
  { id: 'r1', condition: 'cpu > 90', for: 60, receiver: 'me@example.org', state: 'firing', since: iso(now - 3 * min), value: '93 %', created_at: iso(now - 9e6) },
  { id: 'r2', condition: 'error_rate > 5', for: 300, receiver: 'team@example.org', state: 'ok', since: iso(now - 9e5), value: '0.4 %', created_at: iso(now - 9e6) },
];
const mail = 'hello: cpu 93 % > 90 % for 1 min\n\nSince 10:04:12 the CPU of hello is above 90 % of its limit; it is 93 % now.\n\n  ▁▁▂▂▃▅▆▇█▇██\n\nThe last records:\n  10:05:10 ERROR the payment provider did not answer\n\nWatch it: http://localhost:15005/#hello\n';
export const notifications = [
  { id: 'n1', kind: 'firing', recipient: 'me@example.org', subject: 'hello: cpu 93 % > 90 % for 1 min', body_text: mail, state: 'outbox', attempts: 0, error: '', created_at: iso(now - 3 * min), sent_at: null },
  { id: 'n2', kind: 'test', recipient: 'me@example.org', subject: 'hello: a test of the rule cpu > 90', body_text: mail, state: 'outbox', attempts: 0, error: '', created_at: iso(now - 30 * min), sent_at: null },
];
export const archive = { files: [0, 1, 2].map((i) => ({ name: `hello-0000${i}21-0000${i + 1}20.jsonl.zst`, from: iso(now - (4 - i) * 36e5), to: iso(now - (3 - i) * 36e5), records: 48211 + i * 991, bytes: 3114221 + i * 81234, sha256: 'b1946ac92492d2347c6235b4d2611184b1946ac92492d2347c6235b4d2611184' })), from: iso(now - 4 * 36e5), to: iso(now - 36e5), records: 147606, bytes: 9586365 };
export const status = { roles: ['stream', 'logship', 'paas', 'router', 'persist', 'archive', 'alert', 'profile', 'dashboard', 'autoscaler'].map((name) => ({ name, ready: name !== 'archive', detail: name === 'persist' ? 'lag 12 records' : name === 'archive' ? 'restarting after a crash, attempt 2' : '' })), host: { cpu: 31.2, mem: 22.4, disk: 14.1, swap: null } };

let drawn = {
  persist: { take: [{ level: 'INFO' }, { route: '/checkout*', when: 'dur > 500ms', sample: 0.25 }], retention_days: 7 }, profile: { off: true },
  receivers: [{ when: 'cpu > 90', to: 'ops@example.org', for: 60 }, { when: 'count(level >= ERROR, "5m") >= 10', to: 'https://hooks.example.org/kurama' }],
};

/** The pipeline of every app; next takes its place unless it is only tried. */
export function pipeline(next, dry) {
  const p = next ? { receivers: drawn.receivers, ...next } : drawn;
  if (!dry) drawn = p;
  return { pipeline: p, yaml: 'pipeline: ' + JSON.stringify(p) + '\n', declared: false };
}

/** What has come through it since the mock began. */
export function flow() {
  const s = performance.now() / 1000;
  const part = (name, taken, left, lag = 0) => ({ name, ready: true, taken, left, lag, errors: 0 });
  return { at: new Date().toISOString(), parts: [part('logship', null, null), part('stream', null, null, null), part('persist', 41 * s, 7 * s), part('archive', 48 * s, 0, 120), part('alert', 48 * s, 0),
    part('profile', 0, 48 * s), part('dashboard', 48 * s, 0), part('autoscaler', null, null)] };
}
