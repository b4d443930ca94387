import { readFile } from 'node:fs/promises';
import { expect, it } from '@jest/globals';
import type { parse } from '../../../../examples/board/node_modules/@types/papaparse/index.d.ts';
import { range } from '../../../support/charts.ts';
import { createTestClock } from '../../../support/clock.ts';
import { poll } from '../../support/poll.ts';
import { expectAccessible } from './startBoard.ts';
import {
  api,
  board,
  describeBoard,
  goTo,
  open,
  page,
  readFocus,
  readRanks,
  scrollTo,
  seeFrames,
  seeIdle,
  seeTiles,
  start,
  startAt,
} from './visit.ts';

/** A variable, since its types are in another package. */
const PAPAPARSE = '../../../../examples/board/node_modules/papaparse/papaparse.js';

const search = () => page.getByRole('searchbox', { name: 'Search' });

async function jumpTo(rank: number): Promise<void> {
  await page.getByLabel('Go to rank').fill(String(rank));
  await page.getByLabel('Go to rank').press('Enter');
}

/** Waits until the tile of this rank is focused, and at the top of the window. */
async function seeAtTop(rank: number): Promise<void> {
  await page.waitForFunction((wanted) => {
    const tile = document.activeElement?.closest<HTMLElement>('[data-rank]');
    const bar = document.querySelector('.bar')?.getBoundingClientRect().bottom ?? 0;
    const top = tile?.getBoundingClientRect().top ?? -1;
    return tile?.dataset.rank === String(wanted) && top >= bar && top < bar + 200;
  }, rank);
}

