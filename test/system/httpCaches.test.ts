import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, it } from '@jest/globals';
import { type EmulatedApp, startEmulatedApp } from '../support/app.ts';
import { range } from '../support/charts.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';
import { findBlocks } from '../support/examples.ts';
import { findFreePort } from '../support/freePort.ts';
import { describeWith } from './support/describeWith.ts';
import { poll } from './support/poll.ts';
import { type Program, startProgram } from './support/program.ts';

const QUERY = '{ trendingVideos { stale nodes { itemId cover } } }';
/**
 * So long that a cache which starts to count it anew never asks again during a test; covers are valid for an hour longer.
 */
const TTL_SECONDS = 86_400;
const COVER_SECONDS = 25 * 3600;

/** A cache between clients and the server, as docs/caching-and-cost.md configures it. */
interface HttpCache {
  readonly program: string;
  /** The arguments that start it in the foreground, with the configuration of the documentation in this folder. */
  readonly start: (folder: string, port: number, configuration: string) => Promise<string[]>;
  readonly language: string;
  /** Whether it has sent a response after its `max-age`, which was a second. */
  readonly isStale: (headers: Headers) => boolean;
}

const NGINX: HttpCache = {
  program: 'nginx',
  language: 'nginx',
  start: async (folder, port, configuration) => {
    const file = path.join(folder, 'nginx.conf');
    const site = configuration
      .replace('/var/cache/nginx', path.join(folder, 'cache'))
      .replace('listen 80;', `listen 127.0.0.1:${port};`);
    const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${path.join(folder, name)};`,
    );
    // Everything that the distribution's own nginx.conf sets up elsewhere.
    await writeFile(
      file,
      `daemon off; master_process off; pid ${path.join(folder, 'pid')}; error_log stderr;
      events {} http { access_log off; ${folders.join(' ')} ${site} }`,
    );
    return ['-e', 'stderr', '-p', folder, '-c', file];
  },
  isStale: (headers) => ['STALE', 'UPDATING'].includes(`${headers.get('x-cache-status')}`),
};

const VARNISH: HttpCache = {
  program: 'varnishd',
  language: 'vcl',
  start: async (folder, port, configuration) => {
    const file = path.join(folder, 'default.vcl');
    await writeFile(file, configuration);
    const work = path.join(folder, 'work');
    await mkdir(work);
    // Without its jail, which would need a folder that another user can read.
    return ['-F', '-j', 'none', '-a', `127.0.0.1:${port}`, '-f', file, '-n', work, '-s', 'malloc,10m'];
  },
  isStale: (headers) => Number(headers.get('age')) > 1,
};

let folder: string;
let clock: TestClock;
let app: EmulatedApp | undefined;
let cache: Program;
/** Of the server. */
let origin: string;
let cacheOrigin: string;
let query: string;

/** Sends the query, by default through the cache. */
async function send(headers: Record<string, string> = {}, to = cacheOrigin) {
  const response = await fetch(`${to}/graphql?${new URLSearchParams({ query })}`, {
    headers: { 'apollo-require-preflight': 'true', ...headers },
  });
  return { status: response.status, headers: response.headers, body: await response.text() };
}

/** Closes the server; its cost was claimed by nobody, since copies report none. */
async function closeApp(): Promise<void> {
  if (!app) return;
  app.claimedElsewhere = app.reported();
  await app.close();
  app = undefined;
}

for (const { program, language, start, isStale } of [NGINX, VARNISH]) {
  describeWith(program, `${program}, configured as documented,`, () => {
    async function open(ttlSeconds = TTL_SECONDS): Promise<void> {
      folder = await mkdtemp(path.join(tmpdir(), 'http-cache-'));
      clock = createTestClock();
      query = QUERY;
      const variables = { CACHE_TTL_SECONDS: String(ttlSeconds), RATE_LIMIT_PER_MINUTE: '1000' };
      app = await startEmulatedApp({}, variables, { clock, random: () => 0 });
      origin = await app.server.listen({ host: '127.0.0.1', port: 0 });
      const blocks = findBlocks(await readFile('docs/caching-and-cost.md', 'utf8'));
      const block = blocks.find((some) => some.language === language);
      const port = await findFreePort();
      const configuration = (block?.text ?? '').replace('4000', new URL(origin).port);
      cache = startProgram([program, ...(await start(folder, port, configuration))]);
      cacheOrigin = `http://127.0.0.1:${port}`;
      await poll(async () => {
        if (cache.child.exitCode !== null) throw new Error(cache.output());
        // Any response shows that it listens. This one is not stored.
        return fetch(`${cacheOrigin}/nothing`).then(
          () => true,
          () => false,
        );
      });
    }

    afterEach(async () => {
      cache.child.kill('SIGKILL');
      await cache.exit;
      await closeApp();
      await rm(folder, { recursive: true, force: true });
    });

    it('sends a copy that says nothing about the request that paid for it', async () => {
      await open();
      const one = await send({ 'x-request-id': 'one' });
      const two = await send({ 'x-request-id': 'two' });
      expect(app?.origins()).toEqual(['made']);
      expect(app?.bill).toHaveLength(1);
      expect(two.body).toBe(one.body);
      expect(JSON.parse(two.body)).toMatchObject({
        data: { trendingVideos: { stale: false } },
        extensions: { upstream: { requests: 0, credits: 0, pages: { cached: 1, fetched: 0 } } },
      });
      for (const { status, headers } of [one, two]) {
        expect(status).toBe(200);
        const names = [...headers.keys()].filter((name) => /^(x-request-id|ratelimit)/.test(name));
        expect(names).toEqual([]);
      }
    });

    it('buys a page once for requests that arrive together', async () => {
      await open();
      const bodies = (await Promise.all(range(1, 8).map(() => send()))).map(({ body }) => body);
      expect([new Set(bodies).size, app?.bill.length]).toEqual([1, 1]);
    });

    it('lets no cache behind it count the time again that a copy has spent here', async () => {
      await open();
      await send();
      const { headers } = await send();
      expect(headers.has('age') || !/max-age/.test(`${headers.get('cache-control')}`)).toBe(true);
      const unchanged = await send({ 'if-none-match': `${headers.get('etag')}` });
      expect([unchanged.status, unchanged.body]).toEqual([304, '']);
      expect(app?.origins()).toEqual(['made']);
    });

    it('stores a response that was cached by the server only for the time that is left', async () => {
      await open();
      await send({}, origin);
      clock.advance((TTL_SECONDS - 1) * 1000);
      await send();
      expect(app?.origins()).toEqual(['made', 'kept']);
      await poll(async () => {
        await send();
        return (app?.origins().length ?? 0) > 2;
      });
    });

    it('sends the stale copy while the server is unavailable', async () => {
      await open();
      await send();
      clock.advance((TTL_SECONDS - 1) * 1000);
      query = `${QUERY} # another entry`;
      const last = await send();
      await closeApp();
      await poll(async () => {
        const { status, headers, body } = await send();
        expect([status, body]).toEqual([200, last.body]);
        return isStale(headers);
      });
    });

    it('sends no copy after a cover has expired, even while the server is unavailable', async () => {
      await open(2 * COVER_SECONDS);
      await send({}, origin);
      clock.advance(COVER_SECONDS * 1000 - 1500);
      await send();
      const { headers } = await send({}, origin);
      expect(headers.get('cache-control')).toBe(
        'public, max-age=1, stale-while-revalidate=0, stale-if-error=0',
      );
      await closeApp();
      await poll(async () => (await send()).status >= 500);
    });
  });
}
