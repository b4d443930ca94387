import { expect, it } from '@jest/globals';
import { range } from '../../../support/charts.ts';
import { createTestClock } from '../../../support/clock.ts';
import { expectAccessible } from './startBoard.ts';
import {
  api,
  describeBoard,
  goTo,
  open,
  page,
  passTime,
  readCost,
  readRanks,
  savePicture,
  scrollTo,
  seeCover,
  seeFrames,
  seeRows,
  seeTiles,
  start,
  startAt,
} from './visit.ts';

const HOUR_MS = 3_600_000;

describeBoard('the board', () => {
  it('shows the top of a chart, with pictures, its age and its cost', async () => {
    await start();
    await seeTiles(20);
    expect(await readRanks()).toEqual(range(1, 20));
    const first = page.locator('.tile').first();
    expect(await first.locator('.title').textContent()).toBe(
      'Ma colocataire cooks for 40 people ❤️‍🩹 #parati',
    );
    expect(await first.locator('.creator').textContent()).toBe('@neon_tiny');
    expect(await first.locator('.duration').textContent()).toBe('Length 2:39');
    await seeCover();
    expect(await page.locator('.facts').innerText()).toMatch(
      /^500 videos\s+updated just now\s+no earlier day to compare with\s+Refresh$/,
    );
    expect(await page.locator('.stale').count()).toBe(0);
    expect(await readCost()).toBe('4 credits');
    expect(await page.title()).toBe('Most viewed: United States · Trending board');
    expect(api.pagesBought()).toEqual([1]);
  });

  it.each([
    ['/', 20, '.tile.skeleton'],
    ['/?view=compare', 80, '.row.skeleton'],
  ])('shows placeholders while loading: %s', async (path, count, skeleton) => {
    await start('about:blank');
    const release = api.holdUpstream();
    await goTo(path);
    await page.waitForFunction(
      ([selector, wanted]) => document.querySelectorAll(`${selector}`).length === wanted,
      [skeleton, count],
    );
    release();
    await page.locator('.tile-video, .row-video').first().waitFor();
    expect(await page.locator('.skeleton').count()).toBe(0);
  });

  it('scrolls through all 500 videos for 100 credits, half of them for numbers, and again for 0', async () => {
    await start();
    await seeTiles(20);
    await scrollTo(500);
    expect(await readRanks()).toEqual(range(1, 500));
    await page.getByText('End of the chart.').waitFor();
    expect(await readCost()).toBe('100 credits');
    expect(api.emulator.counts).toMatchObject({ requests: 75, credits: 100 });

    const operations = open.operations();
    await page.getByRole('button', { name: 'Back to the top' }).click();
    await page.waitForFunction(() => window.scrollY === 0);
    await seeFrames();
    expect(open.operations()).toBe(operations);

    await page.reload();
    await scrollTo(500);
    expect(await readRanks()).toEqual(range(1, 500));
    expect(await readCost()).toBe('100 credits');
    expect(api.emulator.counts).toMatchObject({ requests: 75, credits: 100 });
  });

  it('shows no video twice when the chart changes while scrolling', async () => {
    await start();
    await seeTiles(20);
    // The former top of the chart is now after rank 50.
    api.emulator.switches.rotation = 450;
    await scrollTo(75);
    const videos = await page
      .locator('.tile-video')
      .evaluateAll((links) => links.map((link) => link.getAttribute('href')));
    expect(new Set(videos).size).toBe(videos.length);
    const ranks = await readRanks();
    expect(ranks.slice(0, 50)).toEqual(range(1, 50));
    expect(ranks[50]).toBe(71);
  });

  it('has the chosen chart in the URL, and goes back without a request', async () => {
    await start('/?region=us&period=8&order=none');
    await seeTiles(20);
    await page.getByLabel('Region').selectOption('United Kingdom');
    await page.getByRole('heading', { name: 'Most viewed: United Kingdom' }).waitFor();
    await seeTiles(20);
    await page.getByLabel('Period').selectOption('Last 30 days');
    await page.getByRole('heading', { name: 'Most viewed: United Kingdom Last 30 days' }).waitFor();
    await seeTiles(20);
    await page.getByLabel('Order').selectOption('Most liked');
    await page.getByRole('heading', { name: 'Most liked: United Kingdom Last 30 days' }).waitFor();
    await seeTiles(20);
    expect(new URL(page.url()).search).toBe('?region=GB&period=30&order=likes');
    const title = await page.locator('.title').first().textContent();

    const operations = open.operations();
    for (const _ of range(1, 3)) await page.goBack();
    await page.getByRole('heading', { name: 'Most viewed: United States' }).waitFor();
    await seeTiles(20);
    expect(await page.getByLabel('Region').inputValue()).toBe('US');
    await page.goForward();
    await page.getByRole('heading', { name: 'Most viewed: United Kingdom' }).waitFor();
    await seeTiles(20);
    await seeFrames();
    expect(open.operations()).toBe(operations);

    const cost = await readCost();
    await goTo('/?region=GB&period=30&order=likes');
    await seeTiles(20);
    expect(await page.locator('.title').first().textContent()).toBe(title);
    expect(await readCost()).toBe(cost);
  });

  it('fetches only the final keyboard choice, and counts the cost of an aborted request', async () => {
    await start('about:blank');
    await page.clock.install();
    await goTo('/');
    await seeTiles(20);
    // The clock stands still, so no time passes between key presses.
    await page.clock.pauseAt(Date.now() + HOUR_MS);
    await page.getByLabel('Region').focus();
    for (const _ of range(1, 5)) await page.keyboard.press('ArrowUp');
    const region = await page.getByLabel('Region').inputValue();
    const release = api.holdUpstream();
    await page.clock.runFor(300);
    await page.waitForURL((url) => url.searchParams.get('region') === region);
    await api.seeRequests(4);
    // Choose another chart before the response arrives.
    await page.getByLabel('Order').selectOption('Most reposted');
    await page.clock.runFor(300);
    await page.getByRole('heading', { name: 'Most reposted' }).waitFor();
    release();
    await seeTiles(20);
    await page.waitForFunction(
      (cost) => document.querySelector('.cost strong')?.textContent === cost,
      `${api.emulator.counts.credits} credits`,
    );
    const charts = api.bill.filter(({ page }) => page !== undefined);
    expect(charts.map((request) => [request.region, request.order_by])).toEqual([
      ['US', 'vv'],
      [region, 'vv'],
      [region, 'repost'],
    ]);
  });

  it('shows the age of the data, and marks stale data', async () => {
    const clock = createTestClock();
    await startAt(clock);
    await passTime(clock, 12 * 60_000);
    await page.reload();
    await page.getByText('updated 12 minutes ago').waitFor();
    expect(await page.locator('.stale').count()).toBe(0);
    // The age of a list is that of its oldest window.
    await scrollTo(40);
    expect(api.pagesBought().length).toBeGreaterThan(1);
    expect(await page.locator('.facts').innerText()).toContain('updated 12 minutes ago');

    await page.evaluate(() => window.scrollTo({ top: 0 }));
    await page.waitForFunction(() => window.history.state?.position?.scrollY === 0);
    await passTime(clock, 2 * HOUR_MS);
    api.emulator.switches.credits = 0;
    await page.getByRole('link', { name: 'Chart', exact: true }).click();
    await page.reload();
    await page.getByText('Older data').waitFor();
    await page.getByText('updated 2 hours ago').waitFor();
    await seeFrames();
    expect(await page.evaluate(() => window.scrollY)).toBe(0);
    await expectAccessible(page);
    await savePicture('board-stale');
  });

  it('compares up to four regions in one operation, and marks videos that are in several of them', async () => {
    await start('/?view=compare&regions=us,IN,IT,BR,JP');
    await seeRows(80);
    expect(open.operations()).toBe(1);
    expect(await readCost()).toBe('8 credits');
    expect(await page.getByRole('heading', { level: 2 }).allTextContents()).toEqual([
      'United States',
      'India',
      'Italy',
      'Brazil',
    ]);
    // Worldwide hits: three of them are among the first 20 of each of these charts.
    expect(await page.locator('.also').allTextContents()).toEqual([
      'Also in: India (6th), Italy (4th), Brazil (5th)',
      'Also in: India (14th), Italy (9th), Brazil (13th)',
      'Also in: India (18th), Italy (13th), Brazil (15th)',
      'Also in: United States (5th), Italy (4th), Brazil (5th)',
      'Also in: United States (13th), Italy (9th), Brazil (13th)',
      'Also in: United States (15th), Italy (13th), Brazil (15th)',
      'Also in: United States (5th), India (6th), Brazil (5th)',
      'Also in: United States (13th), India (14th), Brazil (13th)',
      'Also in: United States (15th), India (18th), Brazil (15th)',
      'Also in: United States (5th), India (6th), Italy (4th)',
      'Also in: United States (13th), India (14th), Italy (9th)',
      'Also in: United States (15th), India (18th), Italy (13th)',
    ]);
    expect(await page.locator('.row .creator').count()).toBe(80);
    expect(await page.locator('.row .creator').first().textContent()).toBe('@neon_tiny');

    await page.getByRole('button', { name: 'Remove India' }).click();
    await seeRows(60);
    expect(await page.locator('.also').count()).toBe(9);
    const release = api.holdUpstream();
    await page.getByRole('button', { name: 'Add a region' }).click();
    await page.getByRole('heading', { name: 'Argentina', level: 2 }).waitFor();
    // The regions that have loaded stay visible.
    expect(await page.locator('.row-video').count()).toBe(60);
    release();
    await seeRows(80);
    expect(new URL(page.url()).search).toBe(
      '?view=compare&regions=US,IT,BR,AR&region=US&period=7&order=views',
    );
    expect(await readCost()).toBe('10 credits');
  });

  it('compares the region of the chart view, and goes back to it', async () => {
    await start('/?region=JP');
    await seeTiles(20);
    await page.getByRole('link', { name: 'Compare' }).click();
    await seeRows(80);
    expect(await page.getByRole('heading', { level: 2 }).allTextContents()).toEqual([
      'Japan',
      'United States',
      'India',
      'Italy',
    ]);
    await page.getByRole('link', { name: 'Chart', exact: true }).click();
    await page.getByRole('heading', { name: 'Most viewed: Japan' }).waitFor();
    await seeTiles(20);
    expect(await readCost()).toBe('10 credits');
  });

  it('still shows the other regions when one fails', async () => {
    await start();
    await seeTiles(20);
    api.emulator.switches.credits = 0;
    await goTo('/?view=compare&regions=US,GB');
    const failed = page.locator('.column', { hasText: 'United Kingdom' }).locator('.failure');
    await failed.waitFor();
    expect(await failed.innerText()).toMatch(/^The credits are used up\n.*\nUPSTREAM_QUOTA_EXCEEDED$/s);
    // Not retryable.
    expect(await failed.getByRole('button').count()).toBe(0);
    expect(await page.locator('.column', { hasText: 'United States' }).locator('.row-video').count()).toBe(
      20,
    );
    await expectAccessible(page);
  });
});
