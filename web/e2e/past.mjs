// Time travel: what was sent is found again at its time, a chart can be dragged into the past, and one step leads back to the present.
import { ask, at, number, open, picture, signIn, until } from './browser.mjs';

const { browser, page, complaints } = await open();
const app = at('APP');
const sent = 40;
try {
  await signIn(page);
  const home = `${at('DASHBOARD')}#${app}?tenant=${at('TENANT')}`;
  await page.goto(home);
  await page.locator('[data-testid=connection][data-state=live]').waitFor();
  const before = await number(page, 'total-requests');
  for (let i = 0; i < sent; i++) await ask(`${app}.${at('TENANT')}.localhost`, `/n/${i}`);
  const end = Math.ceil(Date.now() / 1000) + 1;
  await until('the live view counts them', async () => (await number(page, 'total-requests')) === before + sent || 'not yet');

  await until('the moment is past', async () => Date.now() / 1000 > end + 3);
  await page.goto('about:blank');
  await page.goto(`${home}&span=60&end=${end}`); // an address of the past can be sent to somebody
  await page.getByTestId('past-bar').waitFor();
  await until('the past holds each request once', async () => {
    const n = await number(page, 'total-requests').catch(() => NaN);
    return n === sent || `${n} of ${sent}`;
  });
  await page.locator('[data-testid=route-row]').first().waitFor();
  await until('its log is there', async () => (await page.locator('[data-testid=log-row]').count()) > 10 || 'no rows');
  await picture(page, 'past');
  await page.getByTestId('back-to-live').click();
  await page.getByTestId('past-bar').waitFor({ state: 'detached' });
  if (/end=/.test(page.url())) throw new Error(`the address still names a time: ${page.url()}`);

  const chart = await page.locator('[data-testid=chart-requests] .chart-box').boundingBox();
  const [x, y] = [chart.x + chart.width / 2, chart.y + chart.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + 150, y, { steps: 10 });
  await page.mouse.up();
  await page.getByTestId('past-bar').waitFor();
  const dragged = Number(new URL(page.url()).hash.match(/end=(\d+)/)[1]);
  const back = Date.now() / 1000 - dragged;
  const expected = (150 / (chart.width - 60)) * 60;
  if (Math.abs(back - expected) > 8) throw new Error(`dragged ${back} s back, expected about ${expected}`);

  await page.getByTestId('day-strip').focus();
  await page.keyboard.press('Home');
  await until('the strip goes a day back', async () => Number(new URL(page.url()).hash.match(/end=(\d+)/)?.[1]) < Date.now() / 1000 - 86000 || page.url());
  await page.keyboard.press('End');
  await page.getByTestId('past-bar').waitFor({ state: 'detached' });
  console.log(`found ${sent} requests again; dragged ${Math.round(back)} s back`);
  if (complaints.length) throw new Error('the pages complained:\n' + complaints.join('\n'));
} catch (error) {
  await picture(page, 'failure').catch(() => {});
  console.error(error);
  process.exitCode = 1;
} finally {
  await browser.close();
}
