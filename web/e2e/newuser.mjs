// Someone who reads nothing: from the first sign-in to a live app, a chart that moves and a test mail, led by the page alone.
import { at, number, open, picture, signIn, until } from './browser.mjs';

const { browser, page, complaints } = await open();
const began = Date.now();
const step = (text) => console.log(`${((Date.now() - began) / 1000).toFixed(1)} s: ${text}`);
const code = `from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return "written in the browser"
`;

try {
  await signIn(page);
  await page.goto(`${at('CONSOLE')}#/?tenant=${at('TENANT')}`);
  await page.getByText('Put your first app online').waitFor();
  await picture(page, 'new-1-first-start');
  for (const sample of ['hello', 'notes', 'slow']) await page.getByTestId(`sample-${sample}`).waitFor();

  await page.getByTestId('paste-open').click();
  const field = page.getByTestId('paste-code');
  await field.fill('');
  await page.getByText('No Flask app is in sight').waitFor();
  await field.fill(code);
  await field.press('Tab'); // indents, and does not leave
  if (!(await field.inputValue()).endsWith('    ')) throw new Error('Tab did not indent');
  await picture(page, 'new-2-paste');
  await page.getByTestId('paste-next').click();
  await page.getByTestId('app-name').fill('mine');
  await page.getByTestId('deploy-button').click();
  await page.getByTestId('app-address').first().waitFor({ timeout: 60_000 });
  step('the app is live');

  const list = page.getByTestId('checklist');
  await list.waitFor();
  await picture(page, 'new-3-next-steps');
  await page.getByTestId('traffic-send').click();
  const [live] = await Promise.all([page.context().waitForEvent('page'), list.getByText('Open the dashboard').click()]);
  await until('the charts move', async () => (await number(live, 'total-requests').catch(() => 0)) > 30 || 'no requests');
  step('the dashboard counts requests');
  await live.close();

  await list.getByText('Set an alert').click();
  await page.getByTestId('alert-condition').waitFor();
  if ((await page.getByTestId('alert-condition').inputValue()) === '') throw new Error('no condition was suggested');
  await page.getByTestId('alert-to').fill('new@example.org');
  await page.getByTestId('alert-add').click();
  await page.getByTestId('alert-test').first().click();
  await page.locator('[data-testid=notification-row][data-kind=test]').first().waitFor();
  step('a test mail is in the list');
  await page.goBack();
  await list.waitFor();
  await list.getByText('Every record, to take away').click();
  await page.getByTestId('archive-download').waitFor();
  await page.goBack();
  await list.waitFor({ state: 'detached', timeout: 15_000 }); // all is done: it goes by itself
  step('every step is ticked');
  if (Date.now() - began > 180_000) throw new Error('it took more than three minutes');
  if (complaints.length) throw new Error('the pages complained:\n' + complaints.join('\n'));
} catch (error) {
  await picture(page, 'failure').catch(() => {});
  console.error(error);
  process.exitCode = 1;
} finally {
  await browser.close();
}
