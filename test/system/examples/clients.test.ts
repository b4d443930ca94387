import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type EmulatedApp, startEmulatedApp } from '../../support/app.ts';
import { range } from '../../support/charts.ts';
import { tapRequests } from '../../support/tapRequests.ts';

const run = promisify(execFile);
const FOLDER = 'examples/clients';
const { PATH = '', HOME = '' } = process.env;

let app: EmulatedApp;

beforeEach(async () => {
  app = await startEmulatedApp();
});

afterEach(() => app.close());

/**
 * Runs an example against the server; returns its output. Fails if it writes to stderr, or if the costs that it prints are not
 * `credits`: by default what upstream sold.
 */
async function runExample(name: string, credits?: number): Promise<string> {
  const address = await app.server.listen({ port: 0, host: '127.0.0.1' });
  const args = ['run', '--silent', '--prefix', path.resolve(FOLDER), name, '--', `${address}/graphql`];
  const { stdout, stderr } = await run('npm', args, { env: { PATH, HOME }, cwd: tmpdir() });
  expect(stderr).toBe('');
  const printed = readCosts(stdout).reduce((sum, each) => sum + each, 0);
  expect(printed).toBe(credits ?? app.emulator.counts.credits);
  app.claimedElsewhere = app.bill.length;
  return stdout;
}

/** What upstream sold: pages, and batches of numbers. */
function readSales(): string[] {
  return app.bill.map(({ page, video_ids: ids = '' }) =>
    page === undefined ? `numbers of ${ids.split(',').length}` : `page ${page}`,
  );
}

/** The credits of each response, in order. */
function readCosts(output: string): number[] {
  return [...output.matchAll(/(\d+) credits/g)].map(([, credits]) => Number(credits));
}

/** Each printed list: its ranks, and whether there is more before and after it. */
function readLists(output: string): { ranks: number[]; before: boolean; after: boolean }[] {
  const lines = output.matchAll(/ranks (.*); more before: (.*), more after: (.*)/g);
  return [...lines].map(([, ranks = '', before, after]) => ({
    ranks: ranks.split(' ').map(Number),
    before: before === 'true',
    after: after === 'true',
  }));
}

function list(from: number, to: number, before = from > 1) {
  return { ranks: range(from, to), before, after: true };
}

/** An output without the numbers on videos: those of the demo data grow every day. */
function withoutNumbers(output: string | undefined): string | undefined {
  return output?.replace(/views: [\d,]+/g, 'views: N');
}

/** The output that the README shows below the command of this example. */
async function readShown(name: string): Promise<string | undefined> {
  const readme = await readFile(`${FOLDER}/README.md`, 'utf8');
  return new RegExp(`${FOLDER} ${name}\n\`\`\`\n\n\`\`\`text\n(.*?)\`\`\``, 's').exec(readme)?.[1];
}

/** Records every request, by GET or by POST. */
function recordRequests() {
  const requests: { method: string; document: unknown; hash: unknown; variables: unknown }[] = [];
  tapRequests(app.server, ({ method, url, body }) => {
    const { searchParams } = new URL(url, 'http://localhost');
    const sent = body ? JSON.parse(body) : parseParts(Object.fromEntries(searchParams));
    const hash = sent.extensions?.persistedQuery.sha256Hash;
    requests.push({ method, document: sent.query, hash, variables: sent.variables });
  });
  return requests;
}

function parseParts({ query, variables = '{}', extensions = '{}' }: Record<string, string>) {
  return { query, variables: JSON.parse(variables), extensions: JSON.parse(extensions) };
}

/** The video at the top of the chart, which is already cached. */
async function readTop() {
  const { data } = await app.query<{
    trendingVideos: { nodes: { id: string; title: string; creator: { handle: string } }[] };
  }>('{ trendingVideos(first: 1) { nodes { id title creator { handle } } } }');
  return data?.trendingVideos.nodes[0];
}

