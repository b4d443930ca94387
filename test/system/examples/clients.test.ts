import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type EmulatedApp, startEmulatedApp } from '../../support/app.ts';
import { range } from '../../support/charts.ts';

const run = promisify(execFile);
const FOLDER = 'examples/clients';
const { PATH = '', HOME = '' } = process.env;

let app: EmulatedApp;

beforeEach(async () => {
  app = await startEmulatedApp();
});

afterEach(() => app.close());

/** Runs an example against the server; gives what it prints, which is nothing on stderr. */
async function runExample(name: string): Promise<string> {
  const address = await app.server.listen({ port: 0, host: '127.0.0.1' });
  const args = ['run', '--silent', '--prefix', path.resolve(FOLDER), name, '--', `${address}/graphql`];
  const { stdout, stderr } = await run('npm', args, { env: { PATH, HOME }, cwd: tmpdir() });
  expect(stderr).toBe('');
  // What upstream got must be what the example says that it cost.
  app.claimedElsewhere = readCosts(stdout).reduce((sum, credits) => sum + credits, 0) / 2;
  return stdout;
}

/** The credits of each answer, in order. */
function readCosts(output: string): number[] {
  return [...output.matchAll(/(\d+) credits/g)].map(([, credits]) => Number(credits));
}

/** The ranks of the list that the client has, each time that it tells them, and whether there is more. */
function readLists(output: string): { ranks: number[]; before: boolean; behind: boolean }[] {
  const lines = output.matchAll(/ranks (.*); more before: (.*), more behind: (.*)/g);
  return [...lines].map(([, ranks = '', before, behind]) => ({
    ranks: ranks.split(' ').map(Number),
    before: before === 'true',
    behind: behind === 'true',
  }));
}

function list(from: number, to: number, before = from > 1) {
  return { ranks: range(from, to), before, behind: true };
}

/** The output that the README shows below the command of this example. */
async function readShown(name: string): Promise<string | undefined> {
  const readme = await readFile(`${FOLDER}/README.md`, 'utf8');
  return new RegExp(`${FOLDER} ${name}\n\`\`\`\n\n\`\`\`text\n(.*?)\`\`\``, 's').exec(readme)?.[1];
}

/** What every request asks for, whether by GET or by POST. */
function recordRequests() {
  const requests: { method: string; document: unknown; hash: unknown; variables: unknown }[] = [];
  app.server.addHook<{ Querystring: Record<string, string> }>('preHandler', async (request) => {
    const { method, query, body } = request;
    const sent = body instanceof Buffer ? JSON.parse(body.toString()) : parseParts(query);
    const hash = sent.extensions?.persistedQuery.sha256Hash;
    requests.push({ method, document: sent.query, hash, variables: sent.variables });
  });
  return requests;
}

function parseParts({ query, variables = '{}', extensions = '{}' }: Record<string, string>) {
  return { query, variables: JSON.parse(variables), extensions: JSON.parse(extensions) };
}

/** The video at the top of the chart, once that is paid for. */
async function readTop() {
  const { data } = await app.query<{
    trendingVideos: { nodes: { id: string; title: string; creator: { handle: string } }[] };
  }>('{ trendingVideos(first: 1) { nodes { id title creator { handle } } } }');
  return data?.trendingVideos.nodes[0];
}

/** What the windows of two clients come to: down from the top; from the middle to the top, and down. */
const LISTS = [list(1, 8), list(1, 16), list(17, 24), list(9, 24), list(1, 24), list(1, 32)];
/** The top 20 are bought with the first window, the next 20 with the first that goes beyond them. */
const COSTS = [2, 0, 2, 0, 0, 0];
const BOUGHT = [1, 2];

