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

const PAGE_FAULTS = FAULTS.filter(({ only }) => only !== 'numbers');
const TTL_SECONDS = 3600;
const TIMEOUT_MS = 5000;
const QUERY = `query ($first: Int) {
  trendingVideos(first: $first) { edges { rank node { itemId } } stale fetchedAt }
}`;

let upstream: Upstream;
let app: TestApp;
let clock: TestClock;
/** Attempts to call upstream, also those that got no connection. */
let calls: number;
let behave: Handler;

/** Sets how upstream responds from now on; without a handler, it refuses connections. */
async function setUpstream(handler: Handler | undefined): Promise<void> {
  if (handler) {
    behave = handler;
    await upstream.resume();
  } else await upstream.pause();
}

async function start(handler: Handler | undefined): Promise<void> {
  calls = 0;
  clock = createTestClock();
  upstream = await startUpstream((request, response) => behave(request, response));
  await setUpstream(handler);
  const onEvent = ({ type }: AppEvent): void => {
    if (type === 'upstreamCall' || type === 'connectionFailed') calls++;
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

/** Waits until `count` calls have succeeded or failed, background refreshes included. */
async function seeCalls(count: number): Promise<void> {
  await until(() => calls >= count);
  // The page is cached a moment later.
  await settle();
  expect(calls).toBe(count);
}

/** The first result that is not stale. The operations before it cost nothing: refreshes run in the background. */
async function askUntilFresh(fault: Fault): Promise<GraphqlResult<Data>> {
  for (;;) {
    const result = await ask(fault);
    expect(result.errors).toBeUndefined();
    if (result.data?.trendingVideos.stale === false) return result;
    expect(result.extensions.upstream.requests).toBe(0);
  }
}

afterEach(async () => {
  await app.close();
  await upstream.close();
});

/** The ranks of the window when upstream works. */
function goodRanks({ first = 5 }: Fault): number[] {
  return Array.from({ length: first }, (_, index) => index + 1);
}

describe.each(PAGE_FAULTS)('upstream: $name', (fault) => {
  const { cold, requests, attempts = requests, pauseSeconds, isRefusedOverRows = false } = fault;
  const isError = typeof cold === 'string';

  /** The fault's handler. For a late one, the call's deadline expires without waiting for it. */
  const handler = (): Handler | undefined =>
    cold === 'UPSTREAM_TIMEOUT' && fault.handler ? makeLate(fault.handler, clock, TIMEOUT_MS) : fault.handler;

  it('with nothing cached, gives the documented result at its cost, calls upstream no earlier than documented, and recovers', async () => {
    await start(serveChart());
    await setUpstream(handler());
    const result = await ask(fault);
    if (isError) {
      const { retryable, message } = ERROR_CODES[cold];
      expect(result.data).toEqual({ trendingVideos: null });
      expect(result.errors).toMatchObject([{ extensions: { code: cold, retryable } }]);
      if (cold !== 'BAD_USER_INPUT') expect(result.errors?.[0]?.message).toBe(message);
      const retryAfterSeconds = fault.saysRetryAfter ? pauseSeconds : undefined;
      expect(result.errors?.[0]?.extensions.retryAfterSeconds).toBe(retryAfterSeconds);
    } else {
      expect(result.errors).toBeUndefined();
      expect(ranks(result)).toEqual(cold);
      expect(result.data?.trendingVideos.stale).toBe(false);
    }
    expect(result.extensions.upstream).toMatchObject({ requests, credits: requests * 2 });
    expect(calls).toBe(attempts);
    expect(JSON.stringify(result)).not.toContain(TOKEN);

    await setUpstream(serveChart());
    if (isError) {
      clock.advance(pauseSeconds * 1000 - 1);
      const early = await ask(fault);
      expect(early.errors).toMatchObject([{ extensions: { code: cold } }]);
      expect(early.extensions.upstream).toMatchObject({ requests: 0, credits: 0 });
      expect(calls).toBe(attempts);
      clock.advance(1);
      expect(ranks(await ask(fault))).toEqual(goodRanks(fault));
    } else {
      // Usable, so it is cached for its time to live.
      clock.advance((pauseSeconds || TTL_SECONDS) * 1000 - 1);
      expect(ranks(await ask(fault))).toEqual(cold);
      expect(calls).toBe(requests);
      clock.advance(1);
      expect(ranks(await askUntilFresh(fault))).toEqual(goodRanks(fault));
    }
  });

  it('with a stale window cached, serves it with its age, calls upstream no earlier than documented, and recovers', async () => {
    await start(serveChart());
    const before = await ask(fault);
    const fetchedAt = before.data?.trendingVideos.fetchedAt;
    const callsBefore = calls;
    clock.advance(TTL_SECONDS * 1000);
    await setUpstream(handler());

    const stale = await ask(fault);
    expect(stale.errors).toBeUndefined();
    expect(stale.data?.trendingVideos).toMatchObject({ stale: true, fetchedAt });
    expect(ranks(stale)).toEqual(goodRanks(fault));
    expect(stale.extensions.upstream).toMatchObject({
      requests: 0,
      credits: 0,
      pages: { stale: callsBefore, fetched: 0 },
    });
    if (!isError && !isRefusedOverRows) {
      expect(ranks(await askUntilFresh(fault))).toEqual(cold);
      await seeCalls(callsBefore + requests);
      return;
    }
    await seeCalls(callsBefore + attempts);

    const second = await ask(fault);
    if (cold === 'BAD_USER_INPUT') {
      expect(second.errors).toMatchObject([{ extensions: { code: cold } }]);
    } else {
      expect(second.errors).toBeUndefined();
      expect(second.data?.trendingVideos).toMatchObject({ stale: true, fetchedAt });
      expect(ranks(second)).toEqual(goodRanks(fault));
    }

    clock.advance(pauseSeconds * 1000 - 1);
    await ask(fault);
    expect(calls).toBe(callsBefore + attempts);
    await setUpstream(serveChart());
    clock.advance(1);
    await ask(fault);
    await seeCalls(callsBefore + attempts + 1);
    const recovered = await ask(fault);
    expect(recovered.data?.trendingVideos.stale).toBe(false);
    expect(ranks(recovered)).toEqual(goodRanks(fault));
    expect(calls).toBe(callsBefore + attempts + 1);
  });
});

describe('docs/faults.md', () => {
  it('matches the faults that are tested here (npm run docs writes it)', async () => {
    await start(serveChart());
    const text = renderFaults(FAULTS);
    if (process.env.WRITE_DOCS) await writeFile('docs/faults.md', text);
    expect(await readFile('docs/faults.md', 'utf8')).toBe(text);
  });
});
