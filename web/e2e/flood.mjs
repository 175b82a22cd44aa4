// A thousand records a second: neither the dashboard nor the console's live tail may freeze or grow.
// The figures are of the page's own process: CPU time of its main thread, heap after a collection, longest pause between two frames.
import { at, number, open, picture, signIn, until } from './browser.mjs';

const seconds = Number(at('SECONDS'));
const limits = { share: 0.25, heap: 150e6, pause: 5000 }; // a page that freezes stands still for longer than any busy machine lets it
const { browser, page, complaints } = await open();
const found = [];

async function watch(name, url, ready) {
  const cdp = await page.context().newCDPSession(page);
  await page.goto('about:blank');
  await page.goto(url);
  await page.locator(ready).first().waitFor();
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
  await page.evaluate(() => {
    window.longest = 0;
    let last = performance.now();
    const frame = (now) => {
      window.longest = Math.max(window.longest, now - last);
      last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  const metric = async (key) => (await cdp.send('Performance.getMetrics')).metrics.find((m) => m.name === key).value;
  const before = await metric('TaskDuration');
  const began = Date.now();
  await page.waitForTimeout(seconds * 1000);
  const share = ((await metric('TaskDuration')) - before) / ((Date.now() - began) / 1000);
  const pause = await page.evaluate(() => window.longest);
  await cdp.send('HeapProfiler.collectGarbage');
  const heap = await metric('JSHeapUsedSize');
  const nodes = await metric('Nodes');
  console.log(`${name}: ${(100 * share).toFixed(1)} % of a core on the main thread, heap ${(heap / 1e6).toFixed(1)} MB, ${nodes} nodes, longest pause ${Math.round(pause)} ms over ${seconds} s`);
  if (share > limits.share) found.push(`${name} takes ${share} of a core`);
  if (heap > limits.heap) found.push(`${name} holds ${heap} bytes`);
  if (pause > limits.pause) found.push(`${name} stood still for ${pause} ms`);
  await cdp.detach();
}

try {
  await signIn(page);
  await watch('dashboard', at('DASHBOARD') + '#' + at('APP'), '[data-testid=log-row]');
  await until('the flood is counted', async () => (await number(page, 'total-logs')) > 0 || 'no log record');
  await page.getByTestId('log-pause').click(); // it still answers
  await page.getByText(/Go on/).first().waitFor({ timeout: 2000 });
  await picture(page, 'flood-dashboard');
  await watch('live tail', at('CONSOLE') + `#/apps/${at('APP')}/logs?live=1`, '[data-testid=log-row]');
  await picture(page, 'flood-tail');
  if (complaints.length) found.push(...complaints);
} catch (error) {
  await picture(page, 'failure').catch(() => {});
  found.push(String(error));
} finally {
  await browser.close();
}
if (found.length) {
  console.error(found.join('\n'));
  process.exitCode = 1;
}
