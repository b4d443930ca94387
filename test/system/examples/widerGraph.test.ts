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
/** The videos of the 50 latest reviews as they are to be found: null where nobody knows one. */
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

/** The API's own fields of the videos of the first 3 reviews, of which it does not know the last. */
const NULLABLE_FIELDS = '{ latestReviews(first: 3) { video { itemId region } } }';
const NULLABLE_ANSWER = {
  data: {
    latestReviews: [
      { video: { itemId: '7933310081972815260', region: 'United States' } },
      { video: { itemId: '7310871003254096742', region: 'United States' } },
      { video: { itemId: '7000000000000000001', region: null } },
    ],
  },
};

const ask = (port: string, query: string): Promise<unknown> => postQuery(graph.urls[port] ?? '', query);

describe.each([
  ["Apollo's gateway", '4100'],
  ['the Hive Gateway', '4200'],
])('through %s', (_name, port) => {
  it('50 references are found in one request, in order, null where the video is unknown, for no credits', async () => {
    const answer = await ask(port, '{ latestReviews(first: 50) { video { itemId title } } }');
    const videos = reviewed.map((video) => ({ video: video.title === null ? null : video }));
    expect(videos.filter(({ video }) => video === null)).toHaveLength(1);
    expect(answer).toMatchObject({ data: { latestReviews: videos } });
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
    const answer = await ask(port, '{ trendingVideos(first: 2) { nodes { itemId reviews { id } } } }');
    const nodes = reviewed.slice(0, 2).map(({ itemId }, index) => ({
      itemId,
      reviews: [{ id: `review-${index + 1}` }],
    }));
    expect(answer).toEqual({ data: { trendingVideos: { nodes } } });
    expect(api.takeRequests()).toHaveLength(1);
  });

  it('references by global id are found in one request, and their reviews by way of it', async () => {
    const answer = await ask(port, '{ collections { nodes { videos { title reviews { id } } } } }');
    const [first, last] = [reviewed[0], reviewed[23]].map((video) => video?.title);
    const videos = [
      { title: first, reviews: [{ id: 'review-1' }] },
      { title: last, reviews: [{ id: 'review-24' }] },
    ];
    expect(answer).toEqual({ data: { collections: { nodes: [{ videos }] } } });
    expect(api.takeRequests()).toHaveLength(1);
  });

  it('a key is answered by whoever refers by it', async () => {
    expect(await ask(port, '{ latestReviews(first: 3) { video { itemId } } }')).toEqual({
      data: { latestReviews: reviewed.slice(0, 3).map(({ itemId }) => ({ video: { itemId } })) },
    });
    expect(api.takeRequests()).toEqual([]);
  });

  it('a video that is unknown has its key, and null in the fields that may be', async () => {
    expect(await ask(port, NULLABLE_FIELDS)).toEqual(NULLABLE_ANSWER);
    expect(api.takeRequests()).toHaveLength(1);
  });
});

describe('through the stitched schema', () => {
  it('50 references are found in one request, in order, null where the video is unknown, for no credits', async () => {
    const answer = await ask('4300', '{ latestReviews(first: 50) { video { itemId title } } }');
    const videos = reviewed.map((video) => ({ video: video.title === null ? null : video }));
    expect(answer).toMatchObject({ data: { latestReviews: videos } });
    const [request, ...others] = api.takeRequests();
    expect(others).toEqual([]);
    expect(request?.query.match(/trendingVideosByItemId/g)).toHaveLength(1);
    expect(Object.values(request?.variables ?? {})).toEqual([reviewed.map(({ itemId }) => itemId)]);
    expect(api.app.bill).toHaveLength(3);
  });

  it('a chart has the reviews of its videos', async () => {
    const answer = await ask('4300', '{ trendingVideos(first: 2) { nodes { itemId reviews { id } } } }');
    const nodes = reviewed.slice(0, 2).map(({ itemId }, index) => ({
      itemId,
      reviews: [{ id: `review-${index + 1}` }],
    }));
    expect(answer).toEqual({ data: { trendingVideos: { nodes } } });
    expect(api.takeRequests()).toHaveLength(1);
  });

  it('a video that is unknown has its key, and null in the fields that may be', async () => {
    expect(await ask('4300', NULLABLE_FIELDS)).toEqual(NULLABLE_ANSWER);
    expect(api.takeRequests()).toHaveLength(1);
  });

  it('a video that is unknown takes no other with it, whichever schema is asked for it', async () => {
    const ids = `["${reviewed[0]?.itemId}", "7000000000000000001"]`;
    const answer = await ask(
      '4300',
      `{ videosByItemId(itemIds: ${ids}) { title } trendingVideosByItemId(itemIds: ${ids}) { title } }`,
    );
    const videos = [{ title: reviewed[0]?.title }, null];
    expect(answer).toMatchObject({ data: { videosByItemId: videos, trendingVideosByItemId: videos } });
  });
});

