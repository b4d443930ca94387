import { mkdir, readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { EXPLANATIONS } from '../../../../examples/board/src/explanations.ts';
import type { EmulatedApp } from '../../../support/app.ts';
import { range } from '../../../support/charts.ts';
import { createTestClock } from '../../../support/clock.ts';
import { findBlocks } from '../../../support/examples.ts';
import { findFreePort } from '../../../support/freePort.ts';
import { postQuery, startProgram } from '../../support/program.ts';
import {
  type Board,
  describeInBrowser,
  expectAccessible,
  type OpenPage,
  type Page,
  type Route,
  startBoard,
} from './startBoard.ts';

// A browser on a busy machine takes its time; what is waited for in vain is told by Playwright before.
jest.setTimeout(60_000);

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
  let api: EmulatedApp;
  let open: OpenPage;
  let page: Page;

  beforeAll(async () => {
    board = await startBoard();
  }, 60_000);

  afterAll(() => board.close());

  afterEach(async () => {
    const complaints = open.takeComplaints();
    await page.context().close();
    await api.close();
    expect(complaints).toEqual([]);
  });

  async function start(
    path = '/',
    options: Parameters<Board['open']>[1] = {},
    ...ofApi: Parameters<Board['startApi']>
  ): Promise<void> {
    api = await board.startApi(...ofApi);
    await look(path, options);
  }

  async function look(path: string, options: Parameters<Board['open']>[1] = {}): Promise<void> {
    open = await board.open(path, options);
    page = open.page;
  }

  function goTo(path: string): Promise<unknown> {
    return page.goto(new URL(path, board.url).href);
  }

  /** Waits until the page shows so many videos of a chart. */
  async function seeTiles(count: number): Promise<void> {
    await page.waitForFunction((wanted) => document.querySelectorAll('.tile-video').length === wanted, count);
  }

  /** Waits until it shows so many videos of regions side by side. */
  async function seeRows(count: number): Promise<void> {
    await page.waitForFunction((wanted) => document.querySelectorAll('.row a').length === wanted, count);
  }

  /** Waits until the first cover can be seen. */
  async function seeCover(): Promise<void> {
    await page.waitForFunction(
      () => (document.querySelector('img.cover') as HTMLImageElement | null)?.naturalWidth,
    );
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

  /** Scrolls on until there is so much of the list at least. */
  async function scrollTo(count: number): Promise<void> {
    while ((await page.locator('.tile-video').count()) < count) {
      await page.mouse.wheel(0, 5000);
      await page.waitForTimeout(20);
    }
  }

  /** Waits until the page has been painted twice: whatever it does of itself by then, it has begun to do. */
  async function seeFrames(): Promise<void> {
    await page.evaluate(
      () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
    );
  }

  /** What has the focus, as people know it. */
  function readFocus(): Promise<string> {
    return page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      const { labels } = element as HTMLSelectElement;
      const name = labels?.[0]?.textContent ?? element.ariaLabel ?? element.innerText.replaceAll('\n', ' ');
      return element === document.body ? 'nothing' : name;
    });
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
    await start(path, {}, { latencyMs: 1000 });
    await page.waitForFunction(
      ([selector, wanted]) => document.querySelectorAll(`${selector}`).length === wanted,
      [skeleton, count],
    );
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
  }, 90_000);

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
    await start('/', {}, { latencyMs: 500 });
    await seeTiles(20);
    await page.getByLabel('Region').focus();
    for (const _ of range(1, 5)) await page.keyboard.press('ArrowUp');
    const region = await page.getByLabel('Region').inputValue();
    await page.waitForURL((url) => url.searchParams.get('region') === region);
    // Left at once, before its answer has come.
    await page.getByLabel('Order').selectOption('Most reposted');
    await page.getByRole('heading', { name: 'Most reposted' }).waitFor();
    await seeTiles(20);
    await page.waitForFunction(() => document.querySelector('.cost strong')?.textContent === '6 credits');
    expect(api.bill.map((request) => [request.region, request.order_by])).toEqual([
      ['US', 'vv'],
      [region, 'vv'],
      [region, 'repost'],
    ]);
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
    api.emulator.switches.latencyMs = 500;
    await page.getByRole('button', { name: 'Add a region' }).click();
    await page.getByRole('heading', { name: 'Argentina', level: 2 }).waitFor();
    // Those that are there wait for nothing.
    expect(await page.locator('.row a').count()).toBe(60);
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

  it('runs no script but its own, and asks for nothing elsewhere but covers', async () => {
    await start();
    await seeTiles(20);
    const html = await (await fetch(board.url)).text();
    expect(html).not.toMatch(/<script(?![^>]* src=)|<style|\son\w+=|\sstyle=/);
    const { origin } = new URL(board.url);
    const cover = new URL((await page.locator('img.cover').first().getAttribute('src')) ?? '');
    expect(new Set(open.requests().map((url) => url.origin))).toEqual(new Set([origin, cover.origin]));
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
    for (const _ of range(1, 9)) {
      await page.keyboard.press('Tab');
      const ring = await page.evaluate(() => {
        const { outlineStyle, outlineWidth, outlineOffset } = getComputedStyle(
          document.activeElement as HTMLElement,
        );
        return outlineStyle === 'none'
          ? 0
          : Number.parseFloat(outlineWidth) + Number.parseFloat(outlineOffset);
      });
      expect(ring).toBe(5);
      walked.push(await readFocus());
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
    // What is painted of a tile ends at its edge: there is room for the ring.
    expect(
      await page
        .locator('.tile')
        .first()
        .evaluate((tile) => getComputedStyle(tile).padding),
    ).toBe('5px');

    await page.getByLabel('Order').focus();
    await page.keyboard.press('ArrowDown');
    await page.getByRole('heading', { name: 'Most liked: United States' }).waitFor();
    expect(await readFocus()).toBe('Order');
    await page.getByRole('link', { name: 'Compare' }).press('Enter');
    await page.getByRole('button', { name: 'Remove Italy' }).press('Enter');
    await page.getByRole('heading', { name: 'Italy', level: 2 }).waitFor({ state: 'detached' });
    // What has come into its place.
    expect(await readFocus()).toBe('Remove Brazil');
  });

  it('leaves nothing that has the focus behind the bar', async () => {
    await start();
    await seeTiles(20);
    await scrollTo(60);
    const last = page.locator('.tile-video').nth(30);
    await last.focus();
    for (const _ of range(1, 40)) await page.keyboard.press('Shift+Tab');
    const [top, bar] = await page.evaluate(() => [
      document.activeElement?.getBoundingClientRect().top ?? 0,
      document.querySelector('.bar')?.getBoundingClientRect().bottom ?? 0,
    ]);
    expect(top).toBeGreaterThanOrEqual(bar ?? 0);
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
    const background = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    expect(background).toBe(name.includes('dark') ? 'rgb(18, 18, 20)' : 'rgb(246, 245, 243)');
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
