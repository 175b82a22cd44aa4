// The provider's buttons: one signs somebody in who has no account, the other joins by an invitation's link.
import { at, open, picture, signIn } from './browser.mjs';

const { browser, page, complaints } = await open();
try {
  const ann = await (await browser.newContext()).newPage();
  await ann.goto(at('CONSOLE'));
  await ann.getByRole('link', { name: 'Sign in with School' }).click();
  await ann.getByRole('button', { name: 'ann' }).waitFor(); // who is signed in, in the head of each page

  await signIn(page);
  await page.goto(`${at('CONSOLE')}#/access`);
  await page.getByTestId('invite-send').click();
  const link = await page.getByTestId('invite-link').innerText();
  const bob = await (await browser.newContext()).newPage();
  await bob.goto(link);
  const join = bob.getByRole('button', { name: 'Join with School' });
  await join.waitFor();
  await picture(bob, 'join');
  await join.click();
  await bob.getByRole('button', { name: 'bob' }).waitFor();
  if (complaints.length) throw new Error('the pages complained:\n' + complaints.join('\n'));
} catch (error) {
  await picture(page, 'failure').catch(() => {});
  console.error(error);
  process.exitCode = 1;
} finally {
  await browser.close();
}
