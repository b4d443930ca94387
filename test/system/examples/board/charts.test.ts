import { expect, it } from '@jest/globals';
import { range } from '../../../support/charts.ts';
import { createTestClock } from '../../../support/clock.ts';
import { expectAccessible } from './startBoard.ts';
import {
  api,
  describeBoard,
  goTo,
  keepPicture,
  open,
  page,
  readCost,
  readRanks,
  scrollTo,
  seeCover,
  seeFrames,
  seeRows,
  seeTiles,
  start,
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
    expect(await page.locator('.facts').innerText()).toMatch(/^500 videos\s+updated just now\s+Refresh$/);
    expect(await page.locator('.stale').count()).toBe(0);
    expect(await readCost()).toBe('2 credits');
    expect(await page.title()).toBe('Most viewed: United States · Trending board');
    expect(api.pagesBought()).toEqual([1]);
    await keepPicture('board');
  });

  it.each([
    ['/', 20, '.tile.skeleton'],
    ['/?view=compare', 80, '.row.skeleton'],
  ])('shows the shape of what is to come: %s', async (path, count, skeleton) => {
    await start('about:blank');
    const release = api.holdUpstream();
    await goTo(path);
    await page.waitForFunction(
      ([selector, wanted]) => document.querySelectorAll(`${selector}`).length === wanted,
      [skeleton, count],
    );
    release();
    await page.locator('.tile-video, .row a').first().waitFor();
    expect(await page.locator('.skeleton').count()).toBe(0);
  });

  it('scrolls through all 500 for 50 credits, and again for none', async () => {
    await start();
    await seeTiles(20);
    await scrollTo(500);
    expect(await readRanks()).toEqual(range(1, 500));
    await page.getByText('That is the whole chart.').waitFor();
    expect(await readCost()).toBe('50 credits');
    expect(api.emulator.counts).toEqual({ requests: 25, credits: 50 });

    const operations = open.operations();
    await page.getByRole('link', { name: 'Back to the top' }).click();
    await page.waitForFunction(() => window.scrollY === 0);
    await seeFrames();
    expect(open.operations()).toBe(operations);

    await page.reload();
    await seeTiles(20);
    await scrollTo(500);
    expect(await readRanks()).toEqual(range(1, 500));
    expect(await readCost()).toBe('0 credits');
    expect(api.emulator.counts).toEqual({ requests: 25, credits: 50 });
  });

  it('shows no video twice when the chart moves on the way', async () => {
    await start();
    await seeTiles(20);
    // What stood at the top stands behind rank 50 now.
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

  it('begins a list anew without a gap, whatever of the old one is still on its way', async () => {
    await start();
    await seeTiles(20);
    await scrollTo(40);
    let letGo = (): void => undefined;
    const released = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let held = 0;
    await page.route('**/graphql', async (route) => {
      if (route.request().postDataJSON().variables.after && held++ === 0) await released;
      await route.continue();
    });
    while (held === 0) {
      await page.mouse.wheel(0, 5000);
      await page.waitForTimeout(20);
    }
    const shown = await page.locator('.tile-video').count();
    await page.evaluate(() => window.scrollTo({ top: 0 }));
    await page.getByRole('button', { name: 'Refresh' }).click();
    await seeTiles(20);
    const late = page.waitForResponse('**/graphql');
    letGo();
    await (await late).finished();
    await scrollTo(shown + 20);
    const ranks = await readRanks();
    expect(ranks).toEqual(range(1, ranks.length));
  });

  it('keeps what is looked at in the address, and goes back for nothing', async () => {
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

    await goTo('/?region=GB&period=30&order=likes');
    await seeTiles(20);
    expect(await page.locator('.title').first().textContent()).toBe(title);
    expect(await readCost()).toBe('0 credits');
  });

  it('buys what is chosen, not what the keyboard passes on the way, and counts what nobody waits for any more', async () => {
    await start('about:blank');
    await page.clock.install();
    await goTo('/');
    await seeTiles(20);
    // However long the keys take, no time passes between them.
    await page.clock.pauseAt(Date.now() + HOUR_MS);
    await page.getByLabel('Region').focus();
    for (const _ of range(1, 5)) await page.keyboard.press('ArrowUp');
    const region = await page.getByLabel('Region').inputValue();
    const release = api.holdUpstream();
    await page.clock.runFor(300);
    await page.waitForURL((url) => url.searchParams.get('region') === region);
    await api.seeRequests(2);
    // Left before its answer has come.
    await page.getByLabel('Order').selectOption('Most reposted');
    await page.clock.runFor(300);
    await page.getByRole('heading', { name: 'Most reposted' }).waitFor();
    release();
    await seeTiles(20);
    await page.waitForFunction(() => document.querySelector('.cost strong')?.textContent === '6 credits');
    expect(api.bill.map((request) => [request.region, request.order_by])).toEqual([
      ['US', 'vv'],
      [region, 'vv'],
      [region, 'repost'],
    ]);
  });

  it('says how old the data are, and marks them when they are stale', async () => {
    const clock = createTestClock();
    await start('/', {}, {}, { clock });
    await seeTiles(20);
    const passTime = async (ms: number): Promise<void> => {
      clock.advance(ms);
      await page.clock.setFixedTime(clock.now());
    };
    await passTime(12 * 60_000);
    await page.reload();
    await page.getByText('updated 12 minutes ago').waitFor();
    expect(await page.locator('.stale').count()).toBe(0);
    // A list is as old as its oldest window.
    await scrollTo(40);
    expect(api.pagesBought().length).toBeGreaterThan(1);
    expect(await page.locator('.facts').innerText()).toContain('updated 12 minutes ago');

    // From the top no other window is asked for.
    await page.evaluate(() => window.scrollTo({ top: 0 }));
    await passTime(2 * HOUR_MS);
    api.emulator.switches.credits = 0;
    await page.reload();
    await page.getByText('Older data').waitFor();
    await page.getByText('updated 2 hours ago').waitFor();
    await seeTiles(20);
    await expectAccessible(page);
    await keepPicture('board-stale');

    api.emulator.switches.credits = undefined;
    await passTime(60_000);
    // The first answer is the old one still, at once; the new one is for whoever asks next.
    while ((await page.locator('.stale').count()) > 0) {
      await page.getByRole('button', { name: 'Refresh' }).click();
      await page.waitForTimeout(20);
      // What fails once more is asked for again a second later.
      await passTime(1000);
    }
    await page.getByText('updated just now').waitFor();
    expect(await readCost()).toBe('0 credits');
  });

  it('compares up to four regions in one operation, and marks videos that several have', async () => {
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
    expect(await page.locator('.also').allTextContents()).toEqual([
      'Also 18. in India',
      'Also 5. in United States',
      'Also 5. in Brazil',
      'Also 12. in Italy',
    ]);
    await keepPicture('board-compare');

    await page.getByRole('button', { name: 'Remove India' }).click();
    await seeRows(60);
    expect(await page.locator('.also').count()).toBe(2);
    const release = api.holdUpstream();
    await page.getByRole('button', { name: 'Add a region' }).click();
    await page.getByRole('heading', { name: 'Argentina', level: 2 }).waitFor();
    // Those that are there wait for nothing.
    expect(await page.locator('.row a').count()).toBe(60);
    release();
    await seeRows(80);
    expect(new URL(page.url()).search).toBe(
      '?view=compare&regions=US,IT,BR,AR&region=US&period=7&order=views',
    );
    expect(await readCost()).toBe('10 credits');
  });

  it('compares the region that was looked at, and goes back to it', async () => {
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
    expect(await readCost()).toBe('8 credits');
  });

  it('leaves the other regions standing when one fails', async () => {
    await start();
    await seeTiles(20);
    api.emulator.switches.credits = 0;
    await goTo('/?view=compare&regions=US,GB');
    const failed = page.locator('.column', { hasText: 'United Kingdom' }).getByRole('alert');
    await failed.waitFor();
    expect(await failed.innerText()).toMatch(/^The credits are used up\n.*\nUPSTREAM_QUOTA_EXCEEDED$/s);
    // It would not help.
    expect(await failed.getByRole('button').count()).toBe(0);
    expect(await page.locator('.column', { hasText: 'United States' }).locator('.row a').count()).toBe(20);
    await expectAccessible(page);
  });
});
