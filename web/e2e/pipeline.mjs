// The pipeline canvas: a filter is put before persist and holds, a receiver becomes an alert, a service is turned off and on
// by keyboard, a mistake is told before it is saved.
import { at, open, picture, signIn, until } from './browser.mjs';

const app = at('APP');
const { browser, page, complaints } = await open();
try {
  await signIn(page);
  await page.goto(`${at('CONSOLE')}#/apps/${app}/pipeline`);
  const canvas = page.getByTestId('pipeline-canvas');
  const box = (name) => canvas.locator('.react-flow__node').filter({ hasText: name });
  await box('persist').waitFor();

  // A filter is dragged onto persist and says: no DEBUG.
  await page.getByTestId('pipeline-filter').dragTo(box('persist'));
  await box('WARNING and above').waitFor();
  await page.getByTestId('pipeline-level').click();
  await page.getByRole('option', { name: 'INFO and above' }).click();
  await box('INFO and above').waitFor();
  await page.getByTestId('pipeline-when').fill('levle > DEBUG');
  await page.getByTestId('pipeline-problem').filter({ hasText: 'no field called levle' }).waitFor();
  await page.getByTestId('pipeline-when').fill('level > DEBUG');
  await page.getByTestId('pipeline-problem').waitFor({ state: 'detached' });

  // By keyboard: a receiver, and profile off.
  await page.getByTestId('pipeline-receiver').press('Enter');
  await page.getByTestId('pipeline-to').fill('ops@example.org');
  await box('profile').press('Enter');
  await page.getByTestId('pipeline-on').press('Space');
  await box('Off: takes nothing').waitFor();
  await page.getByTestId('pipeline-save').click();
  await page.getByText('Saved. What is drawn runs within two seconds.').waitFor();
  await page.getByTestId('pipeline-save').and(page.locator('[disabled]')).waitFor();
  await page.reload();
  await box('level > DEBUG').waitFor();
  await box('ops@example.org').waitFor();
  await until('records per second are on the arrows', async () => /\d\/s/.test(await canvas.innerText()));
  await picture(page, 'pipeline-set');

  // Profile is turned on again by an arrow from the stream, and that is saved.
  const from = await box('stream').locator('.react-flow__handle-right').boundingBox();
  const to = await box('profile').locator('.react-flow__handle-left').boundingBox();
  await page.mouse.move(from.x + from.width / 2, from.y + from.height / 2);
  await page.mouse.down();
  await page.mouse.move(to.x - 30, to.y, { steps: 5 });
  await page.mouse.move(to.x + to.width / 2, to.y + to.height / 2, { steps: 5 });
  await page.mouse.up();
  await box('Figures per route').waitFor();
  await page.getByTestId('pipeline-save').click();
  await page.getByTestId('pipeline-save').and(page.locator('[disabled]')).waitFor();
  const bad = complaints.filter((c) => !/422/.test(c)); // the mistake was told
  if (bad.length) throw new Error(bad.join('\n'));
} catch (error) {
  await picture(page, 'failure').catch(() => {});
  throw error;
} finally {
  await browser.close();
}
