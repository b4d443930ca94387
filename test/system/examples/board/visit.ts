import { mkdir } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, expect } from '@jest/globals';
import type { EmulatedApp } from '../../../support/app.ts';
import { type Board, describeInBrowser, type OpenPage, type Page, startBoard } from './startBoard.ts';

export let board: Board;
/** The API, the page that is open, and what it has done: each test has its own. */
export let api: EmulatedApp;
export let open: OpenPage;
export let page: Page;

/** A block of tests that visit the board: see `start`. */
export function describeBoard(name: string, tests: () => void): void {
  describeInBrowser(name, () => {
    beforeAll(async () => {
      board = await startBoard();
    });

    afterAll(() => board.close());

    afterEach(async () => {
      const complaints = open.takeComplaints();
      await page.context().close();
      await api.close();
      expect(complaints).toEqual([]);
    });

    tests();
  });
}

/** Starts the API, and opens the board on it. */
export async function start(
  path = '/',
  options: Parameters<Board['open']>[1] = {},
  ...ofApi: Parameters<Board['startApi']>
): Promise<void> {
  api = await board.startApi(...ofApi);
  open = await board.open(path, options);
  page = open.page;
}

export function goTo(path: string): Promise<unknown> {
  return page.goto(new URL(path, board.url).href);
}

/** Waits until the page shows so many videos of a chart. */
export async function seeTiles(count: number): Promise<void> {
  await page.waitForFunction((wanted) => document.querySelectorAll('.tile-video').length === wanted, count);
}

/** Waits until it shows so many videos of regions side by side. */
export async function seeRows(count: number): Promise<void> {
  await page.waitForFunction((wanted) => document.querySelectorAll('.row a').length === wanted, count);
}

/** Waits until the first cover can be seen. */
export async function seeCover(): Promise<void> {
  await page.waitForFunction(
    () => (document.querySelector('img.cover') as HTMLImageElement | null)?.naturalWidth,
  );
}

/** What the page says that it has cost. */
export async function readCost(): Promise<string> {
  return (await page.locator('.cost strong').textContent()) ?? '';
}

/** The ranks of the list, in order. */
export async function readRanks(): Promise<number[]> {
  const texts = await page.locator('.tile .rank').allTextContents();
  return texts.map((text) => Number(text.replace('Rank ', '')));
}

/** Scrolls on until there is so much of the list at least. */
export async function scrollTo(count: number): Promise<void> {
  while ((await page.locator('.tile-video').count()) < count) {
    await page.mouse.wheel(0, 5000);
    await page.waitForTimeout(20);
  }
}

/** Waits until the page has been painted twice: whatever it does of itself by then, it has begun to do. */
export async function seeFrames(): Promise<void> {
  await page.evaluate(
    () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
  );
}

/** What has the focus, as people know it. */
export function readFocus(): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement as HTMLElement;
    const { labels } = element as HTMLSelectElement;
    const name = labels?.[0]?.textContent ?? element.ariaLabel ?? element.innerText.replaceAll('\n', ' ');
    return element === document.body ? 'nothing' : name;
  });
}

/** Keeps a picture for the documentation, when that is written. */
export async function keepPicture(name: string): Promise<void> {
  if (!process.env.WRITE_DOCS) return;
  await page.waitForLoadState('networkidle');
  await mkdir('docs/images', { recursive: true });
  await page.screenshot({ path: `docs/images/${name}.png` });
}
