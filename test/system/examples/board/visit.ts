import { mkdir } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, expect } from '@jest/globals';
import type { EmulatedApp } from '../../../support/app.ts';
import type { TestClock } from '../../../support/clock.ts';
import { type Board, describeInBrowser, type OpenPage, type Page, startBoard } from './startBoard.ts';

/** The window of a phone. */
export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

export let board: Board;
/** The API and the open page: each test has its own. */
export let api: EmulatedApp;
export let open: OpenPage;
export let page: Page;

/** A block of tests of the board; each calls `start`. */
export function describeBoard(name: string, tests: () => void): void {
  describeInBrowser(name, () => {
    beforeAll(async () => {
      board = await startBoard();
    });

    afterAll(() => board.close());

    afterEach(async () => {
      const complaints = open.takeComplaints();
      // Requests that the page has just sent may not be answered any more.
      await page.unrouteAll({ behavior: 'ignoreErrors' });
      await page.context().close();
      await api.close();
      expect(complaints).toEqual([]);
    });

    tests();
  });
}

/** Starts the API, and opens the board. */
export async function start(
  path = '/',
  options: Parameters<Board['open']>[1] = {},
  ...apiArguments: Parameters<Board['startApi']>
): Promise<void> {
  api = await board.startApi(...apiArguments);
  open = await board.open(path, options);
  page = open.page;
}

/**
 * Starts the API and opens the board, both at the time of the clock. Charts move from day to day if the switches say
 * `date: undefined`.
 */
export async function startAt(
  clock: TestClock,
  path = '/',
  options: Parameters<Board['open']>[1] = {},
  switches: Parameters<Board['startApi']>[0] = {},
): Promise<void> {
  await start('about:blank', options, switches, { clock });
  await page.clock.setFixedTime(clock.now());
  await goTo(path);
  await page.locator('.tile-video, .row-video').first().waitFor();
}

/** Stops the time of the page, which is open but empty; `page.clock.runFor` lets it pass. */
export async function stopTime(): Promise<void> {
  const time = Date.UTC(2026, 0, 1, 12);
  await page.clock.install({ time: time - 1000 });
  await page.clock.pauseAt(time);
}

/** Lets time pass for the API and the page. */
export async function passTime(clock: TestClock, ms: number): Promise<void> {
  clock.advance(ms);
  await page.clock.setFixedTime(clock.now());
}

export function goTo(path: string): Promise<unknown> {
  return page.goto(new URL(path, board.url).href);
}

/** Waits until the page shows this number of videos of a chart. */
export async function seeTiles(count: number): Promise<void> {
  await page.waitForFunction((wanted) => document.querySelectorAll('.tile-video').length === wanted, count);
}

/** Waits until the page shows this number of videos of regions side by side. */
export async function seeRows(count: number): Promise<void> {
  await page.waitForFunction((wanted) => document.querySelectorAll('.row-video').length === wanted, count);
}

/** Waits until the first cover has loaded. */
export async function seeCover(): Promise<void> {
  await page.waitForFunction(
    () => (document.querySelector('img.cover') as HTMLImageElement | null)?.naturalWidth,
  );
}

/** The cost that the page shows. */
export async function readCost(): Promise<string> {
  return (await page.locator('.cost strong').textContent()) ?? '';
}

/** The ranks in the list, in their order. */
export async function readRanks(): Promise<number[]> {
  const texts = await page.locator('.tile .rank').allTextContents();
  return texts.map((text) => Number(text.replace('Rank ', '')));
}

/**
 * Scrolls down until the list has at least this number of videos; it may go on loading. Not by wheel: on a slow machine the
 * page would still scroll afterwards.
 */
export async function scrollTo(count: number): Promise<void> {
  while ((await page.locator('.tile-video').count()) < count) {
    await page.evaluate(() => window.scrollBy({ top: 5000 }));
    await seeFrames();
  }
}

/** Waits for two frames: by then the page has started whatever it does on its own. */
export async function seeFrames(): Promise<void> {
  await page.evaluate(
    () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
  );
}

/** Scrolls to the top, from where nothing more is loaded, and waits until what is in flight has arrived. */
export async function seeIdle(): Promise<void> {
  await page.evaluate(() => window.scrollTo({ top: 0 }));
  await seeFrames();
  await page.waitForFunction(
    () => document.querySelector('.more')?.getAttribute('aria-disabled') === 'false',
  );
}

/** The label or text of the focused element. */
export function readFocus(): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement as HTMLElement;
    const { labels } = element as HTMLSelectElement;
    const name = labels?.[0]?.textContent ?? element.ariaLabel ?? element.innerText.replaceAll('\n', ' ');
    return element === document.body ? 'nothing' : name;
  });
}

/** Saves a screenshot for the documentation if `WRITE_DOCS` is set. */
export async function savePicture(name: string): Promise<void> {
  if (!process.env.WRITE_DOCS) return;
  await page.waitForLoadState('networkidle');
  await mkdir('docs/images', { recursive: true });
  await page.screenshot({ path: `docs/images/${name}.png` });
}
