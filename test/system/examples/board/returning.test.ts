import { expect, it } from '@jest/globals';
import { DAY_MS } from '../../../../src/domain/utcDay.ts';
import { range } from '../../../support/charts.ts';
import { createTestClock } from '../../../support/clock.ts';
import { poll } from '../../support/poll.ts';
import type { Route } from './startBoard.ts';
import {
  api,
  describeBoard,
  goTo,
  open,
  page,
  passTime,
  readCost,
  readFocus,
  readRanks,
  scrollTo,
  seeFrames,
  seeIdle,
  seeRows,
  seeTiles,
  start,
  startAt,
  stopTime,
} from './visit.ts';

const HOUR_MS = DAY_MS / 24;
const NOON = Date.UTC(2026, 0, 1, 12);

/** When the page will try again. */
async function readRetryTime(): Promise<string> {
  const [text] = await page.getByText('This page will try again').allTextContents();
  return /\d+:\d+:\d+/.exec(text ?? '')?.[0].padStart(8, '0') ?? '';
}

const refresh = () => page.getByRole('button', { name: 'Refresh' });

/** Scrolls to a tile, and waits until the page has stored its position. */
async function lookAt(rank: number): Promise<void> {
  await page.locator(`[data-rank="${rank}"]`).evaluate((tile) => tile.scrollIntoView({ block: 'center' }));
  await page.waitForFunction(() => {
    const { position } = window.history.state ?? {};
    return position && Math.abs(position.scrollY - window.scrollY) < 1;
  });
}

/** Holds requests to the API until they are released. */
async function holdRequests(isHeld: (variables: { readonly after?: string }) => boolean = () => true) {
  let count = 0;
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route('**/graphql', async (route) => {
    if (isHeld(route.request().postDataJSON().variables)) {
      count++;
      await released;
    }
    await route.continue();
  });
  return { count: () => count, release };
}

/** Scrolls to this distance from the top, and waits until the page has stored its position. */
async function lookDown(scrollY: number): Promise<void> {
  await page.evaluate((top) => window.scrollTo({ top }), scrollY);
  await page.waitForFunction((top) => window.history.state?.position?.scrollY === top, scrollY);
}

/** Waits for the next scroll event. */
function seeScroll(): Promise<void> {
  return page.evaluate(
    () => new Promise((resolve) => window.addEventListener('scroll', () => resolve(), { once: true })),
  );
}

/** Where a tile is in the window: its distance from the top, in pixels. */
function topOf(rank: number): Promise<number> {
  return page.locator(`[data-rank="${rank}"]`).evaluate((tile) => tile.getBoundingClientRect().top);
}

/** Waits until a tile is where it was in the window, to a pixel. */
async function seeAt(rank: number, top: number): Promise<void> {
  await page.waitForFunction(
    ([wantedRank, wantedTop]) => {
      const tile = document.querySelector(`[data-rank="${wantedRank}"]`);
      return tile && Math.abs(tile.getBoundingClientRect().top - (wantedTop ?? 0)) <= 1;
    },
    [rank, top],
  );
}

