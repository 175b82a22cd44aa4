// A share link: it shows one app's live view to a browser that is not signed in, and nothing when it is taken back.
import { at, open, picture, signIn, until } from './browser.mjs';

const { browser, page, complaints } = await open();
const app = at('APP');
try {
  await signIn(page);
  await page.goto(`${at('CONSOLE')}#/apps/${app}`);
  await page.getByTestId('share-open').click();
  await page.getByTestId('share-make').click();
  const link = await page.getByTestId('share-link').innerText();

  const guest = await (await browser.newContext()).newPage();
  await guest.goto(link);
  await guest.locator('[data-testid=connection][data-state=live]').waitFor();
  if (await guest.getByTestId('app-picker').count()) throw new Error('the guest may choose another app');
  await picture(guest, 'shared');
  const other = await guest.evaluate(() => fetch('/api/live?app=&shared=1').then((r) => r.status));
  if (other !== 404) throw new Error(`all apps: status ${other}`);
  const records = await guest.evaluate(([address, token]) => fetch(address, { headers: { Authorization: `Bearer ${token}` }, mode: 'cors' }).then((r) => r.status, () => 'kept apart'), [`${at('CONSOLE')}api/v1/apps/${app}/logs`, new URL(link).hash.split('share=')[1]]);
  if (records === 200) throw new Error('the link reads the console');

  await page.goto(`${at('CONSOLE')}#/access/tokens`);
  await page.getByRole('button', { name: `Delete link to the live view of ${app}` }).first().click();
  await page.getByRole('button', { name: `Delete link to the live view of ${app}` }).first().click();
  await until('the link ends', async () => {
    await guest.goto('about:blank');
    await guest.goto(link);
    return (await guest.getByRole('heading', { name: 'This link has ended' }).waitFor({ timeout: 2000 }).then(() => true, () => 'still open'));
  });
  if (complaints.length) throw new Error('the pages complained:\n' + complaints.join('\n'));
} catch (error) {
  await picture(page, 'failure').catch(() => {});
  console.error(error);
  process.exitCode = 1;
} finally {
  await browser.close();
}
