import { expect, it } from '@jest/globals';
import { type Chart, TrendingOrder, TrendingPeriod } from '../../../../src/domain/chart.ts';
import { DAY_MS, toUtcDay } from '../../../../src/domain/utcDay.ts';
import { range } from '../../../support/charts.ts';
import { createTestClock, type TestClock } from '../../../support/clock.ts';
import { expectAccessible } from './startBoard.ts';
import {
  api,
  describeBoard,
  goTo,
  open,
  PHONE,
  page,
  passTime,
  readRanks,
  savePicture,
  scrollTo,
  seeCover,
  seeFrames,
  seeIdle,
  seeRows,
  seeTiles,
  start,
  startAt,
} from './visit.ts';

const US: Chart = { region: 'US', period: TrendingPeriod.LAST_7_DAYS, orderBy: TrendingOrder.VIEWS };
const NOON = Date.UTC(2026, 0, 1, 12);
const DAYS = 7;
const HOUR_MS = DAY_MS / 24;

/** Starts the API, lets it fetch the tops of charts on each of a week's days, and opens the board on the last of them. */
async function startAfterAWeek(
  clock: TestClock,
  path = '/',
  options: Parameters<typeof start>[1] = {},
  switches: Parameters<typeof start>[2] = {},
  regions: readonly string[] = ['US'],
): Promise<void> {
  // Expired pages are fetched again before the response, not after it.
  await start(
    'about:blank',
    options,
    { date: undefined, ...switches },
    { clock },
    { CACHE_STALE_SECONDS: '0' },
  );
  for (const day of range(1, DAYS)) {
    if (day > 1) await passTime(clock, DAY_MS);
    for (const region of regions) {
      await read(`{ trendingVideos(region: "${region}", first: 100) { nodes { id } } }`);
    }
  }
  await page.clock.setFixedTime(clock.now());
  await goTo(path);
  await page.locator('.tile-video, .row-video').first().waitFor();
}

interface Read {
  readonly data: {
    readonly trendingVideos: {
      readonly nodes: readonly {
        readonly stats: { readonly views: number; readonly likes: number } | null;
      }[];
    };
  };
}

/** What the API responds; `api.query` would count its cost twice. */
async function read(query: string): Promise<Read> {
  const { body } = await api.server.inject({ method: 'POST', url: '/graphql', payload: { query } });
  return JSON.parse(body);
}

/** The ranks of a video on each day of the week, up to today. */
function ranksOf(itemId: string, clock: TestClock): number[] {
  const days = range(toUtcDay(clock.now()) - DAYS + 1, toUtcDay(clock.now()));
  return days.map((day) => api.emulator.itemIdsOn(US, day).indexOf(itemId) + 1);
}

function tile(rank: number) {
  return page.locator(`[data-rank="${rank}"]`);
}

