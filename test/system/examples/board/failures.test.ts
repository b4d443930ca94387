import { readFile } from 'node:fs/promises';
import { expect, it } from '@jest/globals';
import { EXPLANATIONS } from '../../../../examples/board/src/explanations.ts';
import { range } from '../../../support/charts.ts';
import { createTestClock } from '../../../support/clock.ts';
import { expectAccessible, type Route } from './startBoard.ts';
import {
  api,
  describeBoard,
  goTo,
  keepPicture,
  open,
  page,
  readFocus,
  readRanks,
  seeCover,
  seeFrames,
  seeTiles,
  start,
} from './visit.ts';

const DAY_MS = 86_400_000;

it('explains each code that docs/errors.md has, but for defects, of which it says just that', async () => {
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

describeBoard('the board', () => {
  it('says in plain words what is wrong, and tries again where that helps', async () => {
    const clock = createTestClock();
    await start('/', {}, { qps: 0 }, { clock });
    const failure = page.getByRole('alert');
    await failure.waitFor();
    expect(await failure.innerText()).toMatch(/^Too fast for the data provider\n/);
    expect(await failure.innerText()).toContain('It makes sense to wait 60 seconds.');
    expect(await failure.locator('code').textContent()).toBe('UPSTREAM_RATE_LIMITED');
    await keepPicture('board-error');
    // Too early: it is said again, and who pressed the button can press it again.
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

  it('keeps a chart that cannot be gone on with, and goes on where it ended', async () => {
    const clock = createTestClock();
    await start('/', {}, {}, { clock });
    await seeTiles(20);
    const failure = page.getByRole('alert');
    api.emulator.switches.qps = 0;
    await page.locator('.more').scrollIntoViewIfNeeded();
    await failure.waitFor();
    const { length } = await readRanks();
    const { bill } = api;
    const billed = bill.length;
    await expectAccessible(page);
    // Nothing is asked for again and again.
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
    ['for want of a way to the API', 'No connection', (route: Route) => route.abort()],
    [
      'for an error',
      'The data provider has a problem',
      (route: Route) =>
        route.fulfill({
          json: {
            errors: [{ path: ['trendingVideos'], extensions: { code: 'UPSTREAM_ERROR', retryable: true } }],
            data: { trendingVideos: null },
          },
        }),
    ],
  ])('keeps a chart that cannot be refreshed %s, and the focus where it is', async (_, title, fail) => {
    await start();
    await seeTiles(20);
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
    // The browser tells of requests that fail.
    expect(open.takeComplaints()).toHaveLength(title === 'No connection' ? 1 : 0);
  });

  it.each([
    ['a chart that there is not', '/?region=ZZ', 'There is no such chart', 0],
    ['no way to the API', '/', 'No connection', 1],
    ['no way to the API', '/?view=compare', 'No connection', 1],
  ])('explains %s: %s', async (_, path, title, retries) => {
    await start('about:blank');
    if (retries > 0) await page.route('**/graphql', (route) => route.abort());
    await goTo(path);
    const failure = page.getByRole('alert');
    await failure.getByText(title).waitFor();
    expect(await failure.getByRole('button', { name: 'Try again' }).count()).toBe(retries);
    expect(open.takeComplaints()).toHaveLength(retries);
    await page.unroute('**/graphql');
    if (retries > 0) await failure.getByRole('button').click();
    else await page.getByLabel('Region').selectOption('Japan');
    await page.locator('.tile-video, .row a').first().waitFor();
    expect(await failure.count()).toBe(0);
  });

  it('shows something in place of pictures that do not load, and asks for none that has expired', async () => {
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
    const asked = covers;
    await seeTiles(20);
    await seeFrames();
    expect(await page.locator('.cover-missing').count()).toBe(20);
    expect(covers).toBe(asked);
  });
});
