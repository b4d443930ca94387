import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createEmulator, type Emulator, type EmulatorOptions } from '../../src/keyapi/emulator/emulator.ts';
import type { Row } from '../../src/keyapi/emulator/videos.ts';
import { until } from '../support/until.ts';

interface Body {
  readonly code: number;
  readonly message: string;
  readonly requestId: string;
  readonly data: { readonly pagination: Record<string, unknown>; readonly videos: Row[] };
}

let emulator: Emulator;
let base: URL;

async function start(options: EmulatorOptions = {}): Promise<void> {
  emulator = createEmulator(options);
  base = await emulator.listen();
}

async function get(
  query = '',
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Body }> {
  const response = await fetch(new URL(`/v1/tiktok/trending/videos?${query}`, base), { headers });
  return { status: response.status, body: (await response.json()) as Body };
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
    expect(emulator.counts).toEqual({ requests: 2, credits: 4 });
    expect(await (await fetch(new URL('/stats', base))).json()).toEqual({ requests: 2, credits: 4 });
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
