import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from '@jest/globals';
import { type Answer, type EmulatedApp, startEmulatedApp } from '../../support/app.ts';
import { findFreePort } from '../../support/freePort.ts';
import { type Program, startProgram } from './program.ts';

/** The package with the examples. */
export const FOLDER = 'examples/wider-graph';
const KEY = 'key-of-the-gateways';

/** What came to the API in a POST. */
export interface GraphqlRequest {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
}

/** The API as gateways see it in production. It holds the demo data's US chart down to rank 60. */
export interface Api {
  /** Of its endpoint, where it asks for an API key. */
  readonly url: string;
  /** Sends an operation with the key, past the gateways; gives the response. */
  readonly post: (query: string, variables?: Record<string, unknown>) => Promise<Response>;
  /** The videos that it holds: title by `itemId`. */
  readonly titles: ReadonlyMap<string, string>;
  /** The operations that it was asked since this was called before. */
  readonly takeRequests: () => GraphqlRequest[];
  readonly app: EmulatedApp;
}

interface Chart {
  readonly trendingVideos: { readonly nodes: readonly { readonly itemId: string; readonly title: string }[] };
}

/** Starts the API on a port of its own. */
export async function startApi(): Promise<Api> {
  const app = await startEmulatedApp({}, { API_KEYS: `gateways:${KEY}`, INTROSPECTION: 'false' });
  const requests: GraphqlRequest[] = [];
  app.server.addHook('preHandler', async ({ body }) => {
    requests.push(JSON.parse(String(body)));
  });
  const takeRequests = (): GraphqlRequest[] => requests.splice(0);
  const url = `${await app.server.listen({ host: '127.0.0.1', port: 0 })}/graphql`;
  const post = (query: string, variables?: Record<string, unknown>): Promise<Response> =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': KEY },
      body: JSON.stringify({ query, variables }),
    });
  const response = await post('{ trendingVideos(first: 60) { nodes { itemId title } } }');
  const { data, extensions } = (await response.json()) as Answer<Chart>;
  app.claimedElsewhere = extensions.upstream.requests;
  takeRequests();
  const titles = new Map(data?.trendingVideos.nodes.map(({ itemId, title }) => [itemId, title]));
  return { url, post, titles, takeRequests, app };
}

/** A script of the examples' package.json that is running. */
export interface Script extends Program {
  readonly name: string;
  /** What it wrote to standard error. */
  readonly complaints: () => string;
}

/** Runs a script of the examples' package.json with these variables. */
export function startScript(name: string, variables: Record<string, string>): Script {
  const program = startProgram(
    ['npm', 'run', '--silent', name],
    { NODE_ENV: 'production', NO_COLOR: '1', TRENDING_VIDEOS_KEY: KEY, ...variables },
    FOLDER,
  );
  let complaints = '';
  program.child.stderr?.on('data', (chunk) => {
    complaints += chunk;
  });
  return { ...program, name, complaints: () => complaints };
}

/** All of the examples, running. */
export interface WiderGraph {
  readonly scripts: readonly Script[];
  /** Where each is asked, by the port that the package's README has it at. */
  readonly urls: Readonly<Record<string, string>>;
  /** Ends them, as an orchestrator does; gives how each ended: its exit code, or the signal. */
  close(): Promise<(string | number | null)[]>;
}

/** Runs each part of the package around the API at `apiUrl`. */
export async function startWiderGraph(apiUrl: string): Promise<WiderGraph> {
  const folder = await mkdtemp(path.join(tmpdir(), 'wider-graph-'));
  const variables = { TRENDING_VIDEOS_URL: apiUrl, SUPERGRAPH: path.join(folder, 'supergraph.graphql') };
  const scripts: Script[] = [];
  const run = (name: string, more: Record<string, string>): Script => {
    const script = startScript(name, { ...variables, ...more });
    scripts.push(script);
    return script;
  };
  /** Gives the address that the script says it is at. */
  const serve = async (name: string, more: Record<string, string> = {}): Promise<string> => {
    const [, url = ''] = await run(name, { PORT: '0', ...more }).see(/ (?:at|on) (http:\S+)/);
    return url;
  };
  const close = async () => {
    for (const { child } of scripts) child.kill('SIGTERM');
    const ends = await Promise.all(scripts.map(async ({ exit, child }) => (await exit) ?? child.signalCode));
    await rm(folder, { recursive: true, force: true });
    return ends;
  };

  try {
    const [REVIEWS_URL, COLLECTIONS_URL, plainReviews] = await Promise.all([
      serve('reviews'),
      serve('collections'),
      serve('reviews:plain'),
    ]);
    expect(await run('compose', { REVIEWS_URL, COLLECTIONS_URL }).exit).toBe(0);
    const [apollo, hive, stitched] = await Promise.all([
      serve('gateway:apollo'),
      serve('gateway:hive', { PORT: String(await findFreePort()) }),
      serve('gateway:stitched', { REVIEWS_URL: plainReviews }),
    ]);
    return { scripts, urls: { 4100: apollo, 4200: `${hive}/graphql`, 4300: stitched }, close };
  } catch (error) {
    await close();
    throw error;
  }
}
