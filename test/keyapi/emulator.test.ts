import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Row } from '../../src/keyapi/emulator/charts.ts';
import { createEmulator, type Emulator, type EmulatorOptions } from '../../src/keyapi/emulator/emulator.ts';
import { UNMOVED_DAY } from '../../src/keyapi/emulator/scores.ts';
import { DOCUMENTED_FIELDS } from '../../src/keyapi/endpoints/toTrendingVideo.ts';
import { until } from '../support/until.ts';

interface Body {
  readonly code: number;
  readonly message: string;
  readonly requestId: string;
  readonly data: { readonly pagination: Record<string, unknown>; readonly videos: Row[] };
}

const NUMBERS_PATH = '/v1/tiktok/video/detail/analytics';
const DAY_MS = 86_400_000;

let emulator: Emulator;
let base: URL;

/** Starts it. By default its charts do not move from day to day. */
async function start(options: EmulatorOptions = {}): Promise<void> {
  emulator = createEmulator({ date: UNMOVED_DAY, ...options });
  base = await emulator.listen();
}

async function getJson<T>(
  path: string,
  headers: Record<string, string>,
): Promise<{ status: number; body: T }> {
  const response = await fetch(new URL(path, base), { headers });
  return { status: response.status, body: (await response.json()) as T };
}

function get(query = '', headers: Record<string, string> = {}) {
  return getJson<Body>(`/v1/tiktok/trending/videos?${query}`, headers);
}

/** A row of numbers as KeyAPI sends it. */
type Numbers = Readonly<Record<string, string | number>>;

function getNumbers(query: string, headers: Record<string, string> = {}) {
  return getJson<Omit<Body, 'data'> & { data: Numbers[] }>(`${NUMBERS_PATH}?${query}`, headers);
}

/** Sends a path unchanged; fetch would normalise it. */
async function request(path: string): Promise<IncomingMessage> {
  const [response] = await once(httpRequest({ port: base.port, path }).end(), 'response');
  response.resume();
  return response;
}

async function ids(query: string): Promise<string[]> {
  return (await get(query)).body.data.videos.map(({ item_id }) => item_id);
}

/** The ids of a whole chart, top first. */
async function chartIds(query: string): Promise<string[]> {
  const pages = Array.from({ length: 25 }, (_, index) => ids(`${query}&page=${index + 1}`));
  return (await Promise.all(pages)).flat();
}

/** The numbers on videos, in the order of their ids, which are all known. */
async function numbersOn(itemIds: readonly string[]): Promise<Numbers[]> {
  const batches = Array.from({ length: Math.ceil(itemIds.length / 10) }, (_, index) =>
    getNumbers(`video_ids=${itemIds.slice(index * 10, index * 10 + 10)}`),
  );
  const rows = (await Promise.all(batches)).flatMap(({ body }) => body.data);
  const found = new Map(rows.map((row) => [row.video_id, row]));
  return itemIds.map((id) => found.get(id) as Numbers);
}

async function countsOf(itemIds: readonly string[], field: string): Promise<number[]> {
  return (await numbersOn(itemIds)).map((row) => Number(row[field]));
}

afterEach(() => emulator.close());

