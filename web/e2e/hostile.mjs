// What an app writes is text: markup does not become elements, escapes and long lines do not break the layout.
import { at, open, picture, signIn, until } from './browser.mjs';

const { browser, page, complaints } = await open();
const app = at('APP');
const found = [];
const inPage = () => page.evaluate(() => ({
  injected: document.querySelectorAll('.from-log, [data-from-log]').length + (window.hacked ? 1 : 0),
  over: document.documentElement.scrollWidth - innerWidth,
  text: document.body.innerText,
}));

async function look(name, wanted) {
  for (const [width, height] of [[1360, 860], [390, 844]]) {
    await page.setViewportSize({ width, height });
    await page.waitForTimeout(400);
    const { injected, over, text } = await inPage();
    if (injected) found.push(`${name}: ${injected} elements came from the log`);
    if (over > 0) found.push(`${name}: ${over} px wider than ${width}`);
    if (/[\u001b\u202e]/.test(text)) found.push(`${name}: an escape or a turning mark is on the page`);
    for (const w of wanted) if (!text.includes(w)) found.push(`${name}, ${width} wide: no ${w}`);
    const rows = await page.locator('[data-testid=log-row]').evaluateAll((all) => all.map((e) => e.getBoundingClientRect().height));
    if (rows.some((h) => h > 40)) found.push(`${name}: a row is ${Math.max(...rows)} px high`);
    await picture(page, `hostile-${name}-${width}`);
  }
  await page.setViewportSize({ width: 1360, height: 860 });
}

try {
  await signIn(page);
  await page.goto(at('CONSOLE') + `#/apps/${app}/logs?kind=log`);
  await until('the lines are stored', async () => {
    const rows = await page.locator('[data-testid=log-row]').count();
    if (rows >= Number(at('LINES'))) return true;
    await page.getByText('Look again').click();
    await page.waitForTimeout(500);
    return `${rows} rows`;
  }, 30_000);
  await look('logs', ['<img class="from-log"', 'red and not', 'right to left']);
  for (const row of await page.locator('[data-testid=log-row]').all()) {
    await row.click();
    await page.getByTestId('log-detail').first().waitFor();
    const { injected, over } = await inPage();
    if (injected || over > 0) found.push(`a detail: ${injected} elements, ${over} px over`);
    await row.click();
  }
  await page.goto(at('DASHBOARD') + '#' + app);
  await until('the lines are live', async () => (await page.locator('[data-testid=log-row]').count()) >= Number(at('LINES')) || 'none', 30_000);
  await look('dashboard', ['<img class="from-log"', 'red and not']);
  await page.locator('[data-testid=log-row]').first().click();
  await page.getByTestId('log-detail').waitFor();
  await look('detail', []);
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
