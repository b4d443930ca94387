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
    await search().fill('@neon radio');
    await search().fill('@neon');
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
    await seeTiles(loaded);
    expect(await readRanks()).toEqual(range(1, loaded));
  });

  it('goes to a rank, and says before what that costs at most', async () => {
    await start();
    await seeTiles(20);
    await page.getByLabel('Go to rank').fill('250');
    expect(await page.locator('.hint').textContent()).toBe('up to 48 credits');
    await page.getByLabel('Go to rank').press('Enter');
    await seeAtTop(250);
    expect(await readFocus()).toMatch(/^Rank 250 /);
    // The end of the list may be near enough for another window.
    await poll(async () => (await readRanks()).length * 0.2 === api.emulator.counts.credits);
    const ranks = await readRanks();
    expect(ranks).toEqual(range(1, ranks.length));
    expect(ranks.length).toBeLessThanOrEqual(300);
    // Windows of 20, 100, 100 and 40, and those at the end.
    expect(open.operations()).toBe(4 + (ranks.length - 260) / 20);

    const operations = open.operations();
    await page.getByLabel('Go to rank').fill('3');
    expect(await page.locator('.hint').textContent()).toBe('');
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
    const copy = page.getByRole('button', { name: 'Copy link' });
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
    // As by its access key: the page stays where it is.
    await copy.evaluate((button: HTMLElement) => button.focus({ preventScroll: true }));
    await page.evaluate(() => (document.activeElement as HTMLElement).click());
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
    const pressed = page.getByRole('button', { name: 'Copy link' }).click();
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
});
