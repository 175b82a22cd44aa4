// A folder, dropped as a person drops it: the browser hands the page a directory, with its caches and its history.
import { at, open, picture, signIn } from './browser.mjs';

const { browser, page, complaints } = await open();
try {
  await signIn(page);
  const zone = await page.getByTestId('drop-zone').first().boundingBox();
  const [x, y] = [zone.x + zone.width / 3, zone.y + zone.height / 2];
  const cdp = await page.context().newCDPSession(page);
  const data = { items: [], files: [at('FOLDER')], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver']) await cdp.send('Input.dispatchDragEvent', { type, x, y, data });
  await page.locator('[data-testid=drop-zone][data-over]').waitFor(); // it lights up
  await picture(page, 'drop-over');
  await cdp.send('Input.dispatchDragEvent', { type: 'drop', x, y, data });
  await page.getByTestId('app-name').waitFor();
  const said = await page.locator('.deploy-form').innerText();
  if (!said.includes(at('SAYS'))) throw new Error(`the form says ${said}`);
  await page.getByTestId('app-name').fill(at('APP'));
  await picture(page, 'drop-form');
  await page.getByTestId('deploy-button').click();
  const link = page.getByTestId('app-address').first();
  await link.waitFor({ timeout: 60_000 });
  console.log(`deployed ${await link.innerText()}`);
  if (complaints.length) throw new Error('the pages complained:\n' + complaints.join('\n'));
} catch (error) {
  await picture(page, 'failure').catch(() => {});
  console.error(error);
  process.exitCode = 1;
} finally {
  await browser.close();
}
