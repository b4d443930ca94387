import { mkdir, readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { EXPLANATIONS } from '../../examples/board/src/explanations.ts';
import { range } from '../support/charts.ts';
import { createTestClock } from '../support/clock.ts';
import { findBlocks } from '../support/examples.ts';
import { postQuery, startProgram } from '../support/program.ts';
import { findFreePort } from '../support/redis.ts';
import {
  type Board,
  type BoardApi,
  describeInBrowser,
  expectAccessible,
  type OpenPage,
  type Page,
  startBoard,
} from './startBoard.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

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

it('is served beside an API of its own, as its README shows', async () => {
  const variables = { PORT: String(await findFreePort()), BOARD_PORT: String(await findFreePort()) };
  const program = startProgram([process.execPath, 'examples/board/start.js'], variables);
  const [output, url = ''] = await program.see(/The board: (\S+)\nThe API: {3}\S+\n/);
  const answer = await postQuery(new URL('graphql', url).href, '{ trendingVideos { totalCount } }');
  expect(answer).toMatchObject({
    data: { trendingVideos: { totalCount: 500 } },
    extensions: { upstream: { source: 'emulator' } },
  });
  const [, shown = ''] = findBlocks(await readFile('examples/board/README.md', 'utf8')).map(
    ({ text }) => text,
  );
  const ports = { '4000': variables.PORT, '4173': variables.BOARD_PORT };
  expect(output).toBe(shown.replace(/4000|4173/g, (port) => ports[port as keyof typeof ports]));
  program.child.kill('SIGINT');
  expect(await program.exit).toBe(0);
  expect(program.output()).toBe(output);
}, 60_000);

describeInBrowser('the board', () => {
  let board: Board;
  let api: BoardApi;
  let open: OpenPage;
  let page: Page;

  beforeAll(async () => {
    board = await startBoard();
  }, 60_000);

  afterAll(() => board.close());

  afterEach(async () => {
    await page.context().close();
    await api.close();
  });

  async function start(path = '/', options: Parameters<Board['open']>[1] = {}): Promise<void> {
    api = await board.startApi();
    await look(path, options);
  }

  async function look(path: string, options: Parameters<Board['open']>[1] = {}): Promise<void> {
    open = await board.open(path, options);
    page = open.page;
  }

  /** Waits until the page shows so many videos of a chart. */
  async function seeTiles(count: number): Promise<void> {
    await page.waitForFunction((wanted) => document.querySelectorAll('.tile-video').length === wanted, count);
  }

  /** What the page says that it has cost. */
  async function readCost(): Promise<string> {
    return (await page.locator('.cost strong').textContent()) ?? '';
  }

  /** The ranks of the list, in order. */
  async function readRanks(): Promise<number[]> {
    const texts = await page.locator('.tile .rank').allTextContents();
    return texts.map((text) => Number(text.replace('Rank ', '')));
  }

  async function scrollToEnd(): Promise<void> {
    while ((await page.locator('.end').count()) === 0) {
      await page.mouse.wheel(0, 5000);
      await page.waitForTimeout(20);
    }
  }

  /** Keeps a picture for the documentation, when that is written. */
  async function keepPicture(name: string): Promise<void> {
    if (!process.env.WRITE_DOCS) return;
    await page.waitForLoadState('networkidle');
    await mkdir('docs/images', { recursive: true });
    await page.screenshot({ path: `docs/images/${name}.png` });
  }

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
    await page.waitForFunction(
      () => (document.querySelector('img.cover') as HTMLImageElement | null)?.naturalWidth,
    );
    expect(await page.locator('.facts').innerText()).toMatch(/^500 videos\s+updated just now\s+Refresh$/);
    expect(await page.locator('.stale').count()).toBe(0);
    expect(await readCost()).toBe('2 credits');
    expect(await page.title()).toBe('Most viewed: United States · Trending board');
    expect(api.pagesBought()).toEqual([1]);
    await keepPicture('board');
    expect(open.takeComplaints()).toEqual([]);
  });

  it('scrolls through all 500 for 50 credits, and again for none', async () => {
    await start();
    await seeTiles(20);
    await scrollToEnd();
    expect(await readRanks()).toEqual(range(1, 500));
    expect(await readCost()).toBe('50 credits');
    expect(api.emulator.counts).toEqual({ requests: 25, credits: 50 });

    const operations = api.operations();
    await page.getByRole('link', { name: 'Back to the top' }).click();
    await page.waitForFunction(() => window.scrollY === 0);
    expect(api.operations()).toBe(operations);

    await page.reload();
    await seeTiles(20);
    await scrollToEnd();
    expect(await readRanks()).toEqual(range(1, 500));
    expect(await readCost()).toBe('0 credits');
    expect(api.emulator.counts).toEqual({ requests: 25, credits: 50 });
    expect(open.takeComplaints()).toEqual([]);
  }, 60_000);

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

    const operations = api.operations();
    for (const _ of range(1, 3)) await page.goBack();
    await page.getByRole('heading', { name: 'Most viewed: United States' }).waitFor();
    await seeTiles(20);
    expect(await page.getByLabel('Region').inputValue()).toBe('US');
    await page.goForward();
    await page.getByRole('heading', { name: 'Most viewed: United Kingdom' }).waitFor();
    await seeTiles(20);
    expect(api.operations()).toBe(operations);

    await look('/?region=GB&period=30&order=likes');
    await seeTiles(20);
    expect(await page.locator('.title').first().textContent()).toBe(title);
    expect(await readCost()).toBe('0 credits');
  });

  it('compares up to four regions in one operation, and marks videos that several have', async () => {
    await start('/?view=compare&regions=us,IN,IT,BR,JP');
    await page.waitForFunction(() => document.querySelectorAll('.row a').length === 80);
    expect(api.operations()).toBe(1);
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
    await page.waitForFunction(() => document.querySelectorAll('.row a').length === 60);
    expect(await page.locator('.also').count()).toBe(2);
    await page.getByRole('button', { name: 'Add a region' }).click();
    await page.getByRole('heading', { name: 'Argentina', level: 2 }).waitFor();
    expect(new URL(page.url()).search).toBe(
      '?view=compare&regions=US,IT,BR,AR&region=US&period=7&order=views',
    );
    await page.waitForFunction(() => document.querySelectorAll('.row a').length === 80);
    expect(await readCost()).toBe('10 credits');
    await page.getByRole('link', { name: 'Chart', exact: true }).click();
    await seeTiles(20);
    expect(await readCost()).toBe('10 credits');
    expect(open.takeComplaints()).toEqual([]);
  });

  it('leaves the other regions standing when one fails', async () => {
    await start();
    await seeTiles(20);
    api.emulator.switches.credits = 0;
    await page.goto(new URL('/?view=compare&regions=US,GB', board.url).href);
    const failed = page.locator('.column', { hasText: 'United Kingdom' }).getByRole('alert');
    await failed.waitFor();
    expect(await failed.innerText()).toMatch(/^The credits are used up\n.*\nUPSTREAM_QUOTA_EXCEEDED$/s);
    // It would not help.
    expect(await failed.getByRole('button').count()).toBe(0);
    expect(await page.locator('.column', { hasText: 'United States' }).locator('.row a').count()).toBe(20);
  });

  it('says how old the data are, and marks them when they are stale', async () => {
    const clock = createTestClock();
    api = await board.startApi({}, {}, { clock });
    await look('/');
    await seeTiles(20);
    const passTime = async (ms: number): Promise<void> => {
      clock.advance(ms);
      await page.clock.setFixedTime(clock.now());
    };
    await passTime(12 * 60_000);
    await page.reload();
    await page.getByText('updated 12 minutes ago').waitFor();
    expect(await page.locator('.stale').count()).toBe(0);

    await passTime(2 * HOUR_MS);
    api.emulator.switches.credits = 0;
    await page.reload();
    await page.getByText('Older data').waitFor();
    await page.getByText('updated 2 hours ago').waitFor();
    await seeTiles(20);
    await keepPicture('board-stale');

    api.emulator.switches.credits = undefined;
    await passTime(60_000);
    await page.getByRole('button', { name: 'Refresh' }).click();
    // This answer is the old one still, at once; the new one is for whoever asks next.
    await page.getByText('updated 2 hours ago').waitFor();
    while ((await page.locator('.stale').count()) > 0) {
      await page.getByRole('button', { name: 'Refresh' }).click();
      await page.waitForTimeout(20);
    }
    await page.getByText('updated just now').waitFor();
    expect(await readCost()).toBe('0 credits');
  });

  it('says in plain words what is wrong, and tries again where that helps', async () => {
    const clock = createTestClock();
    api = await board.startApi({ qps: 0 }, {}, { clock });
    await look('/');
    const failure = page.getByRole('alert');
    await failure.waitFor();
    expect(await failure.innerText()).toMatch(/^Too fast for the data provider\n/);
    expect(await failure.innerText()).toContain('It makes sense to wait 60 seconds.');
    expect(await failure.locator('code').textContent()).toBe('UPSTREAM_RATE_LIMITED');
    await keepPicture('board-error');
    api.emulator.switches.qps = undefined;
    clock.advance(60_000);
    await failure.getByRole('button', { name: 'Try again' }).click();
    await seeTiles(20);
    expect(await failure.count()).toBe(0);

    // The same in the middle of a chart: what is there stays, and nothing is asked for again and again.
    api.emulator.switches.qps = 0;
    await page.locator('.more').scrollIntoViewIfNeeded();
    await failure.waitFor();
    expect(await readRanks()).toEqual(range(1, 20));
    const bill = api.bill.length;
    await page.mouse.wheel(0, 5000);
    await page.waitForTimeout(200);
    expect(api.bill).toHaveLength(bill);
    api.emulator.switches.qps = undefined;
    clock.advance(60_000);
    await failure.getByRole('button', { name: 'Try again' }).click();
    await page.waitForFunction(() => document.querySelectorAll('.tile-video').length >= 40);
  });

  it.each([
    ['a chart that there is not', '/?region=ZZ', 'There is no such chart', 0],
    ['no way to the API', '/', 'No connection', 1],
  ])('explains %s', async (_, path, title, retries) => {
    api = await board.startApi();
    open = await board.open('/icon.svg');
    page = open.page;
    if (retries > 0) await page.route('**/graphql', (route) => route.abort());
    await page.goto(new URL(path, board.url).href);
    const failure = page.getByRole('alert');
    await failure.getByRole('heading', { name: title }).waitFor();
    expect(await failure.getByRole('button', { name: 'Try again' }).count()).toBe(retries);
    await page.unroute('**/graphql');
    if (retries > 0) await failure.getByRole('button').click();
    else await page.getByLabel('Region').selectOption('Japan');
    await seeTiles(20);
  });

  it('shows something in place of pictures that do not load, and asks for none that has expired', async () => {
    api = await board.startApi();
    open = await board.open('/icon.svg');
    page = open.page;
    let covers = 0;
    await page.route('**/tos-emulated/**', (route) => (covers++ === 0 ? route.abort() : route.continue()));
    await page.goto(board.url);
    await seeTiles(20);
    await page.locator('.cover-missing').waitFor();
    await page.waitForFunction(
      () => (document.querySelector('img.cover') as HTMLImageElement | null)?.naturalWidth,
    );
    expect(await page.locator('.cover-missing').count()).toBe(1);

    const asked = covers;
    await page.clock.setFixedTime(Date.now() + 2 * DAY_MS);
    await page.reload();
    await seeTiles(20);
    expect(await page.locator('.cover-missing').count()).toBe(20);
    expect(covers).toBe(asked);
  });

  it('runs no script but its own, and asks for nothing elsewhere but covers', async () => {
    await start();
    await seeTiles(20);
    const html = await (await fetch(board.url)).text();
    expect(html).not.toMatch(/<script(?![^>]* src=)|<style|\son\w+=|\sstyle=/);
    const { origin } = new URL(board.url);
    const cover = new URL((await page.locator('img.cover').first().getAttribute('src')) ?? '');
    expect(new Set(open.origins())).toEqual(new Set([origin, cover.origin]));
    expect(open.takeComplaints()).toEqual([]);

    const isRun = await page.evaluate(async (elsewhere) => {
      const script = document.createElement('script');
      script.textContent = 'window.isRun = true';
      document.head.append(script);
      const isReached = await fetch(elsewhere, { mode: 'no-cors' }).then(
        () => true,
        () => false,
      );
      return 'isRun' in window || isReached;
    }, cover.origin);
    expect(isRun).toBe(false);
    expect(open.takeComplaints().join('\n')).toMatch(/inline script.*connect/s);
  });

  it('can be walked through by keyboard', async () => {
    await start();
    await seeTiles(20);
    const walked: string[] = [];
    const focused = () =>
      page.evaluate(() => {
        const element = document.activeElement as HTMLElement;
        const isVisible = getComputedStyle(element).outlineStyle !== 'none';
        const { labels } = element as HTMLSelectElement;
        return `${labels?.[0]?.textContent ?? element.innerText.replaceAll('\n', ' ')}${isVisible ? '' : ' (unseen)'}`;
      });
    for (const _ of range(1, 9)) {
      await page.keyboard.press('Tab');
      walked.push(await focused());
    }
    expect(walked).toEqual([
      'Skip to the chart',
      'Chart',
      'Compare',
      'Region',
      'Period',
      'Order',
      'Refresh',
      expect.stringMatching(/^Rank 1 Length 2:39 Ma colocataire/),
      '@neon_tiny',
    ]);

    await page.getByLabel('Order').focus();
    await page.keyboard.press('ArrowDown');
    await page.getByRole('heading', { name: 'Most liked: United States' }).waitFor();
    expect(await focused()).toBe('Order');
    await page.getByRole('link', { name: 'Compare' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Remove Italy' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Italy', level: 2 }).waitFor({ state: 'detached' });
    // What has come into its place.
    expect(await page.evaluate(() => document.activeElement?.ariaLabel)).toBe('Remove Brazil');
  });

  it.each([
    ['a chart', '/', {}],
    ['a chart in the dark', '/?region=JP', { colorScheme: 'dark' as const }],
    ['a chart on a phone', '/', PHONE],
    ['regions side by side', '/?view=compare', {}],
    [
      'regions side by side on a phone, in the dark',
      '/?view=compare',
      { ...PHONE, colorScheme: 'dark' as const },
    ],
    ['an error', '/?region=ZZ', {}],
    ['an error in the dark', '/?region=ZZ', { colorScheme: 'dark' as const }],
  ])('hinders nobody, as far as axe can tell: %s', async (name, path, options) => {
    await start(path, options);
    await page.locator('.tile-video, .row a, .failure').first().waitFor();
    await expectAccessible(page);
    if (name === 'a chart in the dark') await keepPicture('board-dark');
  });

  it.each(['/', '/?view=compare'])('fits a phone: %s', async (path) => {
    await start(path, { ...PHONE, deviceScaleFactor: 2 });
    await page.locator('.tile-video, .row a').first().waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    if (path !== '/') return;
    const boxes = await Promise.all(
      range(0, 2).map((index) => page.locator('.tile').nth(index).boundingBox()),
    );
    // Two beside each other, the third below.
    expect(boxes[1]?.y).toBe(boxes[0]?.y);
    expect(boxes[2]?.y).toBeGreaterThan(boxes[0]?.y ?? 0);
    await keepPicture('board-phone');
  });
});
