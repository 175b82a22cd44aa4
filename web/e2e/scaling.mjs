// The dashboard while the autoscaler acts: it must show the replicas that the test waits for.
import { at, number, open, picture, signIn, until } from './browser.mjs';

const { browser, page, complaints } = await open();
try {
  await signIn(page);
  await page.goto(at('DASHBOARD') + '#' + at('APP'));
  for (const [want, name] of [[2, '10-scaled-up'], [1, '11-scaled-down']]) {
    await until(`${want} replicas on the dashboard`, async () => {
      const text = await page.getByTestId('replicas').first().innerText();
      return new RegExp(`(^|\\D)${want}(\\D|$)`).test(text) || text;
    }, 90_000);
    await page.waitForTimeout(1000);
    await picture(page, name);
    console.log(`saw ${want}`);
  }
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.waitForTimeout(800);
  await picture(page, '12-dark');
  if (!(await number(page, 'total-requests'))) throw new Error('no requests on the dashboard');
  if (complaints.length) throw new Error('the page complained:\n' + complaints.join('\n'));
} catch (error) {
  await picture(page, 'failure').catch(() => {});
  console.error(error);
  process.exitCode = 1;
} finally {
  await browser.close();
}
