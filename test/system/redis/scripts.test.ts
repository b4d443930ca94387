import { expect, it } from '@jest/globals';
import { ApiError } from '../../../src/domain/errors.ts';
import { createArraySource, makeVideos } from '../../support/charts.ts';
import { codeOf, type PageSource } from '../../support/sources.ts';
import { describeWithRedis, startRedis, watchCommands } from '../support/redis.ts';
import { expirePages, startReplica } from '../support/replica.ts';
import { expireStats, makeStats, type StatsSource, startStatsReplica } from '../support/statsReplica.ts';

describeWithRedis('scripts', () => {
  it('declare every key that they use', async () => {
    const redis = await startRedis();
    const upstream = createArraySource({ rows: makeVideos(1, 500), pageSize: 20 });
    let source: PageSource = upstream.source;
    const options = { url: redis.url, source: (...args: Parameters<PageSource>) => source(...args) };
    const one = await startReplica({ ...options, creditsPerDay: 1000 });
    const two = await startReplica({ ...options, creditsPerDay: 1000 });
    await redis.client.hset('test:budget', 'openAt', 0);
    const { inScripts, stop } = await watchCommands(redis);

    await one.read({ first: 60 });
    expect((await two.find('1', '21')).titles).toHaveLength(2);
    await expirePages(redis, [one, two]);
    await one.read({ first: 60 });
    await one.cache.settle();
    source = async (_key, { onSent }) => {
      onSent();
      throw new ApiError('UPSTREAM_BAD_RESPONSE');
    };
    expect(await codeOf(two.read({ last: 1 }))).toBe('UPSTREAM_BAD_RESPONSE');
    await two.nextHeartbeat();

    let statsSource: StatsSource = async (batch) => new Map(batch.map((id) => [id, makeStats(1)]));
    const numbers = await startStatsReplica({
      url: redis.url,
      source: (batch, call) => statsSource(batch, call),
    });
    await numbers.read([1, 2, 3], [4, 5]);
    await expireStats(redis, [numbers]);
    statsSource = async (_batch, { onSent }) => {
      onSent();
      throw new ApiError('UPSTREAM_ERROR');
    };
    expect((await numbers.read([6], [1, 2])).views).toEqual(['UPSTREAM_ERROR']);
    await stop();
    await numbers.close();

    const names = new Set<string | undefined>();
    for (const { script, command } of inScripts) {
      const [name, key = ''] = command;
      names.add(name?.toUpperCase());
      const [, , count, ...keys] = script;
      if (!['TIME', 'INFO'].includes(name?.toUpperCase() ?? ''))
        expect(keys.slice(0, Number(count))).toContain(key);
    }
    const used = [
      'TIME',
      'INFO',
      'ZADD',
      'SET',
      'HSET',
      'XADD',
      'XRANGE',
      'ZREVRANGEBYSCORE',
      'GETRANGE',
      'ZCARD',
    ];
    expect(used.filter((name) => !names.has(name))).toEqual([]);
    await Promise.all([one.close(), two.close()]);
    await redis.close();
  });
});
