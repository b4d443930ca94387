import DataLoader from 'dataloader';
import { LRUCache } from 'lru-cache';
import { Pool } from 'undici';
import { MAX_BATCH } from '../../src/domain/videoStats.ts';

/** The numbers on a video, as the peers' default resolvers read them. */
interface Stats {
  readonly views: number;
  readonly likes: number;
  readonly comments: number;
  readonly shares: number;
  readonly favorites: number;
  readonly publishedAt: string;
  readonly fetchedAt: string;
  readonly stale: boolean;
}

/** A row as KeyAPI sends it. */
interface Row {
  readonly video_id: string;
  readonly create_time: string;
  readonly total_views_cnt: number | string;
  readonly total_digg_cnt: number | string;
  readonly total_comments_cnt: number | string;
  readonly total_shares_cnt: number | string;
  readonly total_favorites_cnt: number | string;
}

/** What the resolvers of one operation share. */
export interface StatsContext {
  readonly stats: DataLoader<string, Stats | null>;
}

/** Enough for every scenario. */
const MAX_VIDEOS = 20_000;

/**
 * Creates the context of each operation: a DataLoader that reads the numbers from a cache of the process, and fetches those
 * that are missing in batches of 10, as in DataLoader's documentation. Does less than the product: no expiry, no costs.
 */
export function createStatsContext(keyapiUrl: string): () => StatsContext {
  const cache = new LRUCache<string, Stats>({ max: MAX_VIDEOS });
  const pool = new Pool(keyapiUrl, { connections: 128 });

  async function fetchBatch(itemIds: readonly string[]): Promise<void> {
    const path = `/v1/tiktok/video/detail/analytics?video_ids=${itemIds.join()}`;
    const headers = { authorization: 'Bearer bench' };
    const { statusCode, body } = await pool.request({ method: 'GET', path, headers });
    if (statusCode !== 200) throw new Error(`Upstream: expected status 200, but got: ${statusCode}`);
    const { data } = (await body.json()) as { readonly data: readonly Row[] };
    for (const row of data) cache.set(row.video_id, toStats(row));
  }

  async function loadAll(itemIds: readonly string[]): Promise<(Stats | null)[]> {
    const missing = itemIds.filter((itemId) => !cache.has(itemId));
    const batches = Array.from({ length: Math.ceil(missing.length / MAX_BATCH) }, (_, index) =>
      missing.slice(index * MAX_BATCH, (index + 1) * MAX_BATCH),
    );
    if (batches.length > 0) await Promise.all(batches.map(fetchBatch));
    return itemIds.map((itemId) => cache.get(itemId) ?? null);
  }

  return () => ({ stats: new DataLoader(loadAll) });
}

/** The resolver of a video's numbers. */
export const statsResolvers = {
  TrendingVideo: {
    stats: ({ itemId }: { readonly itemId: string }, _: unknown, { stats }: StatsContext) =>
      stats.load(itemId),
  },
};

function toStats(row: Row): Stats {
  return {
    views: Number(row.total_views_cnt),
    likes: Number(row.total_digg_cnt),
    comments: Number(row.total_comments_cnt),
    shares: Number(row.total_shares_cnt),
    favorites: Number(row.total_favorites_cnt),
    publishedAt: new Date(Number(row.create_time) * 1000).toISOString(),
    fetchedAt: new Date().toISOString(),
    stale: false,
  };
}
