// Screenshots of the pages against the mock: node mock/shots.mjs [name-part] [folder]
import { chromium } from 'playwright-core';

const only = process.argv[2] ?? '';
const folder = process.argv[3] ?? '/tmp/shots';
const C = 'http://localhost:15001/', D = 'http://localhost:15005/';
const PAGES = [
  ['apps', C], ['overview', C + '#/apps/hello'], ['releases', C + '#/apps/hello/releases'], ['release', C + '#/apps/hello/releases/7'], ['failed', C + '#/apps/notes/releases/1'],
  ['logs', C + '#/apps/hello/logs'], ['profile', C + '#/apps/hello/profile'], ['alerts', C + '#/apps/hello/alerts'], ['archive', C + '#/apps/hello/archive'],
  ['pipeline', C + '#/apps/hello/pipeline'], ['scaling', C + '#/apps/hello/scaling'], ['environment', C + '#/apps/hello/environment'], ['danger', C + '#/apps/hello/danger'], ['access', C + '#/access'], ['tokens', C + '#/access/tokens'], ['tenants', C + '#/access/tenants'], ['status', C + '#/status'],
  ['live', D + '#hello'], ['all', D + '#'],
];
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
for (const [look, size, scheme] of [['', { width: 1360, height: 860 }, 'light'], ['-dark', { width: 1360, height: 860 }, 'dark'], ['-phone', { width: 390, height: 844 }, 'light']]) {
  const context = await browser.newContext({ viewport: size, colorScheme: scheme });
  const page = await context.newPage();
  page.on('console', (m) => ['error', 'warning'].includes(m.type()) && !/401/.test(m.text()) && console.log(look, page.url(), m.text().slice(0, 300)));
  page.on('pageerror', (e) => console.log(look, page.url(), 'PAGE ERROR', e.message));
  await page.goto(C);
  await page.getByTestId('sign-in-name').waitFor();
  if ('sign-in'.includes(only)) await page.screenshot({ path: `${folder}/sign-in${look}.png` });
  await page.getByTestId('sign-in-name').fill('admin');
  await page.getByTestId('sign-in-password').fill('fox');
  await page.getByTestId('sign-in-button').click();
  await page.getByTestId('drop-zone').first().waitFor();
  for (const [name, url] of PAGES) {
    if (only && !name.includes(only)) continue;
    await page.goto('about:blank');
    await page.goto(url);
    await page.waitForTimeout(url.startsWith(D) || name === 'pipeline' ? 3500 : 900);
    await page.screenshot({ path: `${folder}/${name}${look}.png`, fullPage: true });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (over > 0) console.log(look, name, `is ${over} px wider than the window`);
  }
  await context.close();
}
await browser.close();