describeBoard('the board', () => {
  it('shows on every tile its numbers, its movement and its ranks of the week', async () => {
    const clock = createTestClock(NOON);
    await startAfterAWeek(clock);
    await seeCover();
    expect(await page.locator('.facts').innerText()).toContain('compared with yesterday, 12:00 PM (top 100)');
    await savePicture('board');
    await scrollTo(100);
    const shown = await page.locator('.tile').evaluateAll((tiles) =>
      // The end of the list may already have loaded more.
      tiles.slice(0, 100).map((element) => ({
        rank: Number(element.getAttribute('data-rank')),
        movement: element.querySelector('.movement')?.textContent ?? '',
        week: element.querySelector('.sparkline')?.getAttribute('aria-label') ?? '',
        numbers: [...element.querySelectorAll('.numbers > span')].map(({ ariaLabel, textContent }) => [
          textContent,
          ariaLabel,
        ]),
        titles: [...element.querySelectorAll('.numbers > span')].map((span) => span.getAttribute('title')),
      })),
    );
    const itemIds = api.emulator.itemIdsOn(US, toUtcDay(clock.now()));
    const { nodes } = (await read('{ trendingVideos(first: 100) { nodes { stats { views likes } } } }')).data
      .trendingVideos;
    const known = (rank: number): boolean => rank > 0 && rank <= 100;
    const expected = range(1, 100).map((rank) => {
      const ranks = ranksOf(itemIds[rank - 1] ?? '', clock);
      const before = ranks.at(-2) ?? 0;
      const up = before - rank;
      const moved = up > 0 ? `▲${up}, up ${up}` : up < 0 ? `▼${-up}, down ${-up}` : '=, same rank';
      const week = ranks.filter(known);
      const { views = 0, likes = 0 } = nodes[rank - 1]?.stats ?? {};
      return {
        rank,
        movement: known(before) ? moved : 'New, new',
        week: week.length > 1 ? `Ranks of the last 7 days: ${week.join(', ')}` : '',
        titles: [`${views.toLocaleString('en')} views`, `${likes.toLocaleString('en')} likes`],
      };
    });
    expect(shown.map(({ numbers: _, ...others }) => others)).toEqual(expected);
    // Every kind of movement is among them.
    const kinds = new Set(shown.map(({ movement }) => movement.replace(/[\d ]+/g, '')));
    expect([...kinds].sort()).toEqual(['=,samerank', 'New,new', '▲,up', '▼,down']);
    expect(await tile(1).locator('.numbers').textContent()).toMatch(/^\d\.\dB views\d+\.\dK likes$/);
    await expectAccessible(page);
  });

  it('does not say how a video moved, or draws a line, before there is an earlier day', async () => {
    await start();
    await seeTiles(20);
    expect(await page.locator('.facts').innerText()).toContain('no earlier day to compare with');
    expect(await page.locator('.movement, .sparkline').count()).toBe(0);
  });

  it('does not name one day if what is loaded is compared with several', async () => {
    const clock = createTestClock(Date.UTC(2026, 0, 1, 23));
    await startAfterAWeek(clock);
    // The first window is of the day before, the next ones are not.
    await passTime(clock, 2 * HOUR_MS);
    await scrollTo(40);
    await page.locator('.facts').getByText('compared with the day before', { exact: true }).waitFor();
    expect(await page.locator('.tile .movement').count()).toBeGreaterThan(20);
  });

  it('shows side by side how videos have moved', async () => {
    const clock = createTestClock(NOON);
    const regions = ['US', 'IN', 'IT', 'BR'];
    await startAfterAWeek(clock, `/?view=compare&regions=${regions}`, {}, {}, regions);
    await seeRows(80);
    await seeCover();
    const comparisons = await page.locator('.column .facts').allInnerTexts();
    expect(comparisons).toEqual(Array(4).fill(expect.stringContaining('compared with yesterday, 12:00 PM')));
    const movements = page.locator('.row .movement');
    expect(await movements.count()).toBe(80);
    expect(new Set(await movements.allTextContents()).size).toBeGreaterThan(3);
    await savePicture('board-compare');
  });

  it('shows on a phone how videos have moved', async () => {
    await startAfterAWeek(createTestClock(NOON), '/', { ...PHONE, deviceScaleFactor: 2 });
    await seeCover();
    expect(await page.locator('.tile .movement').count()).toBe(20);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    await savePicture('board-phone');
  });

  it('formats numbers, dates and times for the locale of the browser', async () => {
    const clock = createTestClock(NOON);
    await startAfterAWeek(clock, '/', { locale: 'de-DE', timezoneId: 'Europe/Berlin' });
    expect(await page.locator('.facts').innerText()).toContain('compared with yesterday, 13:00 (top 100)');
    expect(await page.locator('.facts time').first().getAttribute('title')).toBe('07.01.2026, 13:00:00');
    const first = tile(1).locator('.numbers');
    expect(await first.innerText()).toMatch(/^\d,\d\sMrd\. views\s+\d+\.\d{3} likes$/);
    expect(await first.locator('span').first().getAttribute('title')).toMatch(/^\d(\.\d{3}){3} views$/);
  });

  it('sorts what is loaded by movement and by each number, unknown ones last, and pays nothing for it', async () => {
    const clock = createTestClock(NOON);
    await startAfterAWeek(clock, '/', {}, { unknownVideos: 0.3 });
    await scrollTo(100);
    await seeIdle();
    const loaded = await page.locator('.tile-video').count();
    const cost = api.emulator.counts.credits;
    const operations = open.operations();
    const readTitles = (noun: string): Promise<number[]> =>
      page
        .locator(`.numbers > span[title$="${noun}"]`)
        .evaluateAll((spans) =>
          spans.map((span) => Number((span.getAttribute('title') ?? '').replaceAll(/\D/g, ''))),
        );

    for (const [sort, noun] of [
      ['Views', 'views'],
      ['Likes', 'likes'],
    ] as const) {
      await page.getByLabel('Sort').selectOption(sort);
      await page.waitForURL(new RegExp(`[?&]sort=${noun}`));
      const numbers = (await readTitles(noun)).filter((number) => number > 0);
      expect(numbers.length).toBeGreaterThan(10);
      expect(numbers).toEqual(numbers.toSorted((a, b) => b - a));
      const unknown = await page
        .locator('.tile')
        .evaluateAll((tiles) => tiles.map((element) => element.querySelector('.quiet') !== null));
      expect(unknown).toContain(true);
      // All that are unknown come after all that are known.
      expect(unknown).toEqual(unknown.toSorted((a, b) => Number(a) - Number(b)));
    }
    expect(await page.locator('.quiet').first().textContent()).toBe('–unknown views');

    await page.getByLabel('Sort').selectOption('Movement');
    await page.waitForURL(/[?&]sort=movement/);
    const movements = await page.locator('.tile').evaluateAll((tiles) =>
      tiles.map((element) => {
        const text = element.querySelector('.movement')?.textContent ?? '';
        if (text === '') return -1000;
        if (text.startsWith('New')) return 1000;
        const distance = Number(/\d+$/.exec(text)?.[0] ?? 0);
        return text.startsWith('▼') ? -distance : distance;
      }),
    );
    expect(new Set(movements).size).toBeGreaterThan(3);
    expect(movements).toEqual(movements.toSorted((a, b) => b - a));
    expect(await page.locator('.tools .notice').textContent()).toBe(
      `Among the ${loaded} videos loaded so far.`,
    );

    // Sorted, the end of the list does not load more by itself.
    await page.mouse.wheel(0, 50_000);
    await page.waitForFunction(
      () => window.scrollY + window.innerHeight >= document.documentElement.scrollHeight - 1,
    );
    await seeFrames();
    expect(await page.locator('.tile-video').count()).toBe(loaded);
    expect(open.operations()).toBe(operations);
    expect(api.emulator.counts.credits).toBe(cost);
    await page.getByRole('button', { name: 'Show more' }).click();
    await seeTiles(loaded + 20);

    await page.getByLabel('Sort').selectOption('Rank');
    expect((await readRanks()).slice(0, loaded)).toEqual(range(1, loaded));
  });

  it('shows charts without numbers while these are unavailable, and keeps numbers that it has', async () => {
    const clock = createTestClock(NOON);
    await startAt(clock, '/', {}, { analyticsStatus: 500 });
    await page.getByText('Views and likes of some videos could not be loaded.').waitFor();
    expect(await page.locator('.notice code').textContent()).toBe('UPSTREAM_ERROR');
    expect(await page.locator('.numbers .quiet').count()).toBe(40);
    expect(await readRanks()).toEqual(range(1, 20));
    await expectAccessible(page);

    api.emulator.switches.analyticsStatus = undefined;
    await passTime(clock, 120_000);
    await page.getByRole('button', { name: 'Refresh' }).click();

    await page.getByText('Refreshed: 20 videos have new numbers.').waitFor();
    expect(await page.locator('.numbers .quiet, .notice').count()).toBe(0);

    api.emulator.switches.analyticsStatus = 500;
    await passTime(clock, 3 * DAY_MS);
    await page.getByRole('button', { name: 'Refresh' }).click();
    await page.getByText('Views and likes of some videos could not be loaded.').waitFor();
    expect(await page.locator('.numbers > span').first().textContent()).toMatch(/ views$/);
    expect(await page.getByText('unknown').count()).toBe(0);
  });

  it('says of what time numbers are that are older than the ranks', async () => {
    const clock = createTestClock(NOON);
    await startAt(clock);
    api.emulator.switches.analyticsStatus = 500;
    await passTime(clock, 8 * HOUR_MS);
    await page.getByRole('button', { name: 'Refresh' }).click();
    await page
      .getByText('Newer data is not available yet.')
      .or(page.getByText(/^Refreshed: /))
      .waitFor();
    const first = page.locator('.numbers > span').first();
    expect(await first.getAttribute('class')).toBe('quiet');
    expect(await first.getAttribute('title')).toMatch(/^[\d,]+ views, as of Jan 1, 2026, 12:00:00 PM$/);
  });
});
