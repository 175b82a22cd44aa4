// A canary on its page: its share, its replicas beside the others, and what the row says while it is promoted; then going back by itself is turned on.
import { at, open, picture, signIn, until } from './browser.mjs';

const app = at('APP');
const { browser, page, complaints } = await open();
try {
  await signIn(page);
  await page.goto(`${at('CONSOLE')}#/apps/${app}/overview`);
  await page.getByText('1 / 1 and 1 of the canary').waitFor();
  await page.goto(`${at('CONSOLE')}#/apps/${app}/releases`);
  const first = page.locator('tbody tr').first();
  await first.getByText('Canary, 20 %').waitFor();
  await picture(page, 'canary');
  // Whatever the row ever says is kept: half a second of nonsense is nonsense.
  await page.evaluate(() => {
    window.said = new Set();
    new MutationObserver(() => document.querySelectorAll('tbody tr:first-child .status').forEach((s) => window.said.add(s.textContent)))
      .observe(document.querySelector('tbody'), { subtree: true, childList: true, characterData: true });
  });
  await page.getByTestId('canary-promote').click();
  await until('the canary is live', async () => (await first.locator('.status').getAttribute('data-state')) === 'live' || first.innerText());
  const said = await page.evaluate(() => [...window.said]);
  if (said.some((s) => s !== 'Canary, 20 %' && s !== 'Live')) throw new Error(`the row said ${said.join(' / ')}`);
  await page.getByTestId('auto-rollback-switch').check({ force: true });
  await page.getByLabel('p95 of a route').waitFor();
  await picture(page, 'auto-rollback');
  await page.reload();
  await until('the switch stays on', async () => (await page.getByTestId('auto-rollback-switch').isChecked()) || 'it is off');
  console.log('promoted, and watched from now on');
  if (complaints.length) throw new Error('the pages complained:\n' + complaints.join('\n'));
} catch (error) {
  await picture(page, 'failure').catch(() => {});
  console.error(error);
  process.exitCode = 1;
} finally {
  await browser.close();
}
