// What a viewer sees of a stream of records, for `go run ./internal/bench pixel`: how long a record takes until it is on the
// screen, and what the open tab costs. The last line printed is JSON.
import { at, open, signIn } from './browser.mjs';

const seconds = Number(at('SECONDS'));
const { browser, page } = await open();
try {
  await signIn(page);
  const cdp = await page.context().newCDPSession(page);
  await page.goto(at('DASHBOARD') + '#' + at('APP'));
  await page.locator('[data-testid=log-row]').first().waitFor();
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
  const metric = async (key) => (await cdp.send('Performance.getMetrics')).metrics.find((m) => m.name === key).value;
  const heap = async () => {
    await cdp.send('HeapProfiler.collectGarbage');
    return metric('JSHeapUsedSize');
  };

  // First the tab alone, so that nothing looks at it but Chromium.
  const heaps = [await heap()];
  const cpu = await metric('TaskDuration');
  const began = Date.now();
  for (let i = 0; i < 4; i++) {
    await page.waitForTimeout(seconds * 250);
    heaps.push(await heap());
  }
  const share = ((await metric('TaskDuration')) - cpu) / ((Date.now() - began) / 1000);

  // Then each row that comes into the live log. What is in the document before a frame is painted in it: the next one bounds when that was.
  const delays = await page.evaluate((ms) => new Promise((done) => {
    const tail = document.querySelector('[data-testid=log-tail]');
    const seen = new WeakSet(), delays = [];
    let fresh = [];
    const end = performance.now() + ms, warm = performance.now() + 1500;
    const frame = () => {
      const now = performance.timeOrigin + performance.now();
      for (const made of fresh) delays.push(now - made);
      fresh = [];
      for (const row of tail.querySelectorAll('[data-testid=log-row]')) {
        if (seen.has(row)) continue;
        seen.add(row);
        const [h, m, s] = row.firstElementChild.textContent.split(':').map(Number);
        const made = new Date(now).setHours(h, m, 0, 0) + s * 1000;
        if (performance.now() > warm) fresh.push(made);
      }
      if (performance.now() < end) requestAnimationFrame(frame);
      else done(delays);
    };
    requestAnimationFrame(frame);
  }), seconds * 1000);
  console.log(JSON.stringify({ delays, share: 100 * share, heaps }));
} finally {
  await browser.close();
}
