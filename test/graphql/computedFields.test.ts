import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { createEmulator, type Emulator } from '../../src/keyapi/emulator/emulator.ts';
import { UNMOVED_DAY } from '../../src/keyapi/emulator/scores.ts';
import { describeEachExecution, startApp, type TestApp, TOKEN } from '../support/app.ts';
import {
  addComputedFields,
  type ComputedVideo,
  VIDEO_FIELDS,
  withComputedFields,
} from '../support/computedFields.ts';

interface Chart {
  readonly trendingVideos: { readonly nodes: readonly ComputedVideo[]; readonly edges: readonly object[] };
}

interface Ids {
  readonly trendingVideos: { readonly nodes: readonly { readonly id: string; readonly itemId: string }[] };
}

const CHART = `{ trendingVideos(first: 25) { nodes { ${VIDEO_FIELDS} } edges { rank label node { ${VIDEO_FIELDS} } } } }`;
const LOOKUPS = `query ($id: ID!, $ids: [ID!]!, $itemId: ID!, $itemIds: [ID!]!, $references: [_Any!]!) {
  trendingVideo(itemId: $itemId) { ...V }
  trendingVideosByItemId(itemIds: $itemIds) { ...V }
  node(id: $id) { ...V }
  nodes(ids: $ids) { ...V }
  _entities(representations: $references) { ...V }
}
fragment V on TrendingVideo { ${VIDEO_FIELDS} }`;

addComputedFields();

describeEachExecution(() => {
  let emulator: Emulator;
  let url: URL;
  let app: TestApp;

  beforeEach(async () => {
    emulator = createEmulator({ token: TOKEN, date: UNMOVED_DAY });
    url = await emulator.listen();
    app = await startApp(url, { SUBGRAPH: 'true' });
  });

  afterEach(async () => {
    await app.close();
    await emulator.close();
  });

  /** Checks the computed fields of a window; returns what it cost. */
  async function readChart({ query }: TestApp = app): Promise<number> {
    const { data, errors, extensions } = await query<Chart>(CHART);
    expect(errors).toBeUndefined();
    const { nodes = [], edges = [] } = data?.trendingVideos ?? {};
    expect(nodes).toHaveLength(25);
    expect(nodes).toEqual(nodes.map(withComputedFields));
    expect(edges).toEqual(
      nodes.map((node, index) => ({ rank: index + 1, label: `${index + 1}. ${node.title}`, node })),
    );
    return extensions.upstream.credits;
  }

  it('has its value on a chart, however often the operation is executed', async () => {
    for (let time = 0; time < 4; time++) await readChart();
  });

  it('has its value wherever a video is looked up', async () => {
    const { data } = await app.query<Ids>('{ trendingVideos(first: 2) { nodes { id itemId } } }');
    const [first, second] = data?.trendingVideos.nodes ?? [];
    const variables = {
      itemId: first?.itemId,
      itemIds: [first?.itemId, second?.itemId],
      id: first?.id,
      ids: [first?.id, second?.id],
      references: [{ __typename: 'TrendingVideo', itemId: first?.itemId }],
    };
    for (let time = 0; time < 4; time++) {
      const found = await app.query<Record<string, ComputedVideo | ComputedVideo[]>>(LOOKUPS, variables);
      expect(found.errors).toBeUndefined();
      const videos = Object.values(found.data ?? {}).flat();
      expect(videos).toHaveLength(7);
      expect(videos).toEqual(videos.map(withComputedFields));
    }
  });

  it('has its value after a restart with a cache file', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'computed-fields-'));
    const variables = { CACHE_FILE: path.join(folder, 'pages.json') };
    try {
      const before = await startApp(url, variables);
      expect(await readChart(before)).toBeGreaterThan(0);
      await before.close();
      const after = await startApp(url, variables);
      expect(await readChart(after)).toBe(0);
      await after.close();
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('has its value on a connection, without the fields that it is computed from', async () => {
    for (let time = 0; time < 2; time++) {
      const { data } = await app.query('{ trendingVideos(first: 3) { summary } }');
      expect(data).toEqual({ trendingVideos: { summary: '3 of 500' } });
    }
  });

  it('is absent with the numbers that it would be computed from, when they are unavailable', async () => {
    emulator.switches.analyticsStatus = 403;
    const { data, errors } = await app.query(
      '{ trendingVideos(first: 2) { nodes { durationText stats { viewsText } } } }',
    );
    expect(errors).toHaveLength(1);
    const node = { durationText: expect.any(String), stats: null };
    expect(data).toEqual({ trendingVideos: { nodes: [node, node] } });
  });
});
