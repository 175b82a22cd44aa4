// A stand-in for the backends while the pages are made: console on 15001, dashboard on 15005, pages from dist/.
// `node mock/server.mjs [empty]`; sign in with admin / fox.
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { WebSocketServer } from 'ws';
import * as data from './data.mjs';
import { serve } from './live.mjs';

const dist = new URL('../dist/', import.meta.url).pathname;
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";
if (process.argv[2] !== 'empty') data.seed();

const json = (res, body, status = 200) => res.writeHead(status, { 'Content-Type': status < 400 ? 'application/json' : 'application/problem+json' }).end(JSON.stringify(body));
const problem = (res, status, detail) => json(res, { title: 'Refused', status, detail }, status);
const signedIn = (req) => /kurama_session=yes/.test(req.headers.cookie ?? '');

function file(res, name) {
  const path = join(dist, name);
  if (!path.startsWith(dist) || !existsSync(path) || statSync(path).isDirectory()) return problem(res, 404, 'No such page.');
  res.writeHead(200, { 'Content-Type': types[extname(path)] ?? 'application/octet-stream', 'Content-Security-Policy': POLICY });
  createReadStream(path).pipe(res);
}

async function body(req) {
  const parts = [];
  for await (const p of req) parts.push(p);
  return Buffer.concat(parts);
}

async function api(req, res, url) {
  const path = url.pathname.replace('/api/v1', '');
  const m = `${req.method} ${path}`;
  if (m === 'POST /session') {
    const { name, password } = JSON.parse(await body(req));
    if (password !== 'fox') return problem(res, 401, 'The name or the password is wrong. After 5 failed tries a minute passes before the next.');
    res.setHeader('Set-Cookie', 'kurama_session=yes; Path=/; HttpOnly; SameSite=Lax');
    return json(res, { ...data.session, user: name });
  }
  if (!signedIn(req)) return problem(res, 401, 'Sign in first.');
  if (m === 'DELETE /session') return res.writeHead(204, { 'Set-Cookie': 'kurama_session=; Path=/; Max-Age=0' }).end();
  if (m === 'GET /session') return json(res, data.session);
  if (m === 'GET /apps') return json(res, { apps: [...data.apps.keys()].map(data.view) });
  if (m === 'GET /tenants') return json(res, { tenants: [{ name: 'default', created_at: new Date(1.79e12), apps: 4 }, { name: 'acme', created_at: new Date(1.794e12), apps: 1 }] });
  if (m === 'GET /users') return json(res, { users: [{ name: 'admin', role: 'operator', created_at: new Date(1.79e12) }, { name: 'mira', role: 'developer', created_at: new Date(1.794e12) }] });
  if (m === 'GET /tokens') return json(res, { tokens: [{ id: 't1', name: 'laptop', role: 'developer', created_by: 'admin', created_at: new Date(Date.now() - 9e6), used_at: new Date(Date.now() - 9e4), expires_at: new Date(Date.now() + 9e9) }] });
  if (m === 'POST /tokens') return json(res, { id: 't2', token: 'kur_4f9a0c61c2e84d1b', name: 'x' });
  if (m === 'GET /policies') return json(res, { policies: data.policies });
  if (m === 'GET /status') return json(res, data.status);
  const [, , name, what = '', id, sub] = path.split('/').map(decodeURIComponent);
  if (path.startsWith('/apps/')) return app(req, res, url, name, what, id, sub);
  problem(res, 404, `There is nothing at ${path}.`);
}