describeBoard('the list of the board', () => {
  it('shows the full caption on focus and on hover', async () => {
    await start();
    await seeTiles(20);
    const long = page.locator('.tile', { has: page.locator('.caption', { hasText: 'part 2' }) }).first();
    const caption = long.locator('.caption');
    const isCut = () => caption.evaluate((element) => element.scrollHeight > element.clientHeight);
    const readHeight = () => page.evaluate(() => document.documentElement.scrollHeight);
    expect(await isCut()).toBe(true);
    const height = await readHeight();
    await long.locator('.tile-video').focus();
    // The keyboard's focus, not the mouse's.
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Tab');
    expect(await isCut()).toBe(false);
    await page.keyboard.press('Tab');
    expect(await isCut()).toBe(true);
    await long.hover();
    expect(await isCut()).toBe(false);
    // Nothing else moves.
    expect(await readHeight()).toBe(height);
  });

  it('finds captions and creators in what is loaded, without loading more', async () => {
    await start();
    await seeTiles(20);
    await scrollTo(40);
    await seeIdle();
    const loaded = await page.locator('.tile-video').count();
    const operations = open.operations();
    await search().fill('RADIO');
    await page.waitForFunction(() => document.querySelectorAll('.tile-video').length < 20);
    const captions = await page.locator('.caption').allTextContents();
    expect(captions.length).toBeGreaterThan(0);
    expect(captions.filter((caption) => !caption.includes('radio'))).toEqual([]);
    await search().fill('@neon');
    await page.waitForURL(/search=%40neon/);
    const creators = await page.locator('.creator').allTextContents();
    expect(creators.length).toBeGreaterThan(0);
    expect(creators.filter((creator) => !creator.includes('@neon'))).toEqual([]);

    await search().fill('nothing has this');
    await page.getByText(`None of the ${loaded} loaded videos contains “nothing has this”.`).waitFor();
    await seeFrames();
    expect(open.operations()).toBe(operations);
    await expectAccessible(page);
    // It is in the URL, but not in the browser's history.
    expect(new URL(page.url()).searchParams.get('search')).toBe('nothing has this');
    await page.reload();
    await page.getByText('“nothing has this”.').waitFor();
    await search().fill('');
    await page.locator(`[data-rank="${loaded}"]`).waitFor();
    expect((await readRanks()).slice(0, loaded)).toEqual(range(1, loaded));
  });

  it('goes to a rank, and says before what that costs at most', async () => {
    await start();
    await seeTiles(20);
    await page.getByLabel('Go to rank').fill('250');
    expect(await page.locator('.tools .hint').textContent()).toBe('up to 52 credits');
    await page.getByLabel('Go to rank').press('Enter');
    await seeAtTop(250);
    expect(await readFocus()).toMatch(/^Rank 250 /);
    // The end of the list may have been near enough for another window.
    await seeIdle();
    const ranks = await readRanks();
    expect(ranks).toEqual(range(1, ranks.length));
    expect(ranks.length).toBeLessThanOrEqual(300);
    expect(ranks.length * 0.2).toBe(api.emulator.counts.credits);
    expect(await page.locator('.facts .hint').textContent()).toBe(`up to ${ranks.length / 5} credits`);
    // Windows of 20, 100, 100 and 40, and those at the end.
    expect(open.operations()).toBe(4 + (ranks.length - 260) / 20);

    const operations = open.operations();
    await page.getByLabel('Go to rank').fill('3');
    expect(await page.locator('.tools .hint').textContent()).toBe('');
    await page.getByRole('button', { name: 'Go', exact: true }).click();
    await seeAtTop(3);
    expect(open.operations()).toBe(operations);
  });

  it.each(['0', '501', '1.5', ''])(
    'does not go to a rank that the chart does not have: "%s"',
    async (text) => {
      await start();
      await seeTiles(20);
      await page.getByLabel('Go to rank').fill(text);
      await page.getByRole('button', { name: 'Go', exact: true }).click();
      const isInvalid = page
        .getByLabel('Go to rank')
        .evaluate((input: HTMLInputElement) => !input.checkValidity());
      expect(await isInvalid).toBe(true);
      expect(await page.locator('.tile-video').count()).toBe(20);
    },
  );

  it('goes to a rank while the next window is loading, and out of a search', async () => {
    await start('/?search=radio');
    await page.locator('.tile-video').first().waitFor();
    const release = api.holdUpstream();
    await page.getByRole('button', { name: 'Show more' }).click();
    await page.getByRole('button', { name: 'Loading…' }).waitFor();
    await jumpTo(70);
    release();
    await seeAtTop(70);
    expect(await search().inputValue()).toBe('');
    const ranks = await readRanks();
    expect(ranks).toEqual(range(1, ranks.length));
  });

  it('copies a link that leads to the same rank of the same chart', async () => {
    await start('/', { permissions: ['clipboard-read', 'clipboard-write'] });
    await seeTiles(20);
    await page.getByLabel('Order').selectOption('Most liked');
    await page.getByRole('heading', { name: 'Most liked' }).waitFor();
    await seeTiles(20);
    const copy = page.getByRole('button', { name: 'Copy link', exact: true });
    const readLink = async (): Promise<string> => {
      await copy.press('Enter');
      await page.getByText('Link copied.').waitFor();
      return page.evaluate(() => navigator.clipboard.readText());
    };
    const query = '?region=US&period=7&order=likes';
    await copy.focus();
    await page.evaluate(() => window.scrollTo({ top: 0 }));
    expect(await readLink()).toBe(new URL(query, board.url).href);

    await jumpTo(45);
    await seeAtTop(45);
    await page.getByRole('button', { name: 'Copy link to here' }).click();
    // It disappears after a moment.
    await page.locator('.floating').getByText('Link copied.').waitFor({ state: 'attached' });
    const link = await page.evaluate(() => navigator.clipboard.readText());
    const rank = Number(new URL(link).searchParams.get('rank'));
    // The first tile of its row.
    expect(rank).toBeGreaterThan(39);
    expect(rank).toBeLessThanOrEqual(45);
    await page.goto('about:blank');
    await page.goto(link);
    await seeAtTop(rank);
    expect(await page.title()).toBe('Most liked: United States · Trending board');
  });

  it('shows the link where a page may not copy it', async () => {
    await start('about:blank');
    await page.addInitScript(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
    await goTo('/');
    await seeTiles(20);
    const shown = page.waitForEvent('dialog');
    const pressed = page.getByRole('button', { name: 'Copy link', exact: true }).click();
    const dialog = await shown;
    expect(dialog.defaultValue()).toBe(new URL('?region=US&period=7&order=views', board.url).href);
    await dialog.dismiss();
    await pressed;
  });

  it('downloads what is shown as CSV', async () => {
    const clock = createTestClock(Date.UTC(2026, 0, 1, 12));
    await startAt(clock, '/?search=radio');
    const downloaded = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download CSV' }).click();
    const download = await downloaded;
    expect(download.suggestedFilename()).toBe('trending-US-7-views-2026-01-01.csv');
    const text = await readFile(await download.path(), 'utf8');
    const papa: { parse: typeof parse } = (await import(PAPAPARSE)).default;
    const { data, errors } = papa.parse<string[]>(text.slice(1), { skipEmptyLines: true });
    expect([text[0], errors]).toEqual(['\uFEFF', []]);
    const [header, ...rows] = data;
    expect(header).toEqual([
      ...['rank', 'previous_rank', 'movement', 'caption', 'creator', 'url', 'seconds', 'views', 'likes'],
    ]);
    const shown = await page.locator('.tile').evaluateAll((tiles) =>
      tiles.map((tile) => {
        const read = (selector: string): string => tile.querySelector(selector)?.textContent ?? '';
        const numbers = [...tile.querySelectorAll('.numbers > span')].map((span) =>
          span.getAttribute('title'),
        );
        return {
          rank: tile.getAttribute('data-rank'),
          caption: read('.caption'),
          creator: read('.creator').slice(1),
          url: tile.querySelector('.tile-video')?.getAttribute('href'),
          numbers: numbers.map((title) => (title ?? '').replaceAll(/\D/g, '')),
        };
      }),
    );
    expect(shown.length).toBeGreaterThan(0);
    expect(
      rows.map(([rank, , , caption, creator, url, , ...numbers]) => ({
        rank,
        caption,
        creator,
        url,
        numbers,
      })),
    ).toEqual(shown);
    await page.getByText(`${shown.length} video${shown.length === 1 ? '' : 's'} downloaded.`).waitFor();
  });

  it('copies a link to a list that is sorted or searched as it is', async () => {
    await start('/?sort=likes&search=dance', { permissions: ['clipboard-read', 'clipboard-write'] });
    await page.locator('.tile-video').first().waitFor();
    await page.getByRole('button', { name: 'Copy link', exact: true }).press('Enter');
    await page.getByText('Link copied.').waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    expect(link).toBe(new URL('?region=US&period=7&order=views&sort=likes&search=dance', board.url).href);
  });

  it.each([
    ['250', '250', 'the link leads here: up to 52 credits'],
    ['99999', '500', 'the link leads here: up to 96 credits'],
  ])('asks before a link to rank %s costs so many credits', async (rank, shown, hint) => {
    await start(`/?rank=${rank}`);
    await seeTiles(20);
    await seeFrames();
    expect(open.operations()).toBe(1);
    expect(await page.getByLabel('Go to rank').inputValue()).toBe(shown);
    expect(await page.locator('.tools .hint').textContent()).toBe(hint);
    await page.getByRole('button', { name: 'Go', exact: true }).click();
    await poll(async () => (await readFocus()).startsWith(`Rank ${shown} `));
    await poll(async () => (await readRanks()).length * 0.2 === api.emulator.counts.credits);
    const credits = Number(/\d+/.exec(hint)?.[0]);
    expect(api.emulator.counts.credits).toBeLessThanOrEqual(4 + credits);
  });

  it('goes to a rank also if an attempt to load it fails', async () => {
    await start();
    await seeTiles(20);
    await page.route('**/graphql', (route) => route.abort());
    await jumpTo(130);
    await page.getByRole('alert').waitFor();
    expect(open.takeComplaints()).toHaveLength(1);
    await page.unroute('**/graphql');
    await page.getByRole('button', { name: 'Try again' }).click();
    await seeAtTop(130);
  });

  it('loads smaller windows if large ones are refused as too expensive', async () => {
    await start('/', {}, {}, {}, { MAX_CREDITS_PER_OPERATION: '10' });
    await seeTiles(20);
    await jumpTo(90);
    await seeAtTop(90);
    const ranks = await readRanks();
    expect(ranks).toEqual(range(1, ranks.length));
    expect(await page.getByRole('alert').count()).toBe(0);
    // The browser logs that a large window was refused.
    expect(open.takeComplaints()).toHaveLength(1);
  });

  it('shows all of a long caption', async () => {
    await start('about:blank');
    const long = `A very long caption. ${'One more sentence of many. '.repeat(80)}The end.`;
    await page.route('**/graphql', async (route) => {
      const response = await route.fetch();
      const json = await response.json();
      json.data.trendingVideos.edges[0].node.title = long;
      await route.fulfill({ response, json });
    });
    await goTo('/');
    await seeTiles(20);
    const caption = page.locator('.caption').first();
    await page.getByRole('button', { name: 'Download CSV' }).focus();
    await page.keyboard.press('Tab');
    expect(await readFocus()).toMatch(/^Rank 1 /);
    const readEnd = () =>
      caption.evaluate((element) => {
        const { bottom } = element.getBoundingClientRect();
        return { isCut: element.scrollHeight > element.clientHeight, bottom: bottom + window.scrollY };
      });
    const { isCut, bottom } = await readEnd();
    expect(isCut).toBe(false);
    expect(bottom).toBeGreaterThan(1500);
    await expectAccessible(page);
    // The page scrolls along it, with the focus on the tile, and nothing covers its last line.
    const isOnTop = await caption.evaluate((element) => {
      element.scrollIntoView({ block: 'end' });
      const { left, bottom: end } = element.getBoundingClientRect();
      return element.contains(document.elementFromPoint(left + 5, end - 5));
    });
    expect(isOnTop).toBe(true);
    await page.keyboard.press('Tab');
    expect(await readFocus()).toBe('@neon_tiny');
    expect((await readEnd()).isCut).toBe(true);
  });

  it('keeps the focus when the last window is loaded by keyboard', async () => {
    await start('/?sort=likes&rank=2');
    await page.locator('.tile-video').first().waitFor();
    // A chart of one more page.
    await page.route('**/graphql', async (route) => {
      const response = await route.fetch();
      const json = await response.json();
      json.data.trendingVideos.pageInfo = { hasNextPage: false, endCursor: null };
      await route.fulfill({ response, json });
    });
    await page.getByRole('button', { name: 'Show more' }).press('Enter');
    await seeTiles(40);
    await page.getByText('End of the chart.').waitFor();
    expect(await readFocus()).toBe('End of the chart.');
  });

  it('does not take the focus from somebody who is elsewhere at the end of the chart', async () => {
    await start('/?sort=likes');
    await seeTiles(20);
    await page.getByRole('button', { name: 'Show more' }).press('Enter');
    await seeTiles(40);
    await page.route('**/graphql', async (route) => {
      const response = await route.fetch();
      const json = await response.json();
      json.data.trendingVideos.pageInfo = { hasNextPage: false, endCursor: null };
      await route.fulfill({ response, json });
    });
    const release = api.holdUpstream();
    await page.getByRole('button', { name: 'Show more' }).press('Enter');
    await search().focus();
    release();
    await page.getByText('End of the chart.').waitFor();
    expect(await readFocus()).toBe('Search');
  });

  it('forgets a rank that could not be loaded when the list is sorted', async () => {
    await start();
    await seeTiles(20);
    await page.route('**/graphql', (route) => route.abort());
    await jumpTo(130);
    await page.getByRole('alert').waitFor();
    expect(open.takeComplaints()).toHaveLength(1);
    await page.getByLabel('Sort').selectOption('Views');
    await page.getByText('Among the 20 videos loaded so far.').waitFor();
    await page.unroute('**/graphql');
    const request = page.waitForRequest('**/graphql');
    await page.getByRole('button', { name: 'Try again' }).click();
    expect((await request).postDataJSON().variables.first).toBe(20);
    await seeTiles(40);
    await page.getByLabel('Sort').focus();
    await page.getByLabel('Sort').selectOption('Rank');
    await page.waitForURL((url) => !url.searchParams.has('sort'));
    await seeFrames();
    expect(await readFocus()).toBe('Sort');
  });

  it('says when a download has failed', async () => {
    await start();
    await seeTiles(20);
    await page.route('**/papaparse*.js', (route) => route.abort());
    await page.getByRole('button', { name: 'Download CSV' }).click();
    await page.getByText('The download failed. Try again.').waitFor();
    expect(open.takeComplaints()).toHaveLength(1);
  });
});
