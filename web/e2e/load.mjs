// A load test from the console: a scenario is sent, its figures move, it can be stopped, and its report can be downloaded.
import { readFileSync } from 'node:fs';
import { at, number, open, picture, signIn, until } from './browser.mjs';

const { browser, page, complaints } = await open();
const app = at('APP');
try {
  await signIn(page);
  await page.goto(`${at('CONSOLE')}#/apps/${app}/load`);
  await page.getByTestId('load-by').getByText('Scenario').click();
  const scenario = await page.getByTestId('load-scenario').inputValue();
  await page.getByTestId('load-scenario').fill(`host: elsewhere\n${scenario}`);
  await page.getByTestId('load-begin').click();
  await page.getByText('a load test goes to its app alone').waitFor();
  await page.getByTestId('load-scenario').fill(scenario.replace('warm_up: 5s', 'warm_up: 1s'));
  await page.getByTestId('load-begin').click();
  await page.locator('[data-testid=load-run][data-state=running]').waitFor();
  await until('its figures move', async () => (await number(page, 'load-answered')) > 30 || 'not yet');
  await page.locator('[data-testid=load-run] .time-chart').nth(1).waitFor();
  await picture(page, 'load-running');
  if (await page.getByTestId('load-begin').isEnabled()) throw new Error('a second one may be begun');
  await page.getByTestId('load-stop').click();
  await page.locator('[data-testid=load-run][data-state=stopped]').waitFor();
  await page.getByText('error_rate < 1%', { exact: true }).last().waitFor();
  await page.locator('[data-testid=load-row][data-state=stopped]').waitFor();
  const waiting = page.waitForEvent('download');
  await page.locator('[data-testid=load-row]').getByText('HTML').click();
  const file = await waiting;
  const report = readFileSync(await file.path(), 'utf8');
  if (!/<svg/.test(report) || !/phase climb|phase calm/.test(report)) throw new Error(`the report is ${report.slice(0, 2000)}`);
  await picture(page, 'load');
  console.log(`${file.suggestedFilename()}: ${report.length} bytes, ${await number(page, 'load-answered')} requests`);
  const unexpected = complaints.filter((c) => !c.includes('422')); // the scenario that was refused
  if (unexpected.length) throw new Error('the page complained:\n' + unexpected.join('\n'));
} catch (error) {
  await picture(page, 'failure').catch(() => {});
  console.error(error);
  process.exitCode = 1;
} finally {
  await browser.close();
}