async function app(req, res, url, name, what, id, sub) {
  if (req.method === 'POST' && what === 'releases') {
    const sent = await body(req);
    console.log(req.headers['content-type'], ...(sent.toString('latin1').match(/ name="[^"]*"/g) ?? []));
    const size = sent.length;
    if (size < 10) return problem(res, 400, 'The archive is empty. Nothing was stored.');
    if (!data.apps.has(name)) data.addApp(name, 'deploying', 1, []);
    const a = data.apps.get(name);
    const made = data.release(name, (a.releases[0]?.number ?? 0) + 1, 'building', 0, { created_at: new Date().toISOString(), reason: undefined });
    a.releases.unshift(made);
    return json(res, made, 202);
  }
  const a = data.apps.get(name);
  if (!a) return problem(res, 404, `There is no app ${name}.`);
  const key = `${req.method} ${what}`;
  if (key === 'GET releases' && sub === 'log') return buildLog(res, name, Number(id));
  if (key === 'GET releases') return json(res, id ? a.releases.find((r) => r.number === Number(id)) : { releases: a.releases });
  if (key === 'GET logs') return logs(req, res, url, name);
  if (key === 'PUT scale') {
    a.app.desired = a.app.ready = JSON.parse(await body(req)).replicas;
    return json(res, { message: '' });
  }
  if (key === 'DELETE ') return data.apps.delete(name), res.writeHead(204).end();
  if (what === 'pipeline') return json(res, id === 'flow' ? data.flow() : data.pipeline(req.method === 'PUT' ? JSON.parse(await body(req)) : null, url.searchParams.has('dry_run')));
  const answers = {
    'GET ': () => data.view(name), 'GET profile': () => data.profile(url.searchParams.get('window')), 'GET scaling': () => data.policy, 'PUT scaling': () => data.policy,
    'GET decisions': () => ({ decisions: data.decisions }), 'GET alerts': () => ({ alerts: data.rules }), 'POST alerts': () => data.rules[0], 'GET notifications': () => ({ notifications: data.notifications }),
    'GET archive': () => data.archive, 'GET env': () => ({ vars: { DATABASE_URL: 'postgres://db.example/notes', DEBUG: '0' } }), 'PUT env': () => ({ vars: {}, release: a.releases[0] }), 'POST restart': () => ({}), 'POST rollback': () => a.releases[0],
  };
  return answers[key] ? json(res, answers[key]()) : problem(res, 404, `There is nothing at ${url.pathname}.`);
}

async function buildLog(res, name, number) {
  const a = data.apps.get(name);
  const r = a.releases.find((x) => x.number === number);
  res.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
  const slow = r.state === 'building';
  let at = Date.parse(r.created_at);
  const failed = r.state === 'failed';
  const steps = failed ? [...data.steps.slice(0, 9), ['health', 'Waiting for an answer on /', 2000], ['failed', r.reason, 0]] : data.steps;
  for (const [i, [step, line, took]] of steps.entries()) {
    res.write(JSON.stringify({ n: i + 1, at: new Date(at).toISOString(), step, line }) + '\n');
    at += took;
    if (slow) await new Promise((ok) => setTimeout(ok, took * 2));
  }
  if (slow) {
    for (const old of a.releases) if (old.state === 'live') old.state = 'superseded';
    Object.assign(r, { state: 'live', live_at: new Date().toISOString() });
    Object.assign(a.app, { state: 'running', release: number, ready: a.app.desired, reason: '' });
  }
  res.end(JSON.stringify({ end: true, state: r.state, reason: r.reason, address: a.app.address }) + '\n');
}

function logs(req, res, url, name) {
  if (url.searchParams.get('follow') === 'true') {
    res.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
    const timer = setInterval(() => res.write(JSON.stringify(data.record(Date.now(), name)) + '\n'), 120);
    return req.on('close', () => clearInterval(timer));
  }
  const from = Number(url.searchParams.get('cursor') || Date.now());
  const release = name === 'notes' ? { release: 1 } : {};
  const records = Array.from({ length: 200 }, (_, i) => ({ ...data.record(from - i * 731, name), ...release }));
  const level = url.searchParams.get('level');
  json(res, { records: level === 'ERROR' ? records.filter((r) => r.level === 'ERROR') : records, cursor: String(from - 200 * 731) });
}

const page = (html) => async (req, res) => {
  const url = new URL(req.url, 'http://x');
  try {
    if (url.pathname === '/api/session') return signedIn(req) ? json(res, data.session) : problem(res, 401, 'Sign in first.');
    if (url.pathname === '/api/apps') return json(res, { apps: [...data.apps.keys()] });
    if (url.pathname === '/api/live') return signedIn(req) ? res.writeHead(400).end() : problem(res, 401, 'Sign in first.');
    if (url.pathname.startsWith('/api/v1/')) return await api(req, res, url);
    file(res, url.pathname === '/' ? html : url.pathname.slice(1));
  } catch (err) {
    problem(res, 500, String(err));
  }
};

createServer(page('console.html')).listen(15001, '127.0.0.1');
const live = createServer(page('dashboard.html')).listen(15005, '127.0.0.1');
const sockets = new WebSocketServer({ noServer: true });
live.on('upgrade', (req, socket, head) => {
  const url = new URL(req.url, 'http://x');
  if (!signedIn(req)) return socket.destroy();
  sockets.handleUpgrade(req, socket, head, (ws) => serve(ws, url.searchParams.get('app') ?? ''));
});
console.log('console http://localhost:15001  dashboard http://localhost:15005  (admin / fox)');
