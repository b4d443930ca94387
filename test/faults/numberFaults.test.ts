import { afterEach, describe, expect, it } from '@jest/globals';
import { ERROR_CODES } from '../../src/domain/errors.ts';
import { describeEachExecution, TOKEN } from '../support/app.ts';
import { makeLate } from '../support/lateResponse.ts';
import type { Handler } from '../support/upstream.ts';
import { BATCH, FAULTS, type Fault, pausesAccount, serveNumbers, toNumbersFault } from './faults.ts';
import { type NumbersApp, numbersOf, ranksOf, startNumbersApp } from './numbersApp.ts';

type Result = Awaited<ReturnType<NumbersApp['read']>>;

const NUMBERS_FAULTS = FAULTS.flatMap((fault) => toNumbersFault(fault) ?? []);
const TIMEOUT_MS = 5000;
/** Shorter than that of a page: no page is refreshed in these tests. */
const TTL_SECONDS = 900;
const VARIABLES = {
  KEYAPI_TIMEOUT_MS: String(TIMEOUT_MS),
  STATS_TTL_SECONDS: String(TTL_SECONDS),
  // It would repeat a response with stale numbers for a second.
  RESPONSE_CACHE: 'false',
};

let app: NumbersApp;

afterEach(() => app.close());

const read = (): Promise<Result> => app.read(BATCH.length);
const calls = (): number => app.calls('videoAnalytics');

/** The fault's handler. For a late one, the call's deadline expires without waiting for it. */
function toHandler({ cold, handler }: Fault): Handler | undefined {
  return cold === 'UPSTREAM_TIMEOUT' && handler ? makeLate(handler, app.clock, TIMEOUT_MS) : handler;
}

/** Fails unless it is the whole chart with the numbers of the videos at these ranks, and no others. */
function expectNumbers(result: Result, ranks: readonly number[], stale = false): void {
  expect(result.errors).toBeUndefined();
  expect(ranksOf(result)).toEqual(BATCH);
  const views = [...numbersOf(result)].map(([rank, stats]) => [rank, stats.views, stats.stale]);
  expect(views).toEqual(ranks.map((rank) => [rank, rank * 1000, stale]));
}

/** Fails unless it is the whole chart and what is documented of the numbers. */
function expectCold(result: Result, { cold }: Fault): void {
  if (typeof cold !== 'string') {
    expectNumbers(result, cold);
    return;
  }
  expect(ranksOf(result)).toEqual(BATCH);
  expect(numbersOf(result).size).toBe(0);
  const { retryable, message } = ERROR_CODES[cold];
  const extensions = { code: cold, retryable, videos: BATCH.length };
  const path = ['trendingVideos', 'edges', 0, 'node', 'stats'];
  expect(result.errors).toMatchObject([{ message, path, extensions }]);
}

/** Fails unless pages are requested, or are stopped too if the fault is the account's. */
async function expectPages(fault: Fault): Promise<void> {
  const { data, errors } = await app.readChart(BATCH.length, 'DE');
  if (pausesAccount(fault)) {
    expect(data).toEqual({ trendingVideos: null });
    expect(errors).toMatchObject([{ extensions: { code: fault.cold } }]);
  } else {
    expect(errors).toBeUndefined();
    expect(data?.trendingVideos?.edges).toHaveLength(BATCH.length);
  }
}

/** The first result without stale numbers. The operations before it cost nothing. */
async function readUntilFresh(): Promise<Result> {
  for (;;) {
    const result = await read();
    expect(result.errors).toBeUndefined();
    if (result.extensions.upstream.stats?.stale === 0) return result;
    expect(result.extensions.upstream.requests).toBe(0);
    await app.finishCalls();
  }
}

describeEachExecution(() => {
  describe.each(NUMBERS_FAULTS)('numbers from upstream: $name', (fault) => {
    const { cold, requests, attempts = requests, pauseSeconds, stalePauseSeconds } = fault;
    const isError = typeof cold === 'string';
    const isRefused = isError || stalePauseSeconds !== undefined;

    it('with nothing cached, leaves the chart in full, at the documented cost, calls upstream no earlier than documented, and recovers', async () => {
      app = await startNumbersApp(VARIABLES);
      await app.readChart(BATCH.length);
      await app.setNumbers(toHandler(fault));
      const result = await read();
      expectCold(result, fault);
      const retryAfterSeconds = fault.saysRetryAfter ? pauseSeconds : undefined;
      expect(result.errors?.[0]?.extensions.retryAfterSeconds).toBe(retryAfterSeconds);
      expect(result.extensions.upstream).toMatchObject({ requests, credits: requests, pages: { cached: 1 } });
      expect(result.extensions.upstream.stats?.fetched).toBe(isError ? 0 : BATCH.length);
      expect(calls()).toBe(attempts);
      expect(JSON.stringify(result)).not.toContain(TOKEN);

      await app.setNumbers(serveNumbers());
      await expectPages(fault);
      app.clock.advance((pauseSeconds || TTL_SECONDS) * 1000 - 1);
      const early = await read();
      expectCold(early, fault);
      expect(early.extensions.upstream).toMatchObject({ requests: 0, credits: 0 });
      expect(calls()).toBe(attempts);

      app.clock.advance(1);
      const recovered = isError ? await read() : await readUntilFresh();
      expectNumbers(recovered, BATCH);
      if (isError) expect(recovered.extensions.upstream).toMatchObject({ requests: 1, credits: 1 });
      const others = await app.readChart(BATCH.length, 'FR');
      expect(others.errors).toBeUndefined();
    });

    it('with stale numbers cached, serves them at no cost, refreshes them once, calls upstream no earlier than documented, and recovers', async () => {
      app = await startNumbersApp(VARIABLES);
      const { fetchedAt } = numbersOf(await read()).get(1) ?? {};
      app.clock.advance(TTL_SECONDS * 1000);
      await app.setNumbers(toHandler(fault));
      const stale = await read();
      expectNumbers(stale, BATCH, true);
      expect(numbersOf(stale).get(1)?.fetchedAt).toBe(fetchedAt);
      const nothing = { requests: 0, credits: 0, stats: { cached: 0, stale: 10, shared: 0, fetched: 0 } };
      expect(stale.extensions.upstream).toMatchObject(nothing);
      if (!isRefused) {
        expectNumbers(await readUntilFresh(), cold);
        expect(app.calls('videoAnalytics', true)).toBe(requests);
        return;
      }
      await app.finishCalls();
      expect(app.calls('videoAnalytics', true)).toBe(attempts);

      const second = await read();
      expectNumbers(second, BATCH, true);
      expect(second.extensions.upstream).toMatchObject(nothing);
      app.clock.advance((stalePauseSeconds ?? pauseSeconds) * 1000 - 1);
      expectNumbers(await read(), BATCH, true);
      await app.finishCalls();
      expect(app.calls('videoAnalytics', true)).toBe(attempts);

      await app.setNumbers(serveNumbers());
      app.clock.advance(1);
      expectNumbers(await readUntilFresh(), BATCH);
      expect(app.calls('videoAnalytics', true)).toBe(attempts + 1);
    });
  });
});
