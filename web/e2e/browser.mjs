// What the browser tests share: Debian's Chromium, signing in, pictures, requests to apps.
import { chromium } from 'playwright-core';
import http from 'node:http';
import { mkdirSync } from 'node:fs';

export const at = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
};

const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];

export async function open(look = {}) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: flags });
  const context = await browser.newContext({ viewport: { width: 1360, height: 860 }, acceptDownloads: true, ...look });
  const page = await context.newPage();
  const complaints = [];
  page.on('pageerror', (e) => complaints.push(`${page.url()}: ${e.message}`));
  // On a host that starts containers, Chromium gives up what it is loading whenever an interface comes or goes; the pages try again.
  page.on('console', (m) => m.type() === 'error' && !/401|ERR_NETWORK_CHANGED/.test(m.text()) && complaints.push(`${page.url()}: ${m.text()}`));
  return { browser, page, complaints };
}

export async function signIn(page) {
  await page.goto(at('CONSOLE'));
  await page.getByTestId('sign-in-name').fill(at('ACCOUNT'));
  await page.getByTestId('sign-in-password').fill(at('PASSWORD'));
  await page.getByTestId('sign-in-button').click();
  await page.getByTestId('drop-zone').first().waitFor();
}

export async function picture(page, name) {
  const folder = at('PICTURES');
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}

// ask sends one request to an app through the router; Node's resolver does not know *.localhost.
export function ask(host, path) {
  const router = new URL(at('ROUTER'));
  return new Promise((resolve, reject) => {
    const req = http.get({ host: '127.0.0.1', port: router.port, path, headers: { Host: `${host}:${router.port}` } }, (res) => {
      res.resume();
      res.on('end', () => resolve(res.statusCode));
    });
    req.on('error', reject);
  });
}

// number reads the figure shown at a test id, without its separators.
export async function number(page, id) {
  const text = await page.getByTestId(id).first().innerText();
  const digits = text.replace(/[^\d]/g, '');
  return digits === '' ? NaN : Number(digits);
}

// until polls check until it is true.
export async function until(what, check, ms = 20_000) {
  const deadline = Date.now() + ms;
  let last;
  while (Date.now() < deadline) {
    last = await check();
    if (last === true) return;
    await new Promise((r) => setTimeout(r, 100));
  }
  throw new Error(`${what}: not within ${ms} ms; last seen: ${last}`);
}
