// Every page, light and dark: nothing serious for axe, nothing wider than the window, no complaint, a small first load, a picture.
import { readFileSync } from 'node:fs';
import { at, open, picture, signIn } from './browser.mjs';

const app = at('APP');
const C = at('CONSOLE'), D = at('DASHBOARD');
const of = (page) => `${C}#/apps/${app}/${page}`;

// name, address, what must be seen before the page is judged
const PAGES = [
  ['apps', C, '[data-testid=app-row]'],
  ['overview', of('overview'), '[data-testid=trends]'],
  ['releases', of('releases'), 'text=Superseded'],
  ['release', of('releases/1'), '[data-testid=build-step]'],
  ['release-failed', `${C}#/apps/broken/releases/1`, '[data-testid=deploy-failed]'],
  ['logs', of('logs'), '[data-testid=log-row]'],
  ['logs-live', of('logs?live=1'), '[data-testid=log-row]'],
  ['profile', of('profile'), '[data-testid=profile-row]'],
  ['alerts', of('alerts?condition=p95%20%3E%20100%20ms'), '[data-testid=alert-preview] canvas'],
  ['archive', of('archive'), '[data-testid=archive-download]'],
  ['pipeline', of('pipeline'), '[data-testid=pipeline-canvas] .react-flow__edge'],
  ['scaling', of('scaling'), '[data-testid=policy-says]'],
  ['load', of('load'), '[data-testid=load-begin]'],
  ['environment', of('environment'), '[data-testid=env-save]'],
  ['domains', of('routing'), '[data-testid=routing-save]'],
  ['storage', of('storage'), '[data-testid=database-create]'],
  ['isolation', of('isolation'), '[data-testid=isolation-measure]'],
  ['danger', of('danger'), '[data-testid=delete-name]'],
  ['no-such-page', of('nonsense'), 'text=has no page'],
  ['users', `${C}#/access`, 'table'],
  ['tokens', `${C}#/access/tokens`, 'text=Make token'],
  ['audit', `${C}#/access/audit`, '[data-testid=deed]'],
  ['quota', `${C}#/access/quota`, '[data-testid=quota-save]'],
  ['archive-limits', `${C}#/access/archive`, '[data-testid=archive-limits-save]'],
  ['tenants', `${C}#/access/tenants`, 'table'],
  ['status', `${C}#/status`, 'text=autoscaler'],
  ['other-tenant', `${C}#/?tenant=acme`, '[data-testid=app-row]'],
  ['dashboard', `${D}#${app}`, '[data-testid=connection][data-state=live]'],
  ['dashboard-past', `${D}#${app}?span=900&end=${Math.floor(Date.now() / 1000) - 5}`, '[data-testid=past-bar]'],
  ['dashboard-all', `${D}#`, '[data-testid=app-table]'],
];
const LOOKS = [
  ['', { viewport: { width: 1360, height: 860 }, colorScheme: 'light' }],
  ['-dark', { viewport: { width: 1360, height: 860 }, colorScheme: 'dark' }],
  ['-phone', { viewport: { width: 390, height: 844 }, colorScheme: 'light', deviceScaleFactor: 2, hasTouch: true }],
  ['-wide', { viewport: { width: 1920, height: 1080 }, colorScheme: 'dark' }],
];
const looks = process.env.LOOKS === 'all' ? LOOKS : LOOKS.slice(1, 3); // dark at a desk, light on a phone
const LIMIT = 300_000; // bytes of a first load, compressed
const axe = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const found = [];

for (const [name, url] of [['console', C], ['dashboard', `${D}#${app}`]]) await measure(name, url);
for (let i = 0; i < looks.length; i += 2) await Promise.all(looks.slice(i, i + 2).map(([look, options]) => visit(look, options)));
if (found.length) {
  console.error(found.join('\n'));
  process.exitCode = 1;
}

async function measure(name, url) {
  const { browser, page } = await open();
  await signIn(page);
  const fresh = await page.context().newPage();
  const cdp = await page.context().newCDPSession(fresh);
  await cdp.send('Network.enable');
  await cdp.send('Network.setCacheDisabled', { cacheDisabled: true });
  let bytes = 0;
  cdp.on('Network.loadingFinished', (e) => { bytes += e.encodedDataLength; });
  await fresh.goto(url);
  await fresh.locator(name === 'console' ? '[data-testid=app-row]' : '[data-testid=connection][data-state=live]').first().waitFor();
  await fresh.waitForTimeout(500);
  console.log(`first load of the ${name}: ${Math.round(bytes / 1000)} kB`);
  if (bytes > LIMIT || bytes < 50_000) found.push(`the first load of the ${name} is ${bytes} bytes`);
  await browser.close();
}

async function visit(look, options) {
  const { browser, page, complaints } = await open(options);
  try {
    await page.goto(C);
    await page.getByTestId('sign-in-name').waitFor();
    await judge(page, 'sign-in' + look);
    await page.goto(`${D}#${app}`);
    await page.getByRole('link', { name: /sign in/i }).waitFor();
    await judge(page, 'dashboard-signed-out' + look);
    await signIn(page);
    for (const [name, url, seen] of PAGES) {
      await page.goto(url); // within a page, as a click would lead there
      await page.locator(seen).first().waitFor({ timeout: 15_000 });
      await page.waitForTimeout(url.startsWith(D) ? 2500 : 600); // charts and late rows
      await judge(page, name + look);
    }
  } catch (error) {
    await picture(page, 'failure').catch(() => {});
    found.push(`${page.url()}${look}: ${error}`);
  } finally {
    found.push(...complaints);
    await browser.close();
  }
}

async function judge(page, name) {
  await picture(page, name);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (over > 0) found.push(`${name} is ${over} px wider than the window`);
  await page.evaluate(axe);
  const violations = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations));
  for (const v of violations) {
    const line = `${name}: ${v.impact} ${v.id}: ${v.nodes.slice(0, 3).map((n) => n.target.join(' ') + ' ' + (n.any[0]?.message ?? '')).join(' | ')}`;
    if (v.impact === 'serious' || v.impact === 'critical') found.push(line);
    else console.log(line);
  }
}