describeBoard('the board that stays open', () => {
  it('says that nothing can have changed, without a request, as long as that is so', async () => {
    const clock = createTestClock(NOON);
    await startAt(clock);
    const operations = open.operations();
    await refresh().click();
    // The server subtracts up to a tenth from an hour.
    await page.getByText(/^Nothing can have changed: this data stays the same until 12:5\d PM\.$/).waitFor();
    expect(open.operations()).toBe(operations);
  });

  it('keeps what is loaded when it is refreshed, and says what has changed', async () => {
    const clock = createTestClock(NOON);
    await startAt(clock);
    await scrollTo(60);
    await seeIdle();
    const loaded = await page.locator('.tile-video').count();
    await refresh().focus();
    await page.evaluate(() => window.scrollTo({ top: 300 }));
    api.emulator.switches.rotation = 5;
    await passTime(clock, 2 * HOUR_MS);
    await page.keyboard.press('Enter');
    const text = `Refreshed: ${loaded - 5} videos moved, 5 entered and 5 left the top ${loaded}.`;
    await page.getByText(text).waitFor();
    expect(await readRanks()).toEqual(range(1, loaded));
    const links = page.locator('.tile-video');
    const videos = await links.evaluateAll((all) => all.map((link) => link.getAttribute('href')));
    expect(new Set(videos).size).toBe(loaded);
    expect(await page.evaluate(() => window.scrollY)).toBe(300);
    expect(await readFocus()).toBe('Refresh');
    await page.getByText('updated just now').waitFor();
    expect(await page.locator('.stale').count()).toBe(0);

    await passTime(clock, 2 * HOUR_MS);
    await refresh().click();
    await page.getByText('Refreshed: nothing has changed.').waitFor();
  });

  it('says when newer data is not available yet', async () => {
    const clock = createTestClock(NOON);
    await startAt(clock);
    api.emulator.switches.credits = 0;
    await passTime(clock, 2 * HOUR_MS);
    await refresh().click();
    await page.getByText('Newer data is not available yet.').waitFor();
    await page.getByText('Older data').waitFor();
    await seeTiles(20);
    api.emulator.switches.credits = undefined;
    await passTime(clock, 60_000);
    await refresh().click();
    await page.getByText('Refreshed: nothing has changed.').waitFor();
    expect(await page.locator('.stale').count()).toBe(0);
  });

  it('has no gap when it is refreshed while a further window is in flight', async () => {
    const clock = createTestClock(NOON);
    await startAt(clock);
    await scrollTo(40);
    await seeIdle();
    await passTime(clock, 2 * HOUR_MS);
    const release = api.holdUpstream();
    await page.mouse.wheel(0, 50_000);
    await page.getByRole('button', { name: 'Loading…' }).waitFor();
    await page.evaluate(() => window.scrollTo({ top: 0 }));
    await refresh().click();
    release();
    await page.getByText('Refreshed: nothing has changed.').waitFor();
    const ranks = await readRanks();
    expect(ranks.length).toBeGreaterThan(40);
    expect(ranks).toEqual(range(1, ranks.length));
  });

  it('is where it was after a reload, and says what all of it has cost', async () => {
    await start();
    await seeTiles(20);
    await scrollTo(150);
    await seeIdle();
    await lookAt(121);
    const top = await topOf(121);
    const cost = await readCost();
    const { credits } = api.emulator.counts;
    expect(cost).toBe(`${credits} credits`);
    await page.reload();
    await seeAt(121, top);
    expect(await readCost()).toBe(cost);
    expect(api.emulator.counts.credits).toBe(credits);
    expect(await page.locator('.cost [title]').getAttribute('title')).toMatch(
      /^\d+ requests to the data provider for this tab, not counting refreshes in the background$/,
    );
    // Another tab has a total of its own.
    const other = await page.context().newPage();
    await other.goto(page.url());
    await other.locator('.tile-video').first().waitFor();
    expect(await other.locator('.cost strong').textContent()).toBe('0 credits');
  });

  it('is where it was after a step back and forward, without a request', async () => {
    await start();
    await seeTiles(20);
    await scrollTo(100);
    await seeIdle();
    await lookAt(50);
    const top = await topOf(50);
    await page.getByLabel('Region').selectOption('Japan');
    await page.getByRole('heading', { name: 'Japan' }).waitFor();
    await seeTiles(20);
    expect(await page.evaluate(() => window.scrollY)).toBe(0);
    const operations = open.operations();
    await page.goBack();
    await page.getByRole('heading', { name: 'United States' }).waitFor();
    await seeAt(50, top);
    await page.goForward();
    await page.getByRole('heading', { name: 'Japan' }).waitFor();
    await seeFrames();
    expect(await page.evaluate(() => window.scrollY)).toBe(0);
    expect(open.operations()).toBe(operations);
  });

  it('is where it was after a reload of regions side by side', async () => {
    await start('/?view=compare');
    await seeRows(80);
    await lookDown(700);
    await page.reload();
    await seeRows(80);
    await page.waitForFunction(() => window.scrollY === 700);
  });

  it('counts the cost although the page may not store it', async () => {
    await start('about:blank');
    await page.addInitScript(() =>
      Object.defineProperty(window, 'sessionStorage', {
        get: () => {
          throw new DOMException('denied', 'SecurityError');
        },
      }),
    );
    await goTo('/');
    await seeTiles(20);
    expect(await readCost()).toBe('4 credits');
  });

  it.each(['{', '{"requests":"1","credits":1e99}', '{"credits":-0.5,"requests":2}', 'null'])(
    'ignores a stored cost that it has not written: %s',
    async (text) => {
      await start('about:blank');
      await page.addInitScript((value) => sessionStorage.setItem('board:cost', value), text);
      await goTo('/');
      await seeTiles(20);
      expect(await readCost()).toBe('4 credits');
    },
  );

  it('goes on by itself when an outage is over, without being asked', async () => {
    const clock = createTestClock(NOON);
    await start('about:blank', {}, {}, { clock });
    await stopTime();
    await goTo('/');
    await page.clock.runFor(1000);
    await seeTiles(20);
    api.emulator.switches.qps = 0;
    await page.mouse.wheel(0, 50_000);
    await page.clock.runFor(1000);
    await page.getByRole('alert').getByText('Too many requests to the data provider').waitFor();
    const { length } = await readRanks();
    const operations = open.operations();
    // The data provider asks for a pause of 60 seconds.
    await page.clock.runFor(50_000);
    expect(open.operations()).toBe(operations);

    api.emulator.switches.qps = undefined;
    clock.advance(60_000);
    await poll(async () => {
      await page.clock.runFor(5000);
      return (await page.locator('.tile-video').count()) > length;
    });
    expect(await page.getByRole('alert').count()).toBe(0);
    const ranks = await readRanks();
    expect(ranks).toEqual(range(1, ranks.length));
  });

  it.each([
    ['a chart', '/'],
    ['regions side by side', '/?view=compare'],
  ])('shows %s by itself when the API is back, and no empty headings before', async (_, path) => {
    await start('about:blank');
    await stopTime();
    const fail = (route: Route) => route.abort();
    await page.route('**/graphql', fail);
    await goTo(path);
    await page.clock.runFor(1000);
    await page.getByRole('alert').getByText('No connection').waitFor();
    const headings = await page.getByRole('heading').evaluateAll((all) => all.map(({ tagName }) => tagName));
    expect(headings).toEqual(['H1']);
    // It tries again after 5 seconds, then after 10, which is in vain, and after 20. Each attempt may fail at any time of a step.
    for (const [attempt, pauseMs] of [5000, 10_000].entries()) {
      await page.clock.runFor(pauseMs - 2000);
      expect(open.operations()).toBe(1 + attempt);
      const before = await readRetryTime();
      await page.clock.runFor(2500);
      await poll(async () => (await readRetryTime()) > before);
      expect(open.operations()).toBe(2 + attempt);
    }
    expect(open.takeComplaints()).toHaveLength(3);
    await page.unroute('**/graphql');
    await page.clock.runFor(20_500);
    await page.locator('.tile-video, .row-video').first().waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
    expect(open.operations()).toBe(4);
  });

  it('tries again as soon as the browser is online', async () => {
    await start('about:blank');
    await stopTime();
    await page.route('**/graphql', (route) => route.abort());
    await goTo('/');
    await page.clock.runFor(1000);
    await page.getByRole('alert').waitFor();
    await page.unroute('**/graphql');
    await page.evaluate(() => window.dispatchEvent(new Event('online')));
    await page.clock.runFor(1000);
    await seeTiles(20);
    expect(open.takeComplaints()).toHaveLength(1);
  });

  it.each(['likes', 'movement'])('is where it was after a reload of a list sorted by %s', async (sort) => {
    await start(`/?sort=${sort}`);
    await page.locator('.tile-video').first().waitFor();
    await page.getByRole('button', { name: 'Show more' }).click();
    await seeTiles(40);
    const ranks = await readRanks();
    const [rank = 0] = ranks.slice(26);
    await lookAt(rank);
    const top = await topOf(rank);
    await page.reload();
    await seeAt(rank, top);
    expect(await readRanks()).toEqual(ranks);
  });

  it('loads after a reload only what is needed to be where it was', async () => {
    await start();
    await seeTiles(20);
    await scrollTo(150);
    await seeIdle();
    await page.waitForFunction(() => window.history.state?.position?.scrollY === 0);
    await page.reload();
    await seeTiles(20);
    await seeIdle();
    expect(await page.locator('.tile-video').count()).toBe(20);
  });

  it.each([
    ['mouse', 100, () => page.mouse.wheel(0, 100)],
    ['keyboard', 40, () => page.keyboard.press('ArrowDown')],
  ])(
    'does not take the page away from somebody who scrolls by %s while it returns',
    async (_, top, scroll) => {
      await start();
      await seeTiles(20);
      await scrollTo(100);
      await seeIdle();
      await lookAt(90);
      const requests = await holdRequests(({ after }) => Boolean(after));
      await page.reload();
      await seeTiles(20);
      await poll(() => requests.count() > 0);
      await scroll();
      await page.waitForFunction((wanted) => window.scrollY === wanted, top);
      requests.release();
      await page.locator('[data-rank="90"]').waitFor();
      await seeFrames();
      expect(await page.evaluate(() => window.scrollY)).toBe(top);
    },
  );

  it('is where it was after a step back within the same view', async () => {
    await start('/?view=compare');
    await seeRows(80);
    await lookDown(700);
    await page.getByLabel('Order').selectOption('Most liked');
    await page.getByRole('heading', { name: 'Most liked' }).waitFor();
    await page.waitForFunction(() => window.scrollY === 0);
    await page.goBack();
    await page.getByRole('heading', { name: 'Most viewed' }).waitFor();
    await page.waitForFunction(() => window.scrollY === 700);
    await seeRows(80);

    // A link to what is shown already adds nothing to the history.
    await goTo('/');
    await seeTiles(20);
    await page.evaluate(() => window.scrollTo({ top: 500 }));
    const length = await page.evaluate(() => window.history.length);
    // A click would scroll, to see the link.
    await page.getByRole('link', { name: 'Chart', exact: true }).dispatchEvent('click');
    await seeFrames();
    expect(await page.evaluate(() => [window.scrollY, window.history.length])).toEqual([500, length]);
  });

  it('is where it was after a step back that comes just before a position is stored', async () => {
    await start('about:blank');
    await stopTime();
    await goTo('/?view=compare');
    await page.clock.runFor(1000);
    await seeRows(80);
    const scroll = seeScroll();
    await page.evaluate(() => window.scrollTo({ top: 700 }));
    await scroll;
    await page.clock.runFor(1000);
    const back = seeScroll();
    await page.getByLabel('Order').selectOption('Most liked');
    await page.clock.runFor(300);
    await back;
    await page.getByRole('heading', { name: 'Most liked' }).waitFor();
    await page.clock.runFor(299);
    await page.goBack();
    await page.getByRole('heading', { name: 'Most viewed' }).waitFor();
    await page.clock.runFor(1000);
    expect(await page.evaluate(() => window.scrollY)).toBe(700);
  });

  it('is where it was after a step back from an entry that is still loading', async () => {
    await start('/?view=compare');
    await seeRows(80);
    await lookDown(300);
    await page.getByLabel('Order').selectOption('Most liked');
    await page.getByRole('heading', { name: 'Most liked' }).waitFor();
    await seeRows(80);
    await lookDown(700);
    const requests = await holdRequests();
    await page.reload();
    await page.locator('.column').first().waitFor();
    await page.goBack();
    await page.getByRole('heading', { name: 'Most viewed' }).waitFor();
    await page.waitForFunction(() => window.scrollY === 300);
    requests.release();
    await seeRows(80);
    await seeFrames();
    expect(await page.evaluate(() => window.scrollY)).toBe(300);
  });

  it('forgets a choice that was made just before a step back', async () => {
    await start('about:blank');
    await stopTime();
    await goTo('/');
    await page.clock.runFor(1000);
    await seeTiles(20);
    await page.getByLabel('Order').selectOption('Most liked');
    await page.clock.runFor(300);
    await page.getByRole('heading', { name: 'Most liked' }).waitFor();
    await page.getByLabel('Period').selectOption('Last 30 days');
    await page.goBack();
    await page.getByRole('heading', { name: 'Most viewed' }).waitFor();
    await page.clock.runFor(1000);
    expect(await page.getByLabel('Period').inputValue()).toBe('LAST_7_DAYS');
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toContain('Most viewed');
    expect(await page.evaluate(() => window.location.search)).not.toContain('period=30');
  });

  it('can be refreshed again after a refresh that failed halfway', async () => {
    const clock = createTestClock(NOON);
    await startAt(clock);
    await scrollTo(120);
    await seeIdle();
    const loaded = await page.locator('.tile-video').count();
    await passTime(clock, 2 * HOUR_MS);
    await page.route('**/graphql', (route) =>
      route.request().postDataJSON().variables.after ? route.abort() : route.continue(),
    );
    await refresh().click();
    await page.getByRole('alert').getByText('No connection').waitFor();
    expect(open.takeComplaints()).toHaveLength(1);
    await page.unroute('**/graphql');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('Refreshed: nothing has changed.').waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
    expect(await page.locator('.tile-video').count()).toBe(loaded);
  });

  it('does not load more after an outage if nobody is near the end any more', async () => {
    await start('about:blank');
    await stopTime();
    await goTo('/');
    await page.clock.runFor(1000);
    await seeTiles(20);
    await page.route('**/graphql', (route) => route.abort());
    await page.mouse.wheel(0, 50_000);
    await page.getByRole('alert').waitFor();
    await page.evaluate(() => window.scrollTo({ top: 0 }));
    await page.unroute('**/graphql');
    const operations = open.operations();
    await page.clock.runFor(6000);
    await page.getByRole('alert').waitFor({ state: 'detached' });
    await page.clock.runFor(1000);
    expect(open.operations()).toBe(operations);
    await seeTiles(20);
    expect(open.takeComplaints()).toHaveLength(1);
  });
});
