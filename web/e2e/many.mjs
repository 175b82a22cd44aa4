// Pages with a lot to show, for `go run ./internal/bench pages`: how long each takes until it shows what it is for, and what it
// costs to leave open. The last line printed is JSON.
import { at, open, signIn } from './browser.mjs';

const C = at('CONSOLE'), D = at('DASHBOARD'), busy = at('BUSY'), routes = at('ROUTES');
const PAGES = [
  ['console, 10 000 apps', C, '[data-testid=app-row]'],
  ['console, newest records of 5 million rows', `${C}#/apps/${busy}/logs?range=7d`, '[data-testid=log-row]'],
  ['console, profile of 500 routes', `${C}#/apps/${routes}/profile?window=1h`, '[data-testid=profile-row]'],
  ['dashboard, all of 10 000 apps', `${D}#`, '[data-testid=app-table] tbody tr:nth-child(100)'],
  ['dashboard, an app of 500 routes', `${D}#${routes}`, '[data-testid=route-row]'],
];
const AFTER = 6000; // ms that a page is left open

const { browser, page, complaints } = await open();
const found = [];
try {
  await signIn(page);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
  const metric = async (key) => (await cdp.send('Performance.getMetrics')).metrics.find((m) => m.name === key).value;
  for (const [name, url, seen] of PAGES) {
    await page.goto('about:blank');
    const began = Date.now();
    await page.goto(url);
    await page.locator(seen).first().waitFor({ timeout: 30_000 });
    const shown = Date.now() - began;
    const cpu = await metric('TaskDuration'), from = Date.now();
    await page.waitForTimeout(AFTER);
    const share = (100 * ((await metric('TaskDuration')) - cpu)) / ((Date.now() - from) / 1000);
    await cdp.send('HeapProfiler.collectGarbage');
    found.push({ page: name, shown, share, heap: await metric('JSHeapUsedSize'), nodes: await metric('Nodes') });
  }
  if (complaints.length) throw new Error('the pages complained:\n' + complaints.join('\n'));
  console.log(JSON.stringify(found));
} finally {
  await browser.close();
}
