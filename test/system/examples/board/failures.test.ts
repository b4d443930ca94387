import { readFile } from 'node:fs/promises';
import { expect, it } from '@jest/globals';
import { EXPLANATIONS } from '../../../../examples/board/src/failures/explanations.ts';
import { DAY_MS } from '../../../../src/domain/utcDay.ts';
import { range } from '../../../support/charts.ts';
import { createTestClock } from '../../../support/clock.ts';
import { expectAccessible, type Route } from './startBoard.ts';
import {
  api,
  describeBoard,
  goTo,
  open,
  page,
  readFocus,
  readRanks,
  savePicture,
  seeCover,
  seeFrames,
  seeTiles,
  start,
  stopTime,
} from './visit.ts';

it('explains every code of docs/errors.md, except those that mean a defect', async () => {
  const table = (await readFile('docs/errors.md', 'utf8')).matchAll(/^\| `([A-Z_]+)`/gm);
  const codes = [...table].map(([, code = '']) => code);
  const defects = codes.filter((code) => !(code in EXPLANATIONS));
  expect(Object.keys(EXPLANATIONS).filter((code) => !codes.includes(code))).toEqual([]);
  expect(defects).toEqual([
    'DOCUMENT_TOO_LARGE',
    'GRAPHQL_PARSE_FAILED',
    'GRAPHQL_VALIDATION_FAILED',
    'OPERATION_RESOLUTION_FAILURE',
    'BAD_REQUEST',
    'PERSISTED_QUERY_NOT_FOUND',
    'PERSISTED_QUERY_ID_REQUIRED',
    'INTERNAL_SERVER_ERROR',
  ]);
});

const HOUR_MS = DAY_MS / 24;