describe('docs/wider-graph.md', () => {
  let blocks: Block[];
  beforeAll(async () => {
    blocks = findBlocks(await readFile('docs/wider-graph.md', 'utf8'));
  });

  it('shows code as it stands in the files that it names', async () => {
    const shown = blocks.filter(({ file }) => file !== undefined);
    expect(shown).toHaveLength(10);
    for (const { file = '', text } of shown)
      expect([file, await readFile(file, 'utf8')]).toEqual([file, expect.stringContaining(text)]);
  });

  it('shows the command of the Hive Gateway as the package has it', async () => {
    const command = blocks.find(({ heading, language }) => heading.includes('Hive') && language === 'sh');
    const { scripts } = JSON.parse(await readFile(`${FOLDER}/package.json`, 'utf8'));
    const withDefaults = scripts['gateway:hive'].replace(/"\$\{\w+:-(.*?)\}"/g, '$1');
    expect(withDefaults).toBe(`exec ${command?.text.trim()}`);
  });

  it('shows answers as the gateways give them', async () => {
    const examples = findExamples(blocks);
    expect(examples).toHaveLength(6);
    for (const { heading, query, answer } of examples) {
      for (const port of portsOf(heading))
        expect([heading, port, await ask(port, query)]).toEqual([heading, port, answer]);
    }
  });
});

describe(`${FOLDER}/README.md`, () => {
  it('shows answers as the gateways give them', async () => {
    const blocks = findBlocks(await readFile(`${FOLDER}/README.md`, 'utf8'));
    const examples = findExamples(blocks).map(({ query, answer }) => {
      const [, port = '', body = ''] = /curl -s localhost:(\d+).* -d '(.*)'$/m.exec(query) ?? [];
      return { port, query: JSON.parse(body).query, answer };
    });
    expect(examples.map(({ port }) => port)).toEqual(['4100', '4200', '4300']);
    for (const { port, query, answer } of examples)
      expect([port, await ask(port, query)]).toEqual([port, answer]);
  });
});

it('gives the text that is published, also where introspection is off', async () => {
  const response = await api.post('{ _service { sdl } }');
  const sdl = await readFile('schema/subgraph.graphql', 'utf8');
  expect(await response.json()).toMatchObject({ data: { _service: { sdl } } });
});

it('lets references be cached for as long as all of them are known', async () => {
  const query =
    'query ($of: [_Any!]!) { _entities(representations: $of) { ... on TrendingVideo { title } } }';
  const [known, , unknown] = reviewed.map(({ itemId }) => ({ __typename: 'TrendingVideo', itemId }));
  const cacheControl = async (...of: unknown[]) =>
    (await api.post(query, { of })).headers.get('cache-control');
  expect(await cacheControl(known)).toMatch(/^private, max-age=\d+/);
  expect(await cacheControl(known, unknown)).toBe('no-store');
});

it('ends all that it has started when it is told to', async () => {
  const script = startScript('stitching', { PORT: '0', TRENDING_VIDEOS_URL: api.url });
  const urls = await Promise.all([script.see(/Reviews at (\S+)/), script.see(/Stitched schema at (\S+)/)]);
  script.child.kill('SIGTERM');
  await script.exit;
  for (const [, url = ''] of urls) await expect(fetch(url)).rejects.toThrow('fetch failed');
});

it('ends when it is told to; nobody complained, but the Hive Gateway of the video that is unknown', async () => {
  const ends = await graph.close();
  const ofUnknown =
    /^\S+ ERR \n {2}message: "Cannot return null for non-nullable field TrendingVideo.title."\n(?: .*\n|\n)+/gm;
  const seen = graph.scripts.map(({ name, complaints }, index) => [
    name,
    ends[index],
    name === 'gateway:hive' ? complaints().replace(ofUnknown, '') : complaints(),
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

/** What each section of the page is shown with. */
function portsOf(heading: string): string[] {
  if (heading.includes("Apollo's gateway")) return ['4100'];
  if (heading.includes('Hive Gateway')) return ['4200'];
  return heading.includes('Stitch') ? ['4300'] : ['4100', '4200'];
}

/** What is asked in a block of its own, with the answer in the block behind it. */
function findExamples(blocks: readonly Block[]) {
  return blocks.flatMap(({ heading, text }, index) => {
    const answer = blocks[index + 1];
    return answer?.language === 'json' ? [{ heading, query: text, answer: JSON.parse(answer.text) }] : [];
  });
}
