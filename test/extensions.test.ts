import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import type * as Published from '../schema/extensions.ts';
import type * as Errors from '../src/domain/errors.ts';
import type { UpstreamExtension } from '../src/graphql/upstreamExtension.ts';
import { type EmulatedApp, startApp, startEmulatedApp } from './support/app.ts';
import { createTestClock } from './support/clock.ts';
import { reply, startUpstream } from './support/upstream.ts';

/** `true` only for identical types; `readonly` is compared too. */
type IsSame<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** A type without the names of what it was composed of. */
type Plain<T> = T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T;

/** Fails to compile unless the type argument is `true`. */
function proves<_T extends true>(): void {}

const counts = z.strictObject({
  cached: z.int(),
  stale: z.int(),
  shared: z.int(),
  fetched: z.int(),
});
const responseExtensions = z.strictObject({
  upstream: z.strictObject({
    source: z.enum(['keyapi', 'emulator']),
    requests: z.int(),
    credits: z.int(),
    pages: counts,
    stats: counts.exactOptional(),
  }),
});
const errorExtensions = z.strictObject({
  code: z.custom<Published.ErrorCode>((code) => documented.includes(String(code))),
  retryable: z.boolean(),
  retryAfterSeconds: z.int().exactOptional(),
  videos: z.int().exactOptional(),
  upstream: z
    .strictObject({ status: z.int(), code: z.int().nullable(), requestId: z.string().nullable() })
    .exactOptional(),
});

const table = await readFile('docs/errors.md', 'utf8');
const documented = [...table.matchAll(/^\| `([A-Z_]+)`/gm)].map(([, code = '']) => code);

describe('the published types of extensions', () => {
  let close = async (): Promise<void> => undefined;
  afterEach(() => close());

  async function startDemo(switches: Parameters<typeof startEmulatedApp>[0] = {}): Promise<EmulatedApp> {
    const app = await startEmulatedApp(switches);
    close = () => app.close();
    return app;
  }

  it("are the server's own", () => {
    proves<IsSame<Plain<Published.UpstreamExtension>, Plain<UpstreamExtension>>>();
    proves<IsSame<Plain<Published.UpstreamResponse>, Plain<Errors.UpstreamResponse>>>();
    proves<Errors.ErrorCode extends Published.ErrorCode ? true : false>();
    proves<IsSame<Mutable<Published.ResponseExtensions>, z.infer<typeof responseExtensions>>>();
    proves<IsSame<Mutable<Published.ErrorExtensions>, z.infer<typeof errorExtensions>>>();
  });

  it('have exactly the codes that docs/errors.md lists', async () => {
    const source = await readFile('schema/extensions.ts', 'utf8');
    const published = [...source.matchAll(/^ {2}\| '([A-Z_]+)'/gm)].map(([, code]) => code);
    expect(published).toEqual(documented);
  });

  it('have exactly the fields that responses have', async () => {
    const app = await startDemo();
    const withoutStats = '{ trendingVideos { nodes { title } } }';
    const withStats = '{ trendingVideos { nodes { stats { views } } } }';
    const seen: unknown[] = [];
    for (const query of ['{ __typename }', withoutStats, withoutStats, withStats, withStats, '{ nothing }']) {
      const { extensions } = await app.query(query);
      seen.push(responseExtensions.parse(extensions).upstream);
    }
    const refused = await app.server.inject({ method: 'GET', url: '/graphql?query={__typename}' });
    expect(refused.statusCode).toBe(400);
    seen.push(responseExtensions.parse(refused.json().extensions).upstream);
    const hasStats = seen.map((upstream) => Object.hasOwn(Object(upstream), 'stats'));
    expect(hasStats).toEqual([false, false, false, true, true, false, false]);
    expect(fieldsOf(seen)).toEqual(Object.keys(responseExtensions.shape.upstream.shape).sort());
  });

  it('have exactly the fields that errors have', async () => {
    const app = await startDemo({ analyticsStatus: 403 });
    const errors = [];
    for (const query of [
      '{ trendingVideos(region: "ZZ") { totalCount } }',
      '{ trendingVideos { nodes { stats { views } } } }',
      '{ nothing }',
    ]) {
      errors.push(...((await app.query(query)).errors ?? []));
    }
    const refused = await app.server.inject({ method: 'GET', url: '/graphql?query={__typename}' });
    errors.push(...refused.json().errors);
    const body = { code: 429, data: null, message: '', requestId: 'id' };
    const upstream = await startUpstream(reply(body, 429, { 'retry-after': '7' }));
    const limited = await startApp(upstream.url, {}, { clock: createTestClock() });
    errors.push(...((await limited.query('{ trendingVideos { totalCount } }')).errors ?? []));
    await limited.close();
    await upstream.close();

    const seen = errors.map(({ extensions }) => errorExtensions.parse(extensions));
    expect(seen.map(({ code }) => code)).toEqual([
      'BAD_USER_INPUT',
      'UPSTREAM_FORBIDDEN',
      'GRAPHQL_VALIDATION_FAILED',
      'BAD_REQUEST',
      'UPSTREAM_RATE_LIMITED',
    ]);
    expect(fieldsOf(seen)).toEqual(Object.keys(errorExtensions.shape).sort());
  });
});

/** The names of all fields that any of these objects has, sorted. */
function fieldsOf(objects: readonly unknown[]): string[] {
  return [...new Set(objects.flatMap((object) => Object.keys(Object(object))))].sort();
}
