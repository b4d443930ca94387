import { randomUUID } from 'node:crypto';
import { ApiError } from '../../domain/errors.ts';
import { withSignal } from '../../domain/source.ts';
import { type StatsBatch, statsEndpoint } from '../../domain/videoStats.ts';
import type { BuyStats } from '../stats/buyStats.ts';
import type { FetchStats, SettledStats, StatsCall, StatsRequest } from '../stats/fetchStats.ts';
import { buyBatch } from '../stats/fetchUnshared.ts';
import { toBatches } from '../stats/statsBatches.ts';
import type { CachedStats } from '../stats/statsStore.ts';
import { longestNegativeTtl, MAX_REFUSED_MS, toNegativeTtl } from '../upstream/negativeTtl.ts';
import { createLockReleases, keepLocks, MAX_LOCK_MS, toLockMs, WAIT_MS } from './locks.ts';
import { createRefreshRejection } from './refreshRejection.ts';
import { type ClaimedBatch, claimStats, type StatsClaim } from './scripts/claimStats.ts';
import { keyOfStatsLock } from './scripts/redisKeys.ts';
import { type ReleasedVideo, releaseStats } from './scripts/releaseStats.ts';
import { storeStats } from './scripts/storeStats.ts';
import { createStatsImporter, type StatsImporterOptions } from './statsImporter.ts';
import { uploadOnUp } from './uploads.ts';

/** What sharing numbers needs. */
interface SharedStatsOptions extends StatsImporterOptions {
  readonly buy: BuyStats;
  /** How long expired numbers may still be used. */
  readonly staleMs: number;
  /** How long the first failure of a video is remembered. */
  readonly errorTtlMs: number;
  /** Deadline of one attempt: a replica that dies while it fetches numbers keeps the others waiting no longer. */
  readonly attemptMs: number;
}

/** The numbers of all replicas: what one of them bought, the others can import. */
interface SharedStats {
  /** Gets numbers that are not cached here: from Redis, or by buying them on behalf of all replicas. */
  readonly fetchStats: FetchStats;
  /** Imports what Redis has of these videos, fresh or expired. Never rejects; does nothing while Redis is down. */
  readonly lookUp: (itemIds: readonly string[]) => Promise<void>;
}

/** A request whose videos are settled one by one. */
interface OpenRequest extends StatsRequest {
  /** Passes the reservation of a batch that was not bought to the next batch. */
  readonly giveBackReservation: () => void;
  /** Settles the videos that are left. */
  readonly settleOthers: (error: Error) => void;
}

/** What may be bought now. */
interface Purchase {
  readonly itemIds: readonly string[];
  /** Videos that fill the last batch. */
  readonly others: readonly string[];
  /** Whether KeyAPI refuses requests for a video: it then gets a separate batch. */
  readonly isAlone: (itemId: string) => boolean;
  /** Of the locks on these videos; undefined when Redis was down. */
  readonly token: string | undefined;
}

/** The claims that remain after Redis has settled those for which it has numbers or a failure. */
interface ClaimResult {
  readonly purchase: Purchase;
  /** To be claimed again. */
  readonly unsettled: readonly StatsClaim[];
}

/** Maximum number of candidates in one claim: they only have to fill one batch. */
const MAX_OTHERS = 100;
/** Values that are uploaded at once. */
const UPLOAD_SIZE = 100;

