import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from '@jest/globals';
import { type EmulatedApp, type GraphqlResult, startEmulatedApp } from '../../support/app.ts';
import { findFreePort } from '../../support/freePort.ts';
import { tapRequests } from '../../support/tapRequests.ts';
import { type Program, startProgram } from './program.ts';

/** The folder of the examples' package. */
export const FOLDER = 'examples/wider-graph';
const KEY = 'key-of-the-gateways';

/** The body of a POST to the API. */
interface GraphqlRequest {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
}

/** The API as gateways use it in production, with the first 60 ranks of the demo data's US chart cached. */
export interface Api {
  /** Its endpoint, which requires an API key. */
  readonly url: string;
  /** Sends an operation with the key directly, without a gateway. */
  readonly post: (query: string, variables?: Record<string, unknown>) => Promise<Response>;
  /** The titles of the cached videos, by `itemId`. */
  readonly titles: ReadonlyMap<string, string>;
  /** The requests since the last call. */
  readonly takeRequests: () => GraphqlRequest[];
  readonly app: EmulatedApp;
}

interface Chart {
  readonly trendingVideos: { readonly nodes: readonly { readonly itemId: string; readonly title: string }[] };
}

/** Starts the API on a free port. */
export async function startApi(): Promise<Api> {
  const app = await startEmulatedApp({}, { API_KEYS: `gateways:${KEY}`, INTROSPECTION: 'false' });
  const requests: GraphqlRequest[] = [];
  tapRequests(app.server, ({ body }) => void requests.push(JSON.parse(body)));
  const takeRequests = (): GraphqlRequest[] => requests.splice(0);
  const url = `${await app.server.listen({ host: '127.0.0.1', port: 0 })}/graphql`;
  const post = (query: string, variables?: Record<string, unknown>): Promise<Response> =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': KEY },
      body: JSON.stringify({ query, variables }),
    });
  const response = await post('{ trendingVideos(first: 60) { nodes { itemId title } } }');
  const { data, extensions } = (await response.json()) as GraphqlResult<Chart>;
  app.claimedElsewhere = extensions.upstream.requests;
  takeRequests();
  const titles = new Map(data?.trendingVideos.nodes.map(({ itemId, title }) => [itemId, title]));
  return { url, post, titles, takeRequests, app };
}

/** A running script of the examples' package.json. */
interface Script extends Program {
  readonly name: string;
  /** Everything it wrote to standard error. */
  readonly complaints: () => string;
}

/** Runs a script of the examples' package.json with these environment variables. */
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

/** All examples, running. */
export interface WiderGraph {
  readonly scripts: readonly Script[];
  /** The URL of each gateway, by its port in the package's README. */
  readonly urls: Readonly<Record<string, string>>;
  /** Stops them with SIGTERM; returns the exit code or the signal of each. */
  close(): Promise<(string | number | null)[]>;
}

/** Runs every part of the package with the API at `apiUrl`. */
export async function startWiderGraph(apiUrl: string): Promise<WiderGraph> {
  const folder = await mkdtemp(path.join(tmpdir(), 'wider-graph-'));
  const variables = { TRENDING_VIDEOS_URL: apiUrl, SUPERGRAPH: path.join(folder, 'supergraph.graphql') };
  const scripts: Script[] = [];
  const run = (name: string, more: Record<string, string>): Script => {
    const script = startScript(name, { ...variables, ...more });
    scripts.push(script);
    return script;
  };
  /** Returns the URL that the script prints. */
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
