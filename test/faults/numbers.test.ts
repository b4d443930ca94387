import { afterEach, describe, expect, it } from '@jest/globals';
import { describeEachExecution } from '../support/app.ts';
import { range } from '../support/charts.ts';
import { createTestClock } from '../support/clock.ts';
import { type Handler, reply } from '../support/upstream.ts';
import {
  BATCH,
  FAULTS,
  type Fault,
  pausesAccount,
  pausesNumbers,
  serveNumbers,
  toNumbersFault,
} from './faults.ts';
import { holdFor, type NumbersApp, numbersOf, ranksOf, startNumbersApp } from './numbersApp.ts';

type Result = Awaited<ReturnType<NumbersApp['read']>>;

const MINUTE = 60_000;
/** One batch. */
const FIRST = BATCH.length;
/** Longer than any of these tests lasts, so that numbers are never bought twice while they are fresh. */
const FOREVER = { STATS_TTL_SECONDS: String(10 * 86_400) };

let app: NumbersApp;

afterEach(() => app.close());

const refuse = (code: number): Handler => reply({ code, data: null, message: 'no' }, code);
const calls = (): number => app.calls('videoAnalytics');

async function read(first = FIRST): Promise<Result> {
  const result = await app.read(first);
  await app.finishCalls();
  return result;
}

/** What a frontend gets: the code of the one error, how many videos it is about, and which numbers there are. */
function summarize(result: Result) {
  const [error, ...others] = result.errors ?? [];
  expect(others).toEqual([]);
  const numbers = [...numbersOf(result).values()];
  return {
    ranks: ranksOf(result).length,
    code: error?.extensions.code,
    videos: error?.extensions.videos,
    numbers: numbers.length,
    stale: numbers.some(({ stale }) => stale),
  };
}

const withoutNumbers = (code: string, videos = FIRST) => ({
  ranks: videos,
  code,
  videos,
  numbers: 0,
  stale: false,
});

/**
 * Reads the window once a minute; each result must be like `expected`. Gives the minutes at which numbers were requested, and the
 * requests and credits of all, refreshes of pages included.
 */
async function readEveryMinute(minutes: number, expected: object) {
  const calledAt: number[] = [];
  let ofOperations = 0;
  for (let minute = 0; minute < minutes; minute++) {
    const before = calls();
    const result = await read();
    expect(summarize(result)).toMatchObject(expected);
    ofOperations += result.extensions.upstream.credits;
    if (calls() > before) calledAt.push(minute);
    app.clock.advance(MINUTE);
  }
  return { calledAt, ofOperations };
}

/** Requests and credits so far. */
function bill() {
  const pages = app.calls('trendingVideos');
  return { pages, numbers: calls(), credits: 2 * pages + calls() };
}

/** When numbers are requested that stay unavailable: after a minute, twice as long each time, up to an hour. */
const DAY_OF_PAUSES = [0, 1, 3, 7, 15, 31, ...range(0, 22).map((hour) => 63 + 60 * hour)];