describeBoard('the board', () => {
  it('explains an error in plain words, and offers a retry', async () => {
    const clock = createTestClock();
    await start('/', {}, { qps: 0 }, { clock });
    const failure = page.locator('.failure');
    await failure.waitFor();
    expect(await failure.innerText()).toMatch(/^Too many requests to the data provider\n/);
    expect(await failure.innerText()).toMatch(/\nThis page will try again at \d+:\d\d:\d\d [AP]M\.\n/);
    expect(await failure.locator('code').textContent()).toBe('UPSTREAM_RATE_LIMITED');
    await savePicture('board-error');
    await expectAccessible(page);
    // Too early: the same error again, and the button keeps the focus.
    await failure.getByRole('button', { name: 'Try again' }).press('Enter');
    await page.waitForFunction(() => document.querySelector('.failure [aria-disabled="false"]'));
    expect(await readFocus()).toBe('Try again');
    expect(api.bill).toHaveLength(1);
    api.emulator.switches.qps = undefined;
    clock.advance(60_000);
    await failure.getByRole('button', { name: 'Try again' }).press('Enter');
    await seeTiles(20);
    expect(await failure.count()).toBe(0);
    expect(await readFocus()).toMatch(/^Most viewed: United States/);
  });

  it('still shows a chart when its next window fails, and continues there after a retry', async () => {
    const clock = createTestClock();
    await start('/', {}, {}, { clock });
    await seeTiles(20);
    const failure = page.locator('.failure');
    api.emulator.switches.qps = 0;
    await page.locator('.more').scrollIntoViewIfNeeded();
    await failure.waitFor();
    const { length } = await readRanks();
    const { bill } = api;
    const billed = bill.length;
    await expectAccessible(page);
    // It is not requested again before the time that the error says.
    const operations = open.operations();
    await page.mouse.wheel(0, -3000);
    await seeFrames();
    await page.mouse.wheel(0, 5000);
    await seeFrames();
    expect(open.operations()).toBe(operations);

    api.emulator.switches.qps = undefined;
    clock.advance(60_000);
    await page.getByRole('button', { name: 'Try again' }).press('Enter');
    await page.waitForFunction((before) => document.querySelectorAll('.tile-video').length > before, length);
    expect(await readFocus()).toMatch(/^(Show more|Loading…)$/);
    const ranks = await readRanks();
    expect(ranks).toEqual(range(1, ranks.length));
    expect(bill.length).toBeGreaterThan(billed);
  });

  it.each([
    ['because the API is unreachable', 'No connection', (route: Route) => route.abort()],
    [
      'because of an error',
      'The data provider has a problem',
      (route: Route) =>
        route.fulfill({
          json: {
            errors: [{ path: ['trendingVideos'], extensions: { code: 'UPSTREAM_ERROR', retryable: true } }],
            data: { trendingVideos: null },
          },
        }),
    ],
  ])(
    'still shows a chart that cannot be refreshed %s, and does not move the focus',
    async (_, title, fail) => {
      await start();
      await seeTiles(20);
      // Data that is fresh is not requested again.
      await page.clock.setFixedTime(Date.now() + 2 * HOUR_MS);
      await page.route('**/graphql', fail);
      await page.getByRole('button', { name: 'Refresh' }).press('Enter');
      await page.getByRole('alert').getByText(title).waitFor();
      await seeFrames();
      await seeTiles(20);
      await page.unroute('**/graphql');
      await page.getByRole('button', { name: 'Refresh' }).press('Enter');
      await page.getByRole('alert').waitFor({ state: 'detached' });
      await seeTiles(20);
      expect(await readFocus()).toBe('Refresh');
      // The browser logs failed requests.
      expect(open.takeComplaints()).toHaveLength(title === 'No connection' ? 1 : 0);
    },
  );

  it.each([
    ['a chart that does not exist', '/?region=ZZ', 'This chart cannot be loaded', 0],
    ['an unreachable API', '/', 'No connection', 1],
    ['an unreachable API', '/?view=compare', 'No connection', 1],
  ])('explains %s: %s', async (_, path, title, retries) => {
    await start('about:blank');
    if (retries > 0) await page.route('**/graphql', (route) => route.abort());
    await goTo(path);
    const failure = page.locator('.failure');
    await failure.getByText(title).waitFor();
    expect(await failure.getByRole('button', { name: 'Try again' }).count()).toBe(retries);
    expect(open.takeComplaints()).toHaveLength(retries);
    await page.unroute('**/graphql');
    if (retries > 0) await failure.getByRole('button').click();
    else await page.getByLabel('Region').selectOption('Japan');
    await page.locator('.tile-video, .row-video').first().waitFor();
    expect(await failure.count()).toBe(0);
  });

  it('shows a placeholder for covers that fail to load, and requests no expired ones', async () => {
    await start('about:blank');
    let covers = 0;
    await page.route('**/tos-emulated/**', (route) => (covers++ === 0 ? route.abort() : route.continue()));
    await goTo('/');
    await seeTiles(20);
    await page.locator('.cover-missing').waitFor();
    await seeCover();
    expect(await page.locator('.cover-missing').count()).toBe(1);
    expect(open.takeComplaints()).toEqual([expect.stringContaining('ERR_FAILED')]);

    await page.clock.setFixedTime(Date.now() + 2 * DAY_MS);
    await page.reload();
    const requested = covers;
    await seeTiles(20);
    await seeFrames();
    expect(await page.locator('.cover-missing').count()).toBe(20);
    expect(covers).toBe(requested);
  });

  it('explains a response without a chart and without an error, and does not request it again and again', async () => {
    await start();
    await seeTiles(20);
    await page.route('**/graphql', (route) => route.fulfill({ json: { data: { trendingVideos: null } } }));
    await page.mouse.wheel(0, 50_000);
    await page.getByRole('alert').waitFor();
    const operations = open.operations();
    await seeFrames();
    expect(open.operations()).toBe(operations);
  });

  it('explains that a part of the page cannot be loaded, instead of an empty page', async () => {
    await start();
    await seeTiles(20);
    await page.route('**/Compare*.js', (route) => route.abort());
    await page.getByRole('link', { name: 'Compare' }).click();
    await page.getByRole('alert').getByText('This part of the page is missing').waitFor();
    await expectAccessible(page);
    expect(open.takeComplaints().length).toBeGreaterThan(0);
    await page.unroute('**/Compare*.js');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.locator('.row-video').first().waitFor();
  });

  it('says of each region by itself why it failed, and keeps what has loaded', async () => {
    await start('about:blank');
    let failing = ['GB'];
    let release = (): void => undefined;
    let released = Promise.resolve();
    await page.route('**/graphql', async (route) => {
      const { variables } = route.request().postDataJSON();
      await released;
      const response = await route.fetch();
      const json = await response.json();
      const failed = ['a', 'b', 'c', 'd'].filter((alias) => failing.includes(variables[alias]));
      for (const alias of failed) json.data[alias] = null;
      if (failed.length > 0) {
        const extensions = { code: 'UPSTREAM_ERROR', retryable: true };
        json.errors = failed.map((alias) => ({ message: 'x', path: [alias], extensions }));
      }
      await route.fulfill({ response, json });
    });
    await stopTime();
    await goTo('/?view=compare&regions=US,GB,IT');
    await page.clock.runFor(1000);
    const column = (name: string) => page.locator('.column', { hasText: name });
    await column('United Kingdom').locator('.failure').waitFor();
    expect(await page.locator('.failure').count()).toBe(1);

    // While the regions are loaded anew, the failure stays with its region.
    released = new Promise((resolve) => {
      release = resolve;
    });
    failing = ['GB', 'IT'];
    await page.getByRole('button', { name: 'Remove United States' }).click();
    await page.clock.runFor(300);
    await column('United States').waitFor({ state: 'detached' });
    expect(await column('United Kingdom').locator('.failure').count()).toBe(1);
    expect(await column('Italy').locator('.failure').count()).toBe(0);
    expect(await column('Italy').locator('.row-video').count()).toBe(20);
    // The time of the next attempt is over.
    expect(await page.getByText('This page will try again').count()).toBe(0);
    release();
    await column('Italy').locator('.failure').waitFor();
    expect(await column('Italy').locator('.row-video').count()).toBe(20);

    // When the outage is over, it goes on by itself.
    failing = [];
    await page.clock.runFor(10_000);
    await page.locator('.failure').first().waitFor({ state: 'detached' });
    await page.waitForFunction(() => document.querySelectorAll('.row-video').length === 40);
  });
});