/** The lists of two clients: one pages down from the top, the other from the middle to the top and then down. */
const LISTS = [list(1, 8), list(1, 16), list(17, 24), list(9, 24), list(1, 24), list(1, 32)];
/** A page at ranks 1 and 21, the numbers on ten videos at ranks 1, 11, 21 and 31. */
const COSTS = [3, 1, 3, 0, 0, 1];
const SALES = [
  'page 1',
  ...range(1, 2).map(() => 'numbers of 10'),
  'page 2',
  ...range(1, 2).map(() => 'numbers of 10'),
];
/** The costs when the first request for numbers is refused: no further one is made for a minute. */
const COSTS_WITHOUT_NUMBERS = [3, 0, 2, 0, 0, 0];
/** What is printed of each window then. */
const UNAVAILABLE = /UPSTREAM_FORBIDDEN: 8 videos have no numbers\n/g;

describe('the example for Apollo Client', () => {
  /** Of the only POST: responses to GET say what a copy costs. */
  const POST_CREDITS = 3;

  it('merges windows of both directions into one list without duplicates, and pays for each page once', async () => {
    const output = await runExample('apollo-client', POST_CREDITS);
    expect(readLists(output)).toEqual(LISTS);
    expect(readCosts(output)).toEqual([POST_CREDITS, 0, 0, 0, 0, 0]);
    expect(readSales()).toEqual(SALES);
    expect(withoutNumbers(output)).toBe(withoutNumbers(await readShown('apollo-client')));
  });

  it('has the whole chart when the numbers on its videos are unavailable', async () => {
    app.emulator.switches.analyticsStatus = 403;
    const output = await runExample('apollo-client');
    expect(readLists(output)).toEqual(LISTS);
    expect(readCosts(output).slice(0, 6)).toEqual(COSTS_WITHOUT_NUMBERS);
    expect(output.match(UNAVAILABLE)).toHaveLength(6);
    expect(output.match(/views: unknown\n/g)).toHaveLength(3);
  });

  it('sends its document once, and then only hashes by GET, from another client too', async () => {
    const requests = recordRequests();
    await runExample('apollo-client', POST_CREDITS);
    const hash = expect.stringMatching(/^[0-9a-f]{64}$/);
    const variables = expect.anything();
    const alone = { method: 'GET', document: undefined, hash, variables };
    const whole = { method: 'POST', document: expect.stringContaining('query Chart'), hash, variables };
    expect(requests).toEqual([alone, whole, ...range(1, 5).map(() => alone)]);
    expect(new Set(requests.map((request) => request.hash)).size).toBe(1);
  });

  it('sends only hashes to a server that trusts its document and no other', async () => {
    const requests = recordRequests();
    await runExample('apollo-client', POST_CREDITS);
    const { hash, document } = requests.find((request) => request.document !== undefined) ?? {};
    await app.close();

    const folder = await mkdtemp(path.join(tmpdir(), 'manifest-'));
    const file = path.join(folder, 'manifest.json');
    await writeFile(file, JSON.stringify({ [String(hash)]: document }));
    app = await startEmulatedApp({}, { PERSISTED_DOCUMENTS: file, PERSISTED_DOCUMENTS_ONLY: 'true' });
    await rm(folder, { recursive: true });
    const trusted = recordRequests();
    const output = await runExample('apollo-client', 0);
    expect(readLists(output)).toEqual(LISTS);
    expect(trusted.map(({ method, document }) => [method, document])).toEqual(
      LISTS.map(() => ['GET', undefined]),
    );
  });

  it('has duplicates in its list when startCursor is not the cursor of the first edge', async () => {
    app.server.server.prependListener('request', (request, response) => {
      delete request.headers['accept-encoding'];
      const { writeHead, end } = response;
      const change = (body: string): string =>
        body.replace(/"startCursor":".*?","endCursor":"(.*?)"/, '"startCursor":"$1","endCursor":"$1"');
      Object.assign(response, {
        writeHead: (status: number, headers: string[]) =>
          writeHead.call(response, status, headers.toSpliced(headers.indexOf('content-length'), 2)),
        end: (body: string, encoding: 'latin1') => end.call(response, change(body), encoding),
      });
    });
    const lists = readLists(await runExample('apollo-client', POST_CREDITS));
    expect(lists[3]?.ranks).toEqual([...range(16, 23), ...range(17, 24)]);
  });
});