describeEachExecution(() => {
  describe('numbers that are refused from the start', () => {
    it('cost 29 credits in a day of one operation a minute, with the chart in full each time', async () => {
      app = await startNumbersApp();
      await app.setNumbers(refuse(403));
      const { calledAt, ofOperations } = await readEveryMinute(24 * 60, withoutNumbers('UPSTREAM_FORBIDDEN'));
      expect(calledAt).toEqual(DAY_OF_PAUSES);
      expect(bill()).toEqual({ pages: 24, numbers: 29, credits: 77 });
      // The first page, and the numbers; the other pages are refreshed in the background.
      expect(ofOperations).toBe(31);
    });

    it('are requested for all windows together at these intervals', async () => {
      app = await startNumbersApp();
      await app.setNumbers(refuse(403));
      await read();
      for (const first of [20, 40, 100]) await read(first);
      expect(calls()).toBe(1);
      expect(app.calls('trendingVideos')).toBe(5);
    });
  });

  it.each([
    ['403', refuse(403), 'UPSTREAM_FORBIDDEN'],
    ['404', refuse(404), 'UPSTREAM_BAD_RESPONSE'],
    ['a body that cannot be read', reply('<html>'), 'UPSTREAM_BAD_RESPONSE'],
  ])(
    'pauses after %s for a minute, doubling up to an hour, and begins anew after a success',
    async (_name, handler, code) => {
      app = await startNumbersApp(FOREVER);
      await app.setNumbers(handler);
      for (const [index, minutes] of [1, 2, 4, 8, 16, 32, 60, 60].entries()) {
        expect(summarize(await read())).toEqual(withoutNumbers(code));
        expect(calls()).toBe(index + 1);
        app.clock.advance(minutes * MINUTE - 1);
        expect(summarize(await read())).toEqual(withoutNumbers(code));
        expect(calls()).toBe(index + 1);
        app.clock.advance(1);
      }
      await app.setNumbers(serveNumbers());
      expect(summarize(await read())).toMatchObject({ code: undefined, numbers: FIRST });

      await app.setNumbers(handler);
      const before = calls();
      expect(summarize(await read(20))).toMatchObject({ ranks: 20, code, videos: 10, numbers: 10 });
      app.clock.advance(MINUTE - 1);
      await read(20);
      expect(calls()).toBe(before + 1);
      app.clock.advance(1);
      await read(20);
      expect(calls()).toBe(before + 2);
    },
  );

  describe('an hour of 500 for numbers', () => {
    it('costs at most a request a minute after the first failures, with nothing cached', async () => {
      app = await startNumbersApp();
      await app.setNumbers(refuse(500));
      const { ofOperations } = await readEveryMinute(60, withoutNumbers('UPSTREAM_ERROR'));
      // Two each with the retry, until 5 have failed in a row; then one probe.
      expect(bill()).toEqual({ pages: 1, numbers: 62, credits: 64 });
      expect(ofOperations).toBe(64);
      await app.setNumbers(serveNumbers());
      expect(summarize(await read())).toMatchObject({ code: undefined, numbers: FIRST, stale: false });
    });

    it('costs operations nothing while stale numbers are served, and as much in the background', async () => {
      const ttlSeconds = 900;
      app = await startNumbersApp({ STATS_TTL_SECONDS: String(ttlSeconds) });
      await read();
      app.clock.advance(ttlSeconds * 1000);
      await app.setNumbers(refuse(500));
      const before = calls();
      const served = { ranks: FIRST, code: undefined, numbers: FIRST, stale: true };
      const { ofOperations } = await readEveryMinute(60, served);
      expect(ofOperations).toBe(0);
      expect(calls() - before).toBe(62);
      await app.setNumbers(serveNumbers());
      await read();
      expect(summarize(await read())).toMatchObject({ code: undefined, numbers: FIRST, stale: false });
    });
  });

  describe('an hour of 400 for numbers', () => {
    it('costs 19 requests, then one for each video every 10 minutes, and is no error', async () => {
      app = await startNumbersApp();
      await app.setNumbers(refuse(400));
      const { calledAt } = await readEveryMinute(60, { ranks: FIRST, code: undefined, numbers: 0 });
      expect(calledAt).toEqual([0, 10, 20, 30, 40, 50]);
      expect(bill()).toEqual({ pages: 1, numbers: 19 + 5 * 10, credits: 71 });
    });
  });

  describe('a daily budget that ends between a page and its numbers', () => {
    it('gives the chart with one error, and the numbers on the next UTC day', async () => {
      const clock = createTestClock(Date.UTC(2026, 0, 1, 23, 50));
      app = await startNumbersApp({ CREDIT_BUDGET_PER_DAY: '2' }, clock);
      const result = await read(20);
      expect(summarize(result)).toEqual(withoutNumbers('CREDIT_BUDGET_EXHAUSTED', 20));
      expect(result.errors).toMatchObject([
        { path: ['trendingVideos', 'edges', 0, 'node', 'stats'], extensions: { retryAfterSeconds: 600 } },
      ]);
      expect(result.extensions.upstream).toMatchObject({ requests: 1, credits: 2 });
      expect(calls()).toBe(0);

      clock.advance(10 * MINUTE - 1);
      expect(summarize(await read(20))).toEqual(withoutNumbers('CREDIT_BUDGET_EXHAUSTED', 20));
      clock.advance(1);
      const next = await read(20);
      expect(summarize(next)).toMatchObject({ ranks: 20, code: undefined, numbers: 20 });
      expect(next.extensions.upstream).toMatchObject({ requests: 2, credits: 2 });
      expect(bill()).toEqual({ pages: 1, numbers: 2, credits: 4 });
    });
  });

  describe('two batches in flight', () => {
    const NAMES = [
      '401',
      '403',
      '404',
      '429 without `Retry-After`',
      '500',
      '200 with HTML',
      'connection closed before the headers',
    ];
    const faults = FAULTS.filter(({ name }) => NAMES.includes(name)).flatMap(
      (fault) => toNumbersFault(fault) ?? [],
    );

    /** The circuits that were opened: of which endpoint, and for how long. */
    const opened = () =>
      app.events.flatMap((event) =>
        event.type === 'circuitOpened' ? [[event.endpoint, event.seconds]] : [],
      );

    const inFlight = ({ handler }: Fault): Handler => holdFor(2, handler ?? (() => undefined));

    it.each(faults)('that fail alike are one error and one pause: $name', async (fault) => {
      const { cold, requests, pauseSeconds } = fault;
      app = await startNumbersApp(FOREVER);
      await app.readChart(20);
      await app.setNumbers(inFlight(fault));
      const result = await read(20);
      expect(summarize(result)).toEqual(withoutNumbers(String(cold), 20));
      expect(result.errors?.[0]?.path).toEqual(['trendingVideos', 'edges', 0, 'node', 'stats']);
      expect(result.extensions.upstream).toMatchObject({ requests: 2 * requests, credits: 2 * requests });
      const isPause = pausesAccount(fault) || pausesNumbers(fault);
      const scope = pausesAccount(fault) ? undefined : 'videoAnalytics';
      expect(opened()).toEqual(isPause ? [[scope, 60]] : []);

      app.clock.advance(pauseSeconds * 1000 - 1);
      await read(20);
      expect(calls()).toBe(2 * requests);
      app.clock.advance(1);
      await app.setNumbers(serveNumbers());
      expect(summarize(await read(20))).toMatchObject({ code: undefined, numbers: 20 });
      expect(calls()).toBe(2 * requests + 2);
    });

    it('are probed by one of them after a pause', async () => {
      app = await startNumbersApp(FOREVER);
      await app.readChart(20);
      await app.setNumbers(holdFor(2, refuse(403)));
      await read(20);
      app.clock.advance(MINUTE);
      expect(summarize(await read(20))).toEqual(withoutNumbers('UPSTREAM_FORBIDDEN', 20));
      expect(calls()).toBe(3);
      expect(opened()).toEqual([
        ['videoAnalytics', 60],
        ['videoAnalytics', 120],
      ]);
    });

    it('of which one fails are one error at the first of its videos', async () => {
      app = await startNumbersApp(FOREVER);
      const fail = refuse(500);
      const serve = serveNumbers();
      await app.setNumbers((request, response) => {
        const isSecond = request.url?.includes('video_ids=11,') ?? false;
        (isSecond ? fail : serve)(request, response);
      });
      const result = await read(20);
      expect(summarize(result)).toMatchObject({ ranks: 20, code: 'UPSTREAM_ERROR', videos: 10, numbers: 10 });
      expect(result.errors?.[0]?.path).toEqual(['trendingVideos', 'edges', 10, 'node', 'stats']);
      expect(result.extensions.upstream.stats).toEqual({ cached: 0, stale: 0, shared: 0, fetched: 10 });
    });
  });
});
