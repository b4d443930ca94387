import { readFile, writeFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ERROR_CODES } from '../../src/domain/errors.ts';
import type { AppEvent } from '../../src/observe/appEvent.ts';
import { type GraphqlResult, startApp, type TestApp, TOKEN } from '../support/app.ts';
import { settle } from '../support/cache.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';
import { makeLate } from '../support/lateResponse.ts';
import { until } from '../support/until.ts';
import { type Handler, startUpstream, type Upstream } from '../support/upstream.ts';
import { FAULTS, type Fault, serveChart } from './faults.ts';
import { renderFaults } from './renderFaults.ts';

interface Data {
  readonly trendingVideos: {
    readonly edges: { readonly rank: number; readonly node: { readonly itemId: string } }[];
    readonly stale: boolean;
    readonly fetchedAt: string;
  };
}

const TTL_SECONDS = 3600;
const TIMEOUT_MS = 5000;
const QUERY = `query ($first: Int) {
  trendingVideos(first: $first) { edges { rank node { itemId } } stale fetchedAt }
}`;

let upstream: Upstream;
let app: TestApp;
let clock: TestClock;
let calls: number;
let behave: Handler;

/** From now on upstream answers like this; not at all without a handler. */
async function set(handler: Handler | undefined): Promise<void> {
  if (handler) {
    behave = handler;
    await upstream.resume();
  } else await upstream.pause();
}

async function start(handler: Handler | undefined): Promise<void> {
  calls = 0;
  clock = createTestClock();
  upstream = await startUpstream((request, response) => behave(request, response));
  await set(handler);
  const onEvent = ({ type }: AppEvent): void => {
    if (type === 'upstreamCall') calls++;
  };
  const variables = { KEYAPI_TIMEOUT_MS: String(TIMEOUT_MS), MAX_CREDITS_PER_OPERATION: '100' };
  app = await startApp(upstream.url, variables, { clock, random: () => 0, onEvent });
}

function ask({ first = 5 }: Fault): Promise<GraphqlResult<Data>> {
  return app.query<Data>(QUERY, { first });
}

function ranks({ data }: GraphqlResult<Data>): number[] | undefined {
  return data?.trendingVideos.edges.map(({ rank }) => rank);
}

/** Waits until so many calls have been answered, or have failed, background refreshes included. */
async function seeCalls(count: number): Promise<void> {
  await until(() => calls >= count);
  // The answer is in the cache a moment later.
  await settle();
  expect(calls).toBe(count);
}

/** The first answer that is not stale; the refreshes that it takes cost nobody. */
async function askUntilFresh(fault: Fault): Promise<GraphqlResult<Data>> {
  for (;;) {
    const answer = await ask(fault);
    expect(answer.errors).toBeUndefined();
    if (answer.data?.trendingVideos.stale === false) return answer;
    expect(answer.extensions.upstream.requests).toBe(0);
  }
}

afterEach(async () => {
  await app.close();
  await upstream.close();
});

/** The ranks of the chart when it is served as it should be. */
function goodRanks({ first = 5 }: Fault): number[] {
  return Array.from({ length: first }, (_, index) => index + 1);
}

describe.each(FAULTS)('upstream: $name', (fault) => {
  const { cold, requests, holdSeconds } = fault;
  const isError = typeof cold === 'string';

  /** What upstream does; where that is to be too late, its call's deadline does not wait for it. */
  const handler = (): Handler | undefined =>
    cold === 'UPSTREAM_TIMEOUT' && fault.handler ? makeLate(fault.handler, clock, TIMEOUT_MS) : fault.handler;

  it('with nothing held: the answer, its cost, no call before its time, and recovery', async () => {
    await start(serveChart());
    await set(handler());
    const answer = await ask(fault);
    if (isError) {
      const { retryable, message } = ERROR_CODES[cold];
      expect(answer.data).toEqual({ trendingVideos: null });
      expect(answer.errors).toMatchObject([{ extensions: { code: cold, retryable } }]);
      if (cold !== 'BAD_USER_INPUT') expect(answer.errors?.[0]?.message).toBe(message);
      const isPause = cold === 'UPSTREAM_RATE_LIMITED';
      expect(answer.errors?.[0]?.extensions.retryAfterSeconds).toBe(isPause ? holdSeconds : undefined);
    } else {
      expect(answer.errors).toBeUndefined();
      expect(ranks(answer)).toEqual(cold);
      expect(answer.data?.trendingVideos.stale).toBe(false);
    }
    expect(answer.extensions.upstream).toMatchObject({ requests, credits: requests * 2 });
    expect(calls).toBe(requests);
    expect(JSON.stringify(answer)).not.toContain(TOKEN);

    await set(serveChart());
    if (isError) {
      clock.advance(holdSeconds * 1000 - 1);
      const early = await ask(fault);
      expect(early.errors).toMatchObject([{ extensions: { code: cold } }]);
      expect(early.extensions.upstream).toMatchObject({ requests: 0, credits: 0 });
      expect(calls).toBe(requests);
      clock.advance(1);
      expect(ranks(await ask(fault))).toEqual(goodRanks(fault));
    } else {
      // Good enough to be kept for its time to live.
      expect(ranks(await ask(fault))).toEqual(cold);
      expect(calls).toBe(requests);
      clock.advance(TTL_SECONDS * 1000);
      expect(ranks(await askUntilFresh(fault))).toEqual(goodRanks(fault));
    }
  });

  it('with a stale window held: its videos and their age, no call before its time, and recovery', async () => {
    await start(serveChart());
    const before = await ask(fault);
    const fetchedAt = before.data?.trendingVideos.fetchedAt;
    const paid = calls;
    clock.advance(TTL_SECONDS * 1000);
    await set(handler());

    const stale = await ask(fault);
    expect(stale.errors).toBeUndefined();
    expect(stale.data?.trendingVideos).toMatchObject({ stale: true, fetchedAt });
    expect(ranks(stale)).toEqual(goodRanks(fault));
    expect(stale.extensions.upstream).toMatchObject({
      requests: 0,
      credits: 0,
      pages: { stale: paid, fetched: 0 },
    });
    if (!isError) {
      expect(ranks(await askUntilFresh(fault))).toEqual(cold);
      await seeCalls(paid + requests);
      return;
    }
    await seeCalls(paid + requests);

    const again = await ask(fault);
    if (cold === 'BAD_USER_INPUT') {
      expect(again.errors).toMatchObject([{ extensions: { code: cold } }]);
    } else {
      expect(again.errors).toBeUndefined();
      expect(again.data?.trendingVideos).toMatchObject({ stale: true, fetchedAt });
      expect(ranks(again)).toEqual(goodRanks(fault));
    }

    clock.advance(holdSeconds * 1000 - 1);
    await ask(fault);
    expect(calls).toBe(paid + requests);
    await set(serveChart());
    clock.advance(1);
    await ask(fault);
    await seeCalls(paid + requests + 1);
    const recovered = await ask(fault);
    expect(recovered.data?.trendingVideos.stale).toBe(false);
    expect(ranks(recovered)).toEqual(goodRanks(fault));
    expect(calls).toBe(paid + requests + 1);
  });
});

describe('docs/faults.md', () => {
  it('is made from the same faults (npm run docs writes it)', async () => {
    await start(serveChart());
    const text = renderFaults(FAULTS);
    if (process.env.WRITE_DOCS) await writeFile('docs/faults.md', text);
    expect(await readFile('docs/faults.md', 'utf8')).toBe(text);
  });
});