describe('emulator', () => {
  it('responds with the envelope and the default parameters of KeyAPI', async () => {
    await start();
    const { status, body } = await get();
    expect(status).toBe(200);
    expect(body).toEqual({
      code: 0,
      message: 'success',
      data: {
        pagination: { has_more: true, limit: 20, page: 1, total_count: 500 },
        videos: expect.any(Array),
      },
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(body.data.videos).toHaveLength(20);
    expect(await ids('page=1&period=7&limit=20&region=US&order_by=vv')).toEqual(
      body.data.videos.map(({ item_id }) => item_id),
    );
    for (const video of body.data.videos) {
      expect(new Set(Object.keys(video))).toEqual(DOCUMENTED_FIELDS);
      expect(video).toEqual({
        country_code: 'US',
        cover: expect.stringMatching(/~tplv-noop\.image\?dr=18692&x-expires=\d{10}&x-signature=[\w-]+$/),
        duration: expect.any(Number),
        id: video.item_id,
        item_id: expect.stringMatching(/^7\d{18}$/),
        item_url: expect.stringMatching(/^https:\/\/www\.tiktok\.com\/@[\w.]+\/video\/7\d{18}$/),
        region: 'United States',
        title: expect.stringMatching(/#/),
      });
    }
  });

  it('has 500 different videos in a chart, and none after them', async () => {
    await start();
    const pages = Array.from({ length: 25 }, (_, index) => ids(`page=${index + 1}`));
    expect(new Set((await Promise.all(pages)).flat()).size).toBe(500);
    expect((await get('page=25')).body.data.pagination).toMatchObject({ has_more: false });
    expect((await get('page=26')).body.data).toEqual({
      pagination: { has_more: false, limit: 20, page: 26, total_count: 500 },
      videos: [],
    });
  });

  it('serves the same chart every time, and a different one for each region, period and order', async () => {
    await start();
    const charts = await Promise.all(
      ['', 'region=GB', 'period=30', 'order_by=like', 'region=GB&period=120&order_by=repost'].map(ids),
    );
    expect(new Set(charts.map((chart) => chart.join())).size).toBe(5);
    expect(charts[0]?.slice(0, 2)).toEqual(['7933310081972815260', '7310871003254096742']);
  });

  it('reduces a larger limit to 20 and applies a smaller one', async () => {
    await start();
    expect((await get('limit=500')).body.data.pagination).toMatchObject({ limit: 20 });
    const small = await get('limit=7&page=2');
    expect(small.body.data.pagination).toEqual({ has_more: true, limit: 7, page: 2, total_count: 500 });
    expect(small.body.data.videos.map(({ item_id }) => item_id)).toEqual((await ids('')).slice(7, 14));
  });

  it.each(['page=0', 'page=x', 'limit=0', 'limit=-1', 'period=8', 'region=ZZ', 'order_by=views'])(
    'refuses %s with 400',
    async (query) => {
      await start();
      const name = query.split('=')[0];
      expect(await get(query)).toEqual({
        status: 400,
        body: { code: 400, data: null, message: `Invalid parameter: ${name}` },
      });
    },
  );

  it('requires the token that it is configured with', async () => {
    await start({ token: 'secret' });
    const refused = { status: 401, body: { code: 401, data: null, message: 'apiKey is null' } };
    expect(await get()).toEqual(refused);
    expect(await get('', { authorization: 'Bearer other' })).toEqual(refused);
    expect(await get('', { authorization: 'Bearer secret' })).toMatchObject({ status: 200 });
  });

  it('responds with 402 when fewer than 2 credits are left', async () => {
    await start({ credits: 5 });
    expect([await get(), await get(), await get()]).toMatchObject([
      { status: 200 },
      { status: 200 },
      { status: 402, body: { code: 402, data: null, message: 'apiKey quota is not enough' } },
    ]);
  });

  it('responds with 429 beyond its queries per second', async () => {
    let now = 0;
    await start({ qps: 2, now: () => now });
    const statuses = await Promise.all([get(), get(), get()]);
    expect(statuses.map(({ status }) => status).sort()).toEqual([200, 200, 429]);
    now = 1000;
    expect((await get()).status).toBe(200);
  });

  it('delays responses by its latency', async () => {
    await start({ latencyMs: 600_000 });
    let hasResponded = false;
    const delayed = get().then(
      () => {
        hasResponded = true;
      },
      () => undefined,
    );
    await until(() => emulator.counts.requests === 1);
    emulator.switches.latencyMs = 0;
    expect((await get()).status).toBe(200);
    expect(hasResponded).toBe(false);
    await emulator.close();
    await delayed;
  });

  it('moves the videos of its charts when the rotation changes', async () => {
    await start();
    const before = await ids('');
    emulator.switches.rotation = 3;
    expect((await ids('')).slice(0, 17)).toEqual(before.slice(3));
    expect((await ids('page=25')).slice(-3)).toEqual(before.slice(0, 3));
  });

  it('serves the charts of the UTC day of its clock, which it also tells without a request', async () => {
    let now = Date.UTC(2026, 2, 1);
    await start({ date: undefined, now: () => now });
    const day = now / DAY_MS;
    const [first, second] = [day, day + 1].map((date) => ({
      views: emulator.itemIdsOn({ region: 'US', period: 7, orderBy: 'VIEWS' }, date),
      comments: emulator.itemIdsOn({ region: 'JP', period: 120, orderBy: 'COMMENTS' }, date),
    }));
    const read = async () => ({
      views: await chartIds(''),
      comments: await chartIds('region=JP&period=120&order_by=comment'),
    });
    expect(emulator.counts.requests).toBe(0);
    expect(first).not.toEqual(second);
    now += DAY_MS - 1;
    expect(await read()).toEqual(first);
    now += 1;
    expect(await read()).toEqual(second);
    emulator.switches.date = day;
    expect(await read()).toEqual(first);
  });

  it('draws the covers that it links to, and refuses a forged link', async () => {
    await start();
    const cover = (await get()).body.data.videos[0]?.cover ?? '';
    expect(Number(new URL(cover).searchParams.get('x-expires')) * 1000).toBeGreaterThan(Date.now());
    const picture = await fetch(cover);
    expect(picture.headers.get('content-type')).toBe('image/svg+xml');
    expect(await picture.text()).toMatch(/^<svg .*<\/svg>\n$/s);
    expect((await fetch(cover.replace('x-expires=1', 'x-expires=2'))).status).toBe(403);
  });

  it('counts requests and credits, including refused requests, and shows them at /stats', async () => {
    await start({ token: 'secret' });
    await get();
    await get('', { authorization: 'Bearer secret' });
    await getNumbers('video_ids=1', { authorization: 'Bearer secret' });
    const counts = { requests: 3, credits: 5, byEndpoint: { trendingVideos: 2, videoAnalytics: 1 } };
    expect(emulator.counts).toEqual(counts);
    expect(await (await fetch(new URL('/stats', base))).json()).toEqual(counts);
  });

  it('responds with 404 to any other path or method', async () => {
    await start();
    expect((await fetch(new URL('/v1/other', base))).status).toBe(404);
    expect((await fetch(new URL('/v1/tiktok/trending/videos', base), { method: 'POST' })).status).toBe(404);
    expect((await request('//')).statusCode).toBe(404);
    expect((await request('/\\:@')).statusCode).toBe(404);
    expect(emulator.counts.requests).toBe(0);
  });
});

describe("the emulator's numbers on videos", () => {
  const [FIRST, SECOND] = ['7933310081972815260', '7310871003254096742'];
  const MISSING = 'Missing required parameter: video_ids';
  const INVALID = 'Invalid parameter: video_ids';

  function refused(code: number, message: string) {
    return { status: code, body: { code, data: null, message } };
  }

  it('come with the envelope and the fields of KeyAPI, of a video that was never served', async () => {
    await start({ now: () => Date.UTC(2026, 0, 1) });
    expect(await getNumbers(`video_ids=${FIRST}`)).toEqual({
      status: 200,
      body: {
        code: 0,
        message: 'success',
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        data: [
          {
            video_id: FIRST,
            user_id: expect.stringMatching(/^6\d{18}$/),
            unique_id: 'neon_tiny',
            create_time: expect.stringMatching(/^17\d{8}$/),
            duration: 159,
            region: 'US',
            created_by_ai: 'false',
            is_ad: 0,
            total_views_cnt: expect.any(Number),
            total_digg_cnt: expect.any(Number),
            total_comments_cnt: expect.any(Number),
            total_shares_cnt: expect.any(Number),
            total_favorites_cnt: expect.any(Number),
            total_views_1d_cnt: 0,
            total_views_7d_cnt: 0,
            total_views_30d_cnt: expect.any(Number),
            video_desc: 'Ma colocataire cooks for 40 people ❤️‍🩹 #parati',
            video_products: '[]',
            product_category_list: '[]',
          },
        ],
      },
    });
    const [row] = (await get()).body.data.videos;
    expect(row).toMatchObject({ duration: 159, item_url: expect.stringContaining('/@neon_tiny/') });
  });

  it('come in another order than asked for, each once, without unknown videos', async () => {
    await start();
    const { body } = await getNumbers(`video_ids=${FIRST},1,${SECOND},7000000000000000001,${FIRST}`);
    expect(body.data.map(({ video_id }) => video_id)).toEqual([SECOND, FIRST]);
    expect((await getNumbers('video_ids=1,2')).body).toMatchObject({ code: 0, data: [] });
  });

  it.each([
    ['', MISSING],
    ['video_ids=', MISSING],
    ['video_id=1', MISSING],
    ['video_ids=x', INVALID],
    ['video_ids=1,,2', INVALID],
    ['video_ids=1,%202', INVALID],
    ['video_ids=123456789012345678901', INVALID],
    [`video_ids=${Array.from({ length: 11 }, (_, index) => index)}`, INVALID],
  ])('refuses %j with 400', async (query, message) => {
    await start();
    expect(await getNumbers(query)).toEqual(refused(400, message));
  });

  it('accepts 10 videos in one request, for 1 credit', async () => {
    await start({ credits: 3 });
    const chart = (await ids('')).slice(0, 10);
    expect((await getNumbers(`video_ids=${chart}`)).body.data).toHaveLength(10);
    expect(emulator.switches.credits).toBe(0);
    expect(await getNumbers(`video_ids=${FIRST}`)).toEqual(refused(402, 'apiKey quota is not enough'));
  });

  it('need the token, and share the queries per second with charts', async () => {
    await start({ token: 'secret', qps: 1, now: () => 0 });
    expect(await getNumbers('video_ids=1')).toEqual(refused(401, 'apiKey is null'));
    const headers = { authorization: 'Bearer secret' };
    expect((await get('', headers)).status).toBe(200);
    expect(await getNumbers('video_ids=1', headers)).toEqual(refused(429, 'qps limit exceeded'));
  });

  it.each(
    Object.entries({ US: 0, GB: 45, JP: 200 }).flatMap(([region, daysLater]) =>
      ['7', '30', '120'].map((period) => [region, period, daysLater] as const),
    ),
  )('fit the charts of %s for %s days, in every order, %d days later', async (region, period, daysLater) => {
    await start({ date: UNMOVED_DAY + daysLater });
    const fields = Object.entries({
      vv: 'total_views_cnt',
      like: 'total_digg_cnt',
      comment: 'total_comments_cnt',
      repost: 'total_shares_cnt',
    });
    for (const [order, field] of fields) {
      const chart = await chartIds(`region=${region}&period=${period}&order_by=${order}`);
      const counts = await countsOf(chart, field);
      expect(counts).toEqual([...counts].sort((a, b) => b - a));
      expect(counts.every(Number.isSafeInteger)).toBe(true);
      // Few are equal, or the order would say nothing.
      expect(new Set(counts).size).toBeGreaterThan(490);
    }
  });

  it('are plausible: most is watched, then liked; a few top videos have more views than 2^31', async () => {
    await start();
    const rows = await numbersOn(await chartIds('period=120'));
    for (const row of rows) {
      const [views, likes, ...others] = ['views', 'digg', 'comments', 'shares', 'favorites'].map((name) =>
        Number(row[`total_${name}_cnt`]),
      );
      expect(likes).toBeLessThan(views ?? 0);
      expect(Math.max(...others)).toBeLessThan(likes ?? 0);
    }
    const large = rows.filter((row) => Number(row.total_views_cnt) > 2 ** 31).length;
    expect([large > 1, large < 20]).toEqual([true, true]);
  });

  it('grow from one UTC day to the next, and stay the same within a day', async () => {
    let now = Date.UTC(2026, 0, 1);
    await start({ now: () => now });
    const chart = await ids('');
    const morning = await numbersOn(chart);
    now += DAY_MS - 1;
    expect(await numbersOn(chart)).toEqual(morning);
    now += 1;
    const next = await numbersOn(chart);
    for (const name of ['views', 'digg', 'comments', 'shares', 'favorites']) {
      const [before, after] = [morning, next].map((rows) =>
        rows.map((row) => Number(row[`total_${name}_cnt`])),
      );
      expect(after?.every((count, index) => count > (before?.[index] ?? 0))).toBe(true);
    }
    expect(await ids('')).toEqual(chart);
  });

  it('say that each video was posted within the period of its chart, on any day', async () => {
    let now = Date.UTC(2026, 0, 1, 12);
    await start({ now: () => now });
    for (const period of ['7', '30', '120']) {
      now += 3 * DAY_MS;
      const ages = (await countsOf(await ids(`period=${period}`), 'create_time')).map(
        (seconds) => (now - seconds * 1000) / DAY_MS,
      );
      expect(Math.min(...ages)).toBeGreaterThan(1);
      expect(Math.max(...ages)).toBeLessThanOrEqual(Number(period));
    }
  });

  it('send counts as text now and then', async () => {
    await start();
    const rows = await numbersOn(await chartIds(''));
    const types = rows.map((row) => `${typeof row.total_views_cnt} ${typeof row.total_comments_cnt}`);
    expect(new Set(types)).toEqual(new Set(['number number', 'string string']));
    expect(types.filter((type) => type === 'string string').length).toBeLessThan(100);
  });

  it('have other videos for a longer period, and the same worldwide hits in all regions', async () => {
    await start();
    const [week, month, season, other] = await Promise.all(
      ['', 'period=30', 'period=120', 'region=GB'].map(chartIds),
    );
    const shared = (a: string[] = [], b: string[] = []): number => a.filter((id) => b.includes(id)).length;
    const counts = [shared(week, month), shared(month, season), shared(week, season), shared(week, other)];
    expect(counts.every((count) => count > 20 && count < 450)).toBe(true);
  });

  it('are those of a worldwide hit in every region', async () => {
    await start();
    const [us, gb] = await Promise.all(['', 'region=GB'].map(chartIds));
    const hits = us?.filter((id) => gb?.includes(id)) ?? [];
    const ranks = hits.map((id) => gb?.indexOf(id) ?? -1);
    expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
  });

  it('fail with the status that is switched on, while charts go on', async () => {
    await start({ analyticsStatus: 403 });
    expect(await getNumbers(`video_ids=${FIRST}`)).toEqual(refused(403, ''));
    emulator.switches.analyticsStatus = 500;
    expect(await getNumbers('')).toEqual(refused(500, 'Internal server error'));
    expect((await get()).status).toBe(200);
    emulator.switches.analyticsStatus = undefined;
    expect((await getNumbers(`video_ids=${FIRST}`)).status).toBe(200);
    expect(emulator.counts.byEndpoint).toEqual({ trendingVideos: 1, videoAnalytics: 3 });
  });

  it('lack a share of the videos, always the same', async () => {
    await start({ unknownVideos: 0.2 });
    const chart = await chartIds('');
    const known = async (): Promise<string[]> => {
      const batches = Array.from({ length: 50 }, (_, index) => chart.slice(index * 10, index * 10 + 10));
      const responses = await Promise.all(batches.map((batch) => getNumbers(`video_ids=${batch}`)));
      return responses.flatMap(({ body }) => body.data.map(({ video_id }) => String(video_id)));
    };
    const most = await known();
    expect(most.length).toBeGreaterThan(350);
    expect(most.length).toBeLessThan(450);
    expect(await known()).toEqual(most);
    emulator.switches.unknownVideos = 0.5;
    const fewer = await known();
    expect(fewer.every((id) => most.includes(id))).toBe(true);
    emulator.switches.unknownVideos = 1;
    expect(await known()).toEqual([]);
  });

  it('refuse a request with an id that is switched off', async () => {
    await start({ refusedIds: [SECOND] });
    expect(await getNumbers(`video_ids=${FIRST},${SECOND}`)).toEqual(refused(400, INVALID));
    expect((await getNumbers(`video_ids=${FIRST}`)).status).toBe(200);
    emulator.switches.refusedIds = [];
    expect((await getNumbers(`video_ids=${SECOND}`)).status).toBe(200);
  });

  it('are announced with the ids that were asked for', async () => {
    const seen: unknown[] = [];
    await start({ onRequest: (parameters) => void seen.push(parameters) });
    await getNumbers(`video_ids=${FIRST},${SECOND}`);
    expect(seen).toEqual([{ video_ids: `${FIRST},${SECOND}` }]);
  });
});