describe('the example for Apollo Client', () => {
  it('merges windows of both directions into one list without a repeat, at the cost of their pages', async () => {
    const output = await runExample('apollo-client');
    expect(readLists(output)).toEqual(LISTS);
    expect(readCosts(output)).toEqual(COSTS);
    expect(app.pagesBought()).toEqual(BOUGHT);
    expect(output).toBe(await readShown('apollo-client'));
  });

  it('sends its document once, and hashes by GET from then on, also from another client', async () => {
    const requests = recordRequests();
    await runExample('apollo-client');
    const hash = expect.stringMatching(/^[0-9a-f]{64}$/);
    const variables = expect.anything();
    const alone = { method: 'GET', document: undefined, hash, variables };
    const whole = { method: 'POST', document: expect.stringContaining('query Chart'), hash, variables };
    expect(requests).toEqual([alone, whole, ...range(1, 5).map(() => alone)]);
    expect(new Set(requests.map((request) => request.hash)).size).toBe(1);
  });

  it('sends hashes alone to a server that trusts its document, and no other', async () => {
    const requests = recordRequests();
    await runExample('apollo-client');
    const { hash, document } = requests.find((request) => request.document !== undefined) ?? {};
    await app.close();

    const folder = await mkdtemp(path.join(tmpdir(), 'manifest-'));
    const file = path.join(folder, 'manifest.json');
    await writeFile(file, JSON.stringify({ [String(hash)]: document }));
    app = await startEmulatedApp({}, { PERSISTED_DOCUMENTS: file, PERSISTED_DOCUMENTS_ONLY: 'true' });
    await rm(folder, { recursive: true });
    const trusted = recordRequests();
    const output = await runExample('apollo-client');
    expect(readLists(output)).toEqual(LISTS);
    expect(trusted.map(({ method, document }) => [method, document])).toEqual(
      LISTS.map(() => ['GET', undefined]),
    );
  });

  it('has repeats in its list where a startCursor is not that of the first edge', async () => {
    app.server.addHook('onRequest', async ({ headers }) => void delete headers['accept-encoding']);
    app.server.addHook('onSend', async (_request, reply, payload) => {
      reply.removeHeader('content-length');
      return String(payload).replace(
        /"startCursor":".*?","endCursor":"(.*?)"/,
        '"startCursor":"$1","endCursor":"$1"',
      );
    });
    const lists = readLists(await runExample('apollo-client'));
    expect(lists[3]?.ranks).toEqual([...range(16, 23), ...range(17, 24)]);
  });
});

describe('the example for Relay', () => {
  it('pages both ways without a repeat, and fetches a video again by its id for nothing', async () => {
    const requests = recordRequests();
    const output = await runExample('relay');
    const refetches = requests.filter(({ document }) => String(document).includes(' node(id: $id) '));
    const first = await readTop();
    expect(readLists(output)).toEqual([...LISTS, list(1, 32), list(1, 32)]);
    expect(readCosts(output)).toEqual([...COSTS, 0]);
    expect(app.pagesBought()).toEqual(BOUGHT);
    expect(refetches.map(({ variables }) => variables)).toEqual([{ id: first?.id, withCreator: true }]);
    expect(output).toContain(`  ${first?.title} by ${first?.creator.handle}\n`);
    expect(output).toBe(await readShown('relay'));
  });

  it('is compiled from the schema as it is', async () => {
    const args = ['--validate', '--output', 'quiet-with-errors'];
    const { stderr } = await run('node_modules/.bin/relay-compiler', args, { cwd: FOLDER, env: { PATH } });
    expect(stderr).toBe('');
  });
});

describe('the example for urql', () => {
  it('merges windows of both directions into one list, and answers from it', async () => {
    const output = await runExample('urql');
    // It takes a window that it was led to by `after` for the top, until it has paged backwards.
    const lists = [...LISTS.slice(0, 2), list(17, 24, false), ...LISTS.slice(3), list(1, 32)];
    expect(readLists(output)).toEqual(lists);
    expect(readCosts(output)).toEqual(COSTS);
    expect(output.match(/from the cache/g)).toHaveLength(1);
    expect(app.pagesBought()).toEqual(BOUGHT);
    expect(output).toBe(await readShown('urql'));
  });
});

describe('the example for fetch', () => {
  it('is answered under both media types, in part where a part fails', async () => {
    const output = await runExample('fetch');
    const answers = [...output.matchAll(/HTTP (\d+), (.*);/g)].map(([, status, type]) => [status, type]);
    const types = ['application/graphql-response+json', 'application/json'];
    const answered = types.map((type) => ['200', type]);
    const refused = types.map((type, index) => [index === 0 ? '400' : '200', type]);
    expect(answers).toEqual([...answered, ...answered, ...refused]);
    expect(output.match(/us 500\. .*\n +zz is null\n +BAD_USER_INPUT at zz: /g)).toHaveLength(2);
    expect(output.match(/GRAPHQL_VALIDATION_FAILED: /g)).toHaveLength(2);
    expect(readCosts(output)).toEqual([2, 0, 2, 0, 0, 0]);
    expect(app.pagesBought()).toEqual([1, 25]);
    expect(output).toBe(await readShown('fetch'));
  });
});
