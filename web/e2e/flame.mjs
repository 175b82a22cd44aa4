// The Profile tab: its requests are sampled at the press of a button and drawn as a flame graph, which zooms, walks by keys and
// is searched; the slowest routes are listed, and one whose median is above the app's is marked.
import { ask, at, open, picture, signIn, until } from './browser.mjs';

const { browser, page, complaints } = await open();
let over = false;
const traffic = (async () => {
  while (!over) await ask(`${at('APP')}.localhost`, '/work?ms=40').catch(() => {});
})();
try {
  await signIn(page);
  await page.goto(`${at('CONSOLE')}#/apps/${at('APP')}/profile?window=15m`);
  await page.getByTestId('flame-begin').click();
  await page.getByTestId('flame-begin').and(page.locator('[disabled]')).waitFor(); // it is under way
  const flame = page.getByTestId('flame');
  const work = flame.locator('.flame-box').filter({ hasText: /^work \(app\.py/ }).first();
  await work.waitFor({ timeout: 60_000 });
  await work.click();
  await flame.getByText('Zoom out').waitFor();
  if (Number.parseFloat(await work.evaluate((b) => b.style.width)) < 99) throw new Error('what was clicked does not fill the graph');
  await work.press('Escape'); // out by one
  await work.press('ArrowUp');
  await flame.getByLabel('Search functions and files').fill('app.py');
  await flame.getByText('of the time is below what matches').waitFor();
  if ((await flame.locator('.flame-match').count()) === 0) throw new Error('nothing matches app.py');
  await until('/slow is in both lists of slow routes', async () => (await page.getByTestId('slow-route').filter({ hasText: '/slow' }).count()) === 2 || 'not yet');
  await until('/slow is marked', async () => (await page.locator('[data-testid=profile-row][data-route="/slow"]').getByRole('img', { name: 'above the app' }).count()) === 1 || 'no mark');
  await picture(page, 'flame');
  if (complaints.length) throw new Error('the page complained:\n' + complaints.join('\n'));
} catch (error) {
  await picture(page, 'failure').catch(() => {});
  console.error(error);
  process.exitCode = 1;
} finally {
  over = true;
  await traffic;
  await browser.close();
}