describe('the example for Relay', () => {
  it('pages in both directions without duplicates, and refetches a video by its id for 0 credits', async () => {
    const requests = recordRequests();
    const output = await runExample('relay');
    const refetches = requests.filter(({ document }) => String(document).includes(' node(id: $id) '));
    const first = await readTop();
    expect(readLists(output)).toEqual([...LISTS, list(1, 32), list(1, 32)]);
    expect(readCosts(output)).toEqual([...COSTS, 0]);
    expect(readSales()).toEqual(SALES);
    expect(refetches.map(({ variables }) => variables)).toEqual([{ id: first?.id, withCreator: true }]);
    expect(output).toMatch(new RegExp(`  ${first?.title} views: [\\d,]+ by ${first?.creator.handle}\n`));
    expect(withoutNumbers(output)).toBe(withoutNumbers(await readShown('relay')));
  });

  it('has the whole chart when the numbers on its videos are unavailable', async () => {
    app.emulator.switches.analyticsStatus = 403;
    const output = await runExample('relay');
    expect(readLists(output)).toEqual([...LISTS, list(1, 32), list(1, 32)]);
    expect(readCosts(output).slice(0, 6)).toEqual(COSTS_WITHOUT_NUMBERS);
    expect(output.match(UNAVAILABLE)).toHaveLength(6);
    expect(output.match(/views: unknown\n/g)).toHaveLength(3);
  });

  it('is compiled from the current schema', async () => {
    const args = ['--validate', '--output', 'quiet-with-errors'];
    const { stderr } = await run('node_modules/.bin/relay-compiler', args, { cwd: FOLDER, env: { PATH } });
    expect(stderr).toBe('');
  });
});

describe('the example for urql', () => {
  // For a window requested with `after`, it reports no previous page until it has paged backwards.
  const lists = [...LISTS.slice(0, 2), list(17, 24, false), ...LISTS.slice(3), list(1, 32)];

  it('merges windows of both directions into one list, and reads from it', async () => {
    const output = await runExample('urql');
    expect(readLists(output)).toEqual(lists);
    expect(readCosts(output)).toEqual(COSTS);
    expect(output.match(/from the cache/g)).toHaveLength(1);
    expect(readSales()).toEqual(SALES);
    expect(withoutNumbers(output)).toBe(withoutNumbers(await readShown('urql')));
  });

  it('has the whole chart when the numbers on its videos are unavailable', async () => {
    app.emulator.switches.analyticsStatus = 403;
    const output = await runExample('urql');
    expect(readLists(output)).toEqual(lists);
    expect(readCosts(output).slice(0, 6)).toEqual(COSTS_WITHOUT_NUMBERS);
    expect(output.match(UNAVAILABLE)).toHaveLength(6);
    expect(output.match(/views: unknown\n/g)).toHaveLength(3);
  });
});

describe('the example for fetch', () => {
  it('gets responses with both media types, with partial data if a field fails', async () => {
    const output = await runExample('fetch');
    const responses = [...output.matchAll(/HTTP (\d+), (.*);/g)].map(([, status, type]) => [status, type]);
    const types = ['application/graphql-response+json', 'application/json'];
    const succeeded = types.map((type) => ['200', type]);
    const refused = types.map((type, index) => [index === 0 ? '400' : '200', type]);
    expect(responses).toEqual([...succeeded, ...succeeded, ...succeeded, ...refused]);
    expect(output.match(/us 500\. .*\n +zz is null\n +BAD_USER_INPUT at zz: /g)).toHaveLength(2);
    expect(output.match(/GRAPHQL_VALIDATION_FAILED: /g)).toHaveLength(2);
    expect(readCosts(output)).toEqual([2, 0, 1, 0, 2, 0, 0, 0]);
    expect(readSales()).toEqual(['page 1', 'numbers of 10', 'page 25']);
    expect(withoutNumbers(output)).toBe(withoutNumbers(await readShown('fetch')));
  });

  it('has the titles, and one error, when the numbers on the videos are unavailable', async () => {
    app.emulator.switches.analyticsStatus = 403;
    const output = await runExample('fetch');
    expect(output.match(/, views: unknown\n/g)).toHaveLength(6);
    expect(
      output.match(
        /UPSTREAM_FORBIDDEN at trendingVideos\.edges\.0\.node\.stats: .*\n.*\n +videos without numbers: 3\n/g,
      ),
    ).toHaveLength(2);
  });
});