/** Shares the numbers of a store with the other replicas, while Redis is up. */
export function createSharedStats(options: SharedStatsOptions): SharedStats {
  const { redis, buy, store, clock, ttlMs, staleMs } = options;
  const { importValue, lookUp, toValue } = createStatsImporter(options);
  const lockMs = toLockMs(options.attemptMs);
  const runRelease = createLockReleases(redis);
  const rejection = createRefreshRejection(clock);
  uploadOnUp(redis, function* () {
    // The most recently used first.
    const entries = store.all().reverse();
    for (let start = 0; start < entries.length; start += UPLOAD_SIZE) {
      const current = entries.slice(start, start + UPLOAD_SIZE).filter(isCurrent);
      yield () => storeInRedis(current, undefined);
    }
  });

  function isCurrent(entry: CachedStats): boolean {
    return store.peek(entry.itemId) === entry;
  }

  async function storeInRedis(entries: readonly CachedStats[], token: string | undefined): Promise<void> {
    if (entries.length === 0) return;
    const values = entries.map((entry) => ({ itemId: entry.itemId, value: toValue(entry) }));
    await storeStats(redis.run, { values, token, staleMs });
  }

  async function fetchStats(request: StatsRequest): Promise<void> {
    const { call, itemIds, others } = request;
    const open = openRequest(request);
    const rejected = call.background ? rejection.current() : undefined;
    if (rejected) return open.settleOthers(rejected);
    try {
      await fetchVideos(itemIds, open, others);
    } catch (error) {
      open.settleOthers(error as Error);
    }
  }

  /** Claims numbers until each video is settled: buys what is granted while it waits for what others fetch. */
  async function fetchVideos(
    itemIds: readonly string[],
    request: OpenRequest,
    others: readonly string[] = [],
  ): Promise<void> {
    const purchases: Promise<void>[] = [];
    const begin = (purchase: Purchase): void => {
      const bought = buyAll(purchase, request).catch((error: unknown) => {
        for (const itemId of [...purchase.itemIds, ...purchase.others])
          request.onSettled(itemId, error as Error);
      });
      purchases.push(bought);
    };
    let claims: readonly StatsClaim[] = itemIds.map((itemId) => ({
      itemId,
      isRefused: store.isRefused(itemId),
    }));
    let candidates = others;
    while (claims.length > 0) {
      if (!redis.isUp()) {
        const wanted = claims.map(({ itemId }) => itemId);
        begin({
          itemIds: wanted,
          others: candidates,
          isAlone: (itemId) => store.isRefused(itemId),
          token: undefined,
        });
        break;
      }
      const claimed = await claimAll(claims, candidates, request);
      if (!claimed) continue;
      begin(claimed.purchase);
      // The room of what is granted is filled.
      if (claimed.purchase.itemIds.length > 0) candidates = [];
      claims = claimed.unsettled;
      if (!claims.some(isWaiting)) continue;
      const reason = whyStop(request.call);
      if (reason) {
        for (const { itemId } of claims) request.onSettled(itemId, reason);
        break;
      }
      await clock.sleep(WAIT_MS);
    }
    await Promise.all(purchases);
  }

  /** Claims numbers, and settles what Redis knows. Undefined when it went down. */
  async function claimAll(
    claims: readonly StatsClaim[],
    others: readonly string[],
    request: OpenRequest,
  ): Promise<ClaimResult | undefined> {
    const token = randomUUID();
    const claimed = await claimStats(redis.run, {
      claims,
      others: others.filter((itemId) => !store.isRefused(itemId)).slice(0, MAX_OTHERS),
      token,
      lockMs,
      maxLockMs: MAX_LOCK_MS,
      maxFailureMs: longestNegativeTtl(options),
      ttlMs,
      refusedMs: MAX_REFUSED_MS,
    }).catch(() => undefined);
    return claimed && settleKnown(claims, claimed, token, request);
  }

  function settleKnown(
    claims: readonly StatsClaim[],
    claimed: ClaimedBatch,
    token: string,
    request: OpenRequest,
  ): ClaimResult {
    const granted: string[] = [];
    const refused = new Set<string>();
    const unsettled: StatsClaim[] = [];
    for (const [index, claim] of claims.entries()) {
      const { itemId } = claim;
      const outcome = claimed.outcomes[index];
      if (outcome?.type === 'granted') {
        granted.push(itemId);
        if (outcome.isRefused) refused.add(itemId);
      } else if (outcome?.type === 'value') {
        const entry = importValue(outcome.value, itemId);
        if (entry) request.onSettled(itemId, { entry, origin: isWaiting(claim) ? 'shared' : 'cached' });
        else unsettled.push({ ...claim, unreadable: outcome.value });
      } else if (outcome?.type === 'failure') {
        if (outcome.error) request.onSettled(itemId, outcome.error);
        else unsettled.push({ ...claim, ignoresFailure: true });
      } else if (outcome) {
        const waitedSince = claim.waitedSince ?? outcome.fetchedAt;
        unsettled.push({ itemId, isRefused: claim.isRefused, waitedSince });
      }
    }
    const isAlone = (itemId: string): boolean => refused.has(itemId);
    return { purchase: { itemIds: granted, others: claimed.others, isAlone, token }, unsettled };
  }

  /** Buys numbers in batches, which are settled one by one. */
  async function buyAll({ itemIds, others, isAlone, token }: Purchase, request: OpenRequest): Promise<void> {
    if (itemIds.length === 0) return;
    const { batches, filled } = toBatches(itemIds, others, isAlone);
    request.onFill(filled);
    const buyOne = (batch: StatsBatch): Promise<void> =>
      token === undefined ? buyUnlocked(batch, request) : buyLocked(batch, request, token);
    await Promise.all(batches.map(buyOne));
  }

  /** Buys a batch while Redis is down. It may be up again when the numbers arrive. */
  async function buyUnlocked(batch: StatsBatch, request: OpenRequest): Promise<void> {
    const outcomes = await buyOutcomes(batch, request.call);
    // Otherwise they are uploaded later.
    if (redis.isUp()) await storeInRedis(entriesOf(outcomes), undefined).catch(() => undefined);
    settleAll(outcomes, request);
  }

  /** Buys a batch under its locks. When one of them is lost before anything was sent, its videos are claimed again. */
  async function buyLocked(batch: StatsBatch, request: OpenRequest, token: string): Promise<void> {
    const { signal, lost, stop } = keepLocks(redis, { locks: batch.map(keyOfStatsLock), token, lockMs });
    const outcomes = await buyOutcomes(batch, { ...request.call, ...withSignal(request.call, signal) });
    const again = batch.filter((itemId) => outcomes.get(itemId) === lost);
    for (const itemId of again) outcomes.delete(itemId);
    await share(outcomes, again, token).finally(stop);
    settleAll(outcomes, request);
    if (again.length === batch.length) request.giveBackReservation();
    await fetchVideos(again, request);
  }

  /** Buys a batch; returns the outcome for each video. Never rejects. */
  async function buyOutcomes(batch: StatsBatch, call: StatsCall): Promise<Map<string, SettledStats>> {
    const outcomes = new Map<string, SettledStats>();
    const onSettled: StatsRequest['onSettled'] = (itemId, settled) => void outcomes.set(itemId, settled);
    await buyBatch(batch, { call, onSettled }, buy);
    return outcomes;
  }

  /**
   * Brings what became of a batch to the other replicas, and releases its locks, also those of videos that are to be
   * claimed `again`. Where a lock was lost and the call has failed, another replica may have bought the numbers: these
   * take the place of the failure.
   */
  async function share(
    outcomes: Map<string, SettledStats>,
    again: readonly string[],
    token: string,
  ): Promise<void> {
    const entries = entriesOf(outcomes);
    const unstored = await storeInRedis(entries, token).then(
      () => [],
      () => entries.map(({ itemId }) => itemId),
    );
    const failed = [...outcomes].flatMap(([itemId, outcome]) =>
      outcome instanceof Error ? [{ itemId, failure: toFailure(outcome) }] : [],
    );
    const others = [...unstored, ...again].map((itemId) => ({ itemId, failure: undefined }));
    const lost = (await release([...failed, ...others], token)).filter(
      (itemId) => outcomes.get(itemId) instanceof Error,
    );
    await lookUp(lost);
    for (const itemId of lost) {
      const entry = store.peek(itemId);
      if (entry && store.isFresh(entry)) outcomes.set(itemId, { entry, origin: 'shared' });
    }
  }

  /** Lets other requests fetch the numbers: after a while, if the failure is about these. Returns those whose lock was lost. */
  async function release(videos: readonly ReleasedVideo[], token: string): Promise<readonly string[]> {
    if (videos.length === 0) return [];
    return runRelease(() => releaseStats(redis.run, { videos, token }), []);
  }

  /** How a failure is remembered. */
  function toFailure(error: Error): ReleasedVideo['failure'] {
    if (!(error instanceof ApiError)) return undefined;
    if (!error.isCallFailure && error.code !== 'OPERATION_TOO_EXPENSIVE') rejection.record(error);
    const ttl = toNegativeTtl(error, statsEndpoint, options);
    return ttl && { error, ...ttl };
  }

  function whyStop({ deadline, signal }: StatsCall): Error | undefined {
    if (signal?.aborted) return signal.reason as Error;
    return clock.monotonic() >= deadline() ? new ApiError('UPSTREAM_TIMEOUT') : undefined;
  }

  return { fetchStats, lookUp };
}

