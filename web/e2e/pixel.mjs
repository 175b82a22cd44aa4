// What a viewer sees of a stream of records, for `go run ./internal/bench pixel`: how long a record takes until it is on the
// screen, and what the open tab costs. The last line printed is JSON.
import { mkdirSync, readFileSync, writeFileSync, appendFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { at, open, signIn } from './browser.mjs';

const [opened, every, watched] = ['OPEN', 'EVERY', 'ROWS'].map((name) => Number(at(name))); // s
const file = at('SAMPLES');
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, 'seconds,heap_mb,private_mb,rss_mb,main_thread_cpu_s,process_cpu_s,nodes\n');

const { browser, page } = await open();
try {
  await signIn(page);
  const cdp = await page.context().newCDPSession(page);
  const whole = await browser.newBrowserCDPSession();
  await page.goto(at('DASHBOARD') + '#' + at('APP'));
  await page.locator('[data-testid=log-row]').first().waitFor();
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });

  // The tab's own process is the renderer that worked most: another one may stand by for the next page.
  const renderer = async () => (await whole.send('SystemInfo.getProcessInfo')).processInfo.filter((p) => p.type === 'renderer').sort((a, b) => b.cpuTime - a.cpuTime)[0];
  const memory = (pid, key) => 1024 * Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
  const began = Date.now();
  const sample = async () => {
    await cdp.send('HeapProfiler.collectGarbage');
    const { metrics } = await cdp.send('Performance.getMetrics');
    const metric = (name) => metrics.find((m) => m.name === name).value;
    const { id, cpuTime } = await renderer();
    const s = { at: (Date.now() - began) / 1000, heap: metric('JSHeapUsedSize'), private: memory(id, 'RssAnon'), main: metric('TaskDuration'), process: cpuTime };
    const line = [s.at, s.heap / 1e6, s.private / 1e6, memory(id, 'VmRSS') / 1e6, s.main, s.process, metric('Nodes')];
    appendFileSync(file, line.map((v) => Number(v.toFixed(2))).join() + '\n');
    return s;
  };

  // First the tab alone, so that nothing looks at it but Chromium.
  const samples = [await sample()];
  for (let next = every; next <= opened; next += every) {
    await page.waitForTimeout(Math.max(0, began + 1000 * next - Date.now()));
    samples.push(await sample());
  }

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
  }), watched * 1000);
  console.log(JSON.stringify({ delays, samples }));
} finally {
  await browser.close();
}
