import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Block, findBlocks } from '../../support/examples.ts';
import { postQuery } from '../support/program.ts';
import {
  type Api,
  FOLDER,
  startApi,
  startScript,
  startWiderGraph,
  type WiderGraph,
} from '../support/widerGraph.ts';

let api: Api;
let graph: WiderGraph;
/** The expected videos of the 50 latest reviews; a null title means that the video is unknown. */
let reviewed: { itemId: string; title: string | null }[];

beforeAll(async () => {
  api = await startApi();
  graph = await startWiderGraph(api.url);
  const reviews: { itemId: string }[] = JSON.parse(await readFile(`${FOLDER}/reviews/reviews.json`, 'utf8'));
  reviewed = reviews.slice(0, 50).map(({ itemId }) => ({ itemId, title: api.titles.get(itemId) ?? null }));
});

beforeEach(() => {
  api.takeRequests();
});

afterAll(async () => {
  await graph?.close();
  await api?.app.close();
});

/** A nullable field of the videos of the first 3 reviews. The API does not know the last one. */
const NULLABLE_FIELDS = '{ latestReviews(first: 3) { video { itemId region } } }';
const NULLABLE_RESULT = {
  data: {
    latestReviews: [
      { video: { itemId: '7933310081972815260', region: 'United States' } },
      { video: { itemId: '7310871003254096742', region: 'United States' } },
      { video: { itemId: '7000000000000000001', region: null } },
    ],
  },
};

const send = (port: string, query: string): Promise<unknown> => postQuery(graph.urls[port] ?? '', query);

describe.each([
  ["Apollo's gateway", '4100'],
  ['the Hive Gateway', '4200'],
])('through %s', (_name, port) => {
  it('50 references are resolved in one request, in order, null for an unknown video, for 0 credits', async () => {
    const result = await send(port, '{ latestReviews(first: 50) { video { itemId title } } }');
    const videos = reviewed.map((video) => ({ video: video.title === null ? null : video }));
    expect(videos.filter(({ video }) => video === null)).toHaveLength(1);
    expect(result).toMatchObject({ data: { latestReviews: videos } });
    const references = reviewed.map(({ itemId }) => ({ __typename: 'TrendingVideo', itemId }));
    expect(api.takeRequests()).toEqual([
      expect.objectContaining({
        query: expect.stringContaining('_entities'),
        variables: { representations: references },
      }),
    ]);
    expect(api.app.bill).toHaveLength(3);
  });

  it('a chart has the reviews of its videos', async () => {
    const result = await send(port, '{ trendingVideos(first: 2) { nodes { itemId reviews { id } } } }');
    const nodes = reviewed.slice(0, 2).map(({ itemId }, index) => ({
      itemId,
      reviews: [{ id: `review-${index + 1}` }],
    }));
    expect(result).toEqual({ data: { trendingVideos: { nodes } } });
    expect(api.takeRequests()).toHaveLength(1);
  });

  it('references by global id are resolved in one request, and their reviews through it', async () => {
    const result = await send(port, '{ collections { nodes { videos { title reviews { id } } } } }');
    const [first, last] = [reviewed[0], reviewed[23]].map((video) => video?.title);
    const videos = [
      { title: first, reviews: [{ id: 'review-1' }] },
      { title: last, reviews: [{ id: 'review-24' }] },
    ];
    expect(result).toEqual({ data: { collections: { nodes: [{ videos }] } } });
    expect(api.takeRequests()).toHaveLength(1);
  });

  it('a key alone is resolved without a request to the API', async () => {
    expect(await send(port, '{ latestReviews(first: 3) { video { itemId } } }')).toEqual({
      data: { latestReviews: reviewed.slice(0, 3).map(({ itemId }) => ({ video: { itemId } })) },
    });
    expect(api.takeRequests()).toEqual([]);
  });

  it('an unknown video has its key, and null in nullable fields', async () => {
    expect(await send(port, NULLABLE_FIELDS)).toEqual(NULLABLE_RESULT);
    expect(api.takeRequests()).toHaveLength(1);
  });
});

describe('through the stitched schema', () => {
  it('50 references are resolved in one request, in order, null for an unknown video, for 0 credits', async () => {
    const result = await send('4300', '{ latestReviews(first: 50) { video { itemId title } } }');
    const videos = reviewed.map((video) => ({ video: video.title === null ? null : video }));
    expect(result).toMatchObject({ data: { latestReviews: videos } });
    const [request, ...others] = api.takeRequests();
    expect(others).toEqual([]);
    expect(request?.query.match(/trendingVideosByItemId/g)).toHaveLength(1);
    expect(Object.values(request?.variables ?? {})).toEqual([reviewed.map(({ itemId }) => itemId)]);
    expect(api.app.bill).toHaveLength(3);
  });

  it('a chart has the reviews of its videos', async () => {
    const result = await send('4300', '{ trendingVideos(first: 2) { nodes { itemId reviews { id } } } }');
    const nodes = reviewed.slice(0, 2).map(({ itemId }, index) => ({
      itemId,
      reviews: [{ id: `review-${index + 1}` }],
    }));
    expect(result).toEqual({ data: { trendingVideos: { nodes } } });
    expect(api.takeRequests()).toHaveLength(1);
  });

  it('an unknown video has its key, and null in nullable fields', async () => {
    expect(await send('4300', NULLABLE_FIELDS)).toEqual(NULLABLE_RESULT);
    expect(api.takeRequests()).toHaveLength(1);
  });

  it('an unknown video does not make others null, whichever schema is queried', async () => {
    const ids = `["${reviewed[0]?.itemId}", "7000000000000000001"]`;
    const result = await send(
      '4300',
      `{ videosByItemId(itemIds: ${ids}) { title } trendingVideosByItemId(itemIds: ${ids}) { title } }`,
    );
    const videos = [{ title: reviewed[0]?.title }, null];
    expect(result).toMatchObject({ data: { videosByItemId: videos, trendingVideosByItemId: videos } });
  });
});