/** True for a claim on numbers that another request fetches. */
function isWaiting({ waitedSince }: StatsClaim): boolean {
  return waitedSince !== undefined;
}

function entriesOf(outcomes: ReadonlyMap<string, SettledStats>): CachedStats[] {
  return [...outcomes.values()].flatMap((outcome) => (outcome instanceof Error ? [] : [outcome.entry]));
}

function settleAll(outcomes: ReadonlyMap<string, SettledStats>, { onSettled }: OpenRequest): void {
  for (const [itemId, outcome] of outcomes) onSettled(itemId, outcome);
}

function openRequest(request: StatsRequest): OpenRequest {
  const open = new Set(request.itemIds);
  let reservations = 0;
  const onSettled: StatsRequest['onSettled'] = (itemId, settled) => {
    if (open.delete(itemId)) request.onSettled(itemId, settled);
  };
  return {
    ...request,
    call: {
      ...request.call,
      reserve: () => {
        if (reservations > 0) reservations--;
        else request.call.reserve();
      },
    },
    onFill: (itemIds) => {
      for (const itemId of itemIds) open.add(itemId);
      request.onFill(itemIds);
    },
    onSettled,
    giveBackReservation: () => void reservations++,
    settleOthers: (error) => {
      for (const itemId of [...open]) onSettled(itemId, error);
    },
  };
}
