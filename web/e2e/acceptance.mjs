// The paths that people come for, in a real browser: upload an app and open it, watch it live, set an alert, download its archive.
import { ask, at, number, open, picture, signIn, until } from './browser.mjs';

const app = at('APP');
const { browser, page, complaints } = await open();
const said = [];
const step = (text) => { said.push(text); console.log(text); };

try {
  await page.goto(at('CONSOLE'));
  await page.getByTestId('sign-in-name').waitFor();
  await picture(page, '01-sign-in');
  await signIn(page);
  await picture(page, '02-first-start');

  await page.getByTestId('file-input').first().setInputFiles(at('ARCHIVE'));
  await page.getByTestId('app-name').fill(app);
  await picture(page, '03-deploy');
  await page.getByTestId('deploy-button').click();
  await page.getByTestId('build-log').waitFor();
  const link = page.getByTestId('app-address').first();
  await link.waitFor({ timeout: 60_000 });
  await picture(page, '04-live');
  const address = (await link.getAttribute('href')) ?? (await link.innerText());
  step(`deployed ${address}`);

  const visitor = await page.context().newPage();
  await visitor.goto(address);
  if (!(await visitor.locator('body').innerText()).includes('Hello')) throw new Error('the app did not greet');
  await visitor.close();
  step('opened the app');

  await page.goto(at('DASHBOARD') + '#' + app);
  await until('the dashboard shows the visit', async () => (await number(page, 'total-requests')) >= 1 || number(page, 'total-requests'));
  await page.waitForTimeout(1500); // the visit and the browser's request for an icon are counted by then
  const before = await number(page, 'total-requests');
  const batches = 8, each = 25;
  for (let i = 0; i < batches; i++) await Promise.all(Array.from({ length: each }, () => ask(`${app}.localhost`, '/log')));
  const sent = Date.now();
  await until('the dashboard counts each request', async () => {
    const now = await number(page, 'total-requests');
    return now === before + batches * each || `${now - before} of ${batches * each}`;
  });
  step(`the dashboard counted ${batches * each} requests within ${Date.now() - sent} ms`);
  await page.waitForTimeout(1500);
  await picture(page, '05-dashboard');

  await page.goto(at('CONSOLE') + `#/apps/${app}/alerts`);
  await page.getByTestId('alert-condition').fill('requests > 10');
  await page.getByTestId('alert-for').fill('1s');
  await page.getByTestId('alert-to').fill('ops@example.org');
  await page.getByTestId('alert-add').click();
  await page.getByTestId('alert-row').first().waitFor();
  for (let i = 0; i < 20; i++) await ask(`${app}.localhost`, '/log');
  await until('the alert fires', async () => /firing/i.test(await page.getByTestId('alert-state').first().innerText()) || 'not firing');
  await picture(page, '06-alerts');
  step('an alert fired');

  await page.goto(at('CONSOLE') + `#/apps/${app}/archive`);
  const [download] = await Promise.all([page.waitForEvent('download', { timeout: 30_000 }), page.getByTestId('archive-download').click()]);
  await download.saveAs(at('DOWNLOAD'));
  await picture(page, '07-archive');
  step(`downloaded ${download.suggestedFilename()}`);

  for (const tab of ['', 'releases', 'logs', 'profile', 'scaling', 'environment', 'danger']) {
    await page.goto(at('CONSOLE') + `#/apps/${app}/${tab}`);
    await page.waitForTimeout(900);
    await picture(page, `08-${tab || 'overview'}`);
  }
  for (const place of ['access', 'status']) {
    await page.goto(at('CONSOLE') + `#/${place}`);
    await page.waitForTimeout(900);
    await picture(page, `09-${place}`);
  }
  step('looked at every page');
  if (complaints.length) throw new Error('the pages complained:\n' + complaints.join('\n'));
} catch (error) {
  await picture(page, 'failure').catch(() => {});
  console.error(error);
  if (complaints.length) console.error('the pages complained:\n' + complaints.join('\n'));
  process.exitCode = 1;
} finally {
  await browser.close();
}
