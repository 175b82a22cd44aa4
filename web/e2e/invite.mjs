// An invitation: its link lets a person in who has no account, once; the audit log tells of it.
import { at, open, picture, signIn, until } from './browser.mjs';

const { browser, page, complaints } = await open();
try {
  await signIn(page);
  await page.goto(`${at('CONSOLE')}#/access`);
  await page.getByTestId('invite-send').click();
  const link = await page.getByTestId('invite-link').innerText();

  const invited = await (await browser.newContext()).newPage();
  await invited.goto(link);
  await invited.getByTestId('sign-in-name').fill(at('NAME'));
  await invited.getByTestId('sign-in-password').fill('a long enough password');
  await invited.getByTestId('sign-in-button').click();
  await invited.getByTestId('drop-zone').first().waitFor();

  const late = await (await browser.newContext()).newPage();
  await late.goto(link);
  await late.getByRole('alert').waitFor(); // it was used

  await page.goto(`${at('CONSOLE')}#/access/audit`);
  await until('the audit log names the newcomer', async () => (await page.getByTestId('deed').filter({ hasText: at('NAME') }).count()) > 0 || 'no such deed');
  if (complaints.length) throw new Error('the pages complained:\n' + complaints.join('\n'));
} catch (error) {
  await picture(page, 'failure').catch(() => {});
  console.error(error);
  process.exitCode = 1;
} finally {
  await browser.close();
}
