import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { createEmulator, type Emulator } from '../../../src/keyapi/emulator/emulator.ts';
import { describeEachExecution, startApp, type TestApp, TOKEN } from '../../support/app.ts';
import {
  addComputedFields,
  type ComputedVideo,
  VIDEO_FIELDS,
  withComputedFields,
} from '../../support/computedFields.ts';
import { poll } from '../support/poll.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../support/redis.ts';

interface Chart {
  readonly trendingVideos: { readonly nodes: readonly (ComputedVideo & { readonly itemId: string })[] };
}

const CHART = `{ trendingVideos(first: 20) { nodes { itemId ${VIDEO_FIELDS} } } }`;
const LOOKUP = `query ($itemId: ID!) { trendingVideo(itemId: $itemId) { ${VIDEO_FIELDS} } }`;

addComputedFields();

describeWithRedis('computed fields of what replicas share', () => {
  describeEachExecution(() => {
    let redis: TestRedis;
    let emulator: Emulator;
    let replicas: TestApp[];

    beforeEach(async () => {
      redis = await startRedis();
      emulator = createEmulator({ token: TOKEN });
      const url = await emulator.listen();
      replicas = [await start(url), await start(url)];
    });

    afterEach(async () => {
      for (const replica of replicas) await replica.close();
      await emulator.close();
      await redis.close();
    });

    /** Starts a replica, and waits until it has found Redis. */
    async function start(url: URL): Promise<TestApp> {
      const app = await startApp(url, { REDIS_URL: redis.url });
      await poll(async () => (await app.server.inject('/readyz')).json().redis === 'up');
      return app;
    }

    it('have their values on the replica that did not fetch it', async () => {
      const [first, second] = replicas;
      const bought = await first?.query<Chart>(CHART);
      const nodes = bought?.data?.trendingVideos.nodes ?? [];
      expect(nodes).toHaveLength(20);
      const [video] = nodes;
      const found = await second?.query(LOOKUP, { itemId: video?.itemId });
      expect(found?.data).toEqual({ trendingVideo: video && withComputedFields(video) });
      const read = await second?.query<Chart>(CHART);
      expect(read?.data).toEqual(bought?.data);
      expect(nodes).toEqual(nodes.map((node) => ({ itemId: node.itemId, ...withComputedFields(node) })));
      expect(read?.extensions.upstream.credits).toBe(0);
    });
  });
});