describe('docs/wider-graph.md', () => {
  let blocks: Block[];
  beforeAll(async () => {
    blocks = findBlocks(await readFile('docs/wider-graph.md', 'utf8'));
  });

  it('shows the same code as the files that it links to', async () => {
    const shown = blocks.filter(({ file }) => file !== undefined);
    expect(shown).toHaveLength(10);
    for (const { file = '', text } of shown)
      expect([file, await readFile(file, 'utf8')]).toEqual([file, expect.stringContaining(text)]);
  });

  it('shows the same command for the Hive Gateway as the package', async () => {
    const command = blocks.find(({ heading, language }) => heading.includes('Hive') && language === 'sh');
    const { scripts } = JSON.parse(await readFile(`${FOLDER}/package.json`, 'utf8'));
    const withDefaults = scripts['gateway:hive'].replace(/"\$\{\w+:-(.*?)\}"/g, '$1');
    expect(withDefaults).toBe(`exec ${command?.text.trim()}`);
  });

  it('shows the results of the gateways', async () => {
    const examples = findExamples(blocks);
    expect(examples).toHaveLength(6);
    for (const { heading, query, result } of examples) {
      for (const port of portsOf(heading))
        expect([heading, port, await send(port, query)]).toEqual([heading, port, result]);
    }
  });
});

describe(`${FOLDER}/README.md`, () => {
  it('shows the results of the gateways', async () => {
    const blocks = findBlocks(await readFile(`${FOLDER}/README.md`, 'utf8'));
    const examples = findExamples(blocks).map(({ query, result }) => {
      const [, port = '', body = ''] = /curl -s localhost:(\d+).* -d '(.*)'$/m.exec(query) ?? [];
      return { port, query: JSON.parse(body).query, result };
    });
    expect(examples.map(({ port }) => port)).toEqual(['4100', '4200', '4300']);
    for (const { port, query, result } of examples)
      expect([port, await send(port, query)]).toEqual([port, result]);
  });
});

it('returns the published SDL, even if introspection is off', async () => {
  const response = await api.post('{ _service { sdl } }');
  const sdl = await readFile('schema/subgraph.graphql', 'utf8');
  expect(await response.json()).toMatchObject({ data: { _service: { sdl } } });
});

it('makes references cacheable only if all of them are known', async () => {
  const query =
    'query ($of: [_Any!]!) { _entities(representations: $of) { ... on TrendingVideo { title } } }';
  const [known, , unknown] = reviewed.map(({ itemId }) => ({ __typename: 'TrendingVideo', itemId }));
  const cacheControl = async (...of: unknown[]) =>
    (await api.post(query, { of })).headers.get('cache-control');
  expect(await cacheControl(known)).toMatch(/^private, max-age=\d+/);
  expect(await cacheControl(known, unknown)).toBe('no-store');
});

it('stops everything that it has started on SIGTERM', async () => {
  const script = startScript('stitching', { PORT: '0', TRENDING_VIDEOS_URL: api.url });
  const urls = await Promise.all([script.see(/Reviews at (\S+)/), script.see(/Stitched schema at (\S+)/)]);
  script.child.kill('SIGTERM');
  await script.exit;
  for (const [, url = ''] of urls) await expect(fetch(url)).rejects.toThrow('fetch failed');
});

it('stops on SIGTERM, with nothing on stderr except errors of the Hive Gateway about the unknown video', async () => {
  const ends = await graph.close();
  const unknownVideo =
    /^\S+ ERR \n {2}message: "Cannot return null for non-nullable field TrendingVideo.title."\n(?: .*\n|\n)+/gm;
  const seen = graph.scripts.map(({ name, complaints }, index) => [
    name,
    ends[index],
    name === 'gateway:hive' ? complaints().replace(unknownVideo, '') : complaints(),
  ]);
  expect(seen).toEqual([
    ['reviews', 'SIGTERM', ''],
    ['collections', 'SIGTERM', ''],
    ['reviews:plain', 'SIGTERM', ''],
    ['compose', 0, ''],
    ['gateway:apollo', 'SIGTERM', ''],
    ['gateway:hive', 0, ''],
    ['gateway:stitched', 'SIGTERM', ''],
  ]);
});

/** The ports of the gateways that a section is about. */
function portsOf(heading: string): string[] {
  if (heading.includes("Apollo's gateway")) return ['4100'];
  if (heading.includes('Hive Gateway')) return ['4200'];
  return heading.includes('Stitch') ? ['4300'] : ['4100', '4200'];
}

/** The blocks that are followed by a block of JSON: a query and its result. */
function findExamples(blocks: readonly Block[]) {
  return blocks.flatMap(({ heading, text }, index) => {
    const next = blocks[index + 1];
    return next?.language === 'json' ? [{ heading, query: text, result: JSON.parse(next.text) }] : [];
  });
}
