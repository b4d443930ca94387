import { CHART, topBody, writeBodies } from '../bodies.ts';
import { LOAD_COLUMNS, toLoadRows } from '../loadRows.ts';
import { type Effort, loadInTurns } from '../measure.ts';
import { PAGE_SIZE } from '../peers/pages.ts';
import { postAll } from '../post.ts';
import { figure, type Goal, type Outcome, type Row, ratioGoal, ratioTo } from '../report.ts';
import { type Server, type ServerSpec, withServers } from '../runServer.ts';
import { type SavedResponse, saveResponse } from '../savedResponse.ts';
import { ALL_CACHES, FASTIFY, fixedBytes, hive, OURS, ours, PAGES_ONLY, peer } from '../servers.ts';
import { type Upstream, withUpstream } from '../upstream.ts';
import { checkVideos } from '../windows.ts';
import type { Files, Scenario } from './scenario.ts';

/** One query, sent in one way. */
interface Kind {
  readonly name: string;
  /** To follow on the description. */
  readonly what: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The servers besides this one and Fastify. */
  readonly toOthers: (response: SavedResponse, supergraph: string) => readonly ServerSpec[];
}

const ORIGIN = 'https://app.example.com';
const LIMITS = ['node:http, fixed bytes', FASTIFY, 'Fastify, fixed bytes, request parsed'] as const;

const KINDS: readonly Kind[] = [
  {
    name: 'repeated',
    what: 'The fixed-bytes servers show the upper limit.',
    headers: {},
    toOthers: (response, supergraph) => [
      fixedBytes(LIMITS[0], 'nodeHttp', response),
      fixedBytes(LIMITS[2], 'fastify', response, true),
      peer('Apollo Server as installed', 'apollo', PAGES_ONLY),
      peer('Apollo Server, response cache', 'apollo', ALL_CACHES),
      peer('GraphQL Yoga, response cache', 'yoga', ALL_CACHES),
      peer('Mercurius with JIT', 'mercurius', PAGES_ONLY),
      hive('Hive Gateway, response cache', supergraph, { responses: true }),
    ],
  },
  {
    name: 'repeated, with an origin',
    what: 'The request has the `Origin` of a page that this server allows by CORS. Fastify ignores it.',
    headers: { origin: ORIGIN },
    toOthers: () => [],
  },
  {
    name: 'repeated, compressed',
    what: 'The request has the `Accept-Encoding` of a browser. Fastify sends the same compressed bytes.',
    headers: { 'accept-encoding': 'br, gzip' },
    toOthers: () => [],
  },
];

/** One query, repeated. */
export const repeated: Scenario = (effort, files) =>
  withUpstream(0, async (upstream) => {
    const outcomes: Outcome[] = [];
    for (const kind of KINDS) outcomes.push(await measureKind(kind, upstream, effort, files));
    return outcomes;
  });

async function measureKind(
  { name, what, headers, toOthers }: Kind,
  upstream: Upstream,
  effort: Effort,
  { folder, supergraph }: Files,
): Promise<Outcome> {
  const files = {
    connection: await writeBodies(folder, 'repeated', [topBody({ shape: 'connection' }, CHART, PAGE_SIZE)]),
    pages: await writeBodies(folder, 'repeatedPages', [topBody({ shape: 'pages' }, CHART, PAGE_SIZE)]),
  };
  const product = ours(folder, { CORS_ORIGINS: ORIGIN });
  const response = await saveResponse(upstream, folder, name, bodyFor(product), headers);
  const limit = fixedBytes(FASTIFY, 'fastify', response);
  const specs = [limit, product, ...toOthers(response, supergraph)];
  const rows = await withServers(specs, upstream, bodyFor, async (servers) => {
    for (const server of servers) await checkResponse(server, headers);
    const loads = servers.map(({ spec, url }) => ({
      name: spec.name,
      url,
      bodiesFile: files[spec.shape],
      headers,
    }));
    const loadRows = toLoadRows(await loadInTurns(loads, effort));
    for (const server of servers) await checkResponse(server, headers);
    return loadRows;
  });
  return {
    name,
    what: `One query, repeated: the first ${PAGE_SIZE} videos of a chart with all their fields. ${what}`,
    unit: 'requests/s',
    better: 'more',
    rows,
    more: LOAD_COLUMNS,
    goals: toGoals(rows),
  };
}

const bodyFor = (spec: ServerSpec): string => topBody(spec, CHART, PAGE_SIZE);

async function checkResponse(
  { spec, url }: Server,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  await postAll(url, [bodyFor(spec)], 1, { headers, check: (text) => checkVideos(spec.name, text) });
}

function toGoals(rows: readonly Row[]): readonly Goal[] {
  const goal = ratioGoal(`at least 1.1 x ${FASTIFY}`, ratioTo(rows, FASTIFY), { least: 1.1 });
  const peers = rows.filter(({ name }) => name !== OURS && !LIMITS.some((limit) => limit === name));
  const [best] = peers.toSorted((a, b) => figure(rows, b.name) - figure(rows, a.name));
  if (best === undefined) return [goal];
  const text = `faster than every peer; the fastest: ${best.name}`;
  return [goal, ratioGoal(text, ratioTo(rows, best.name), { least: 1 })];
}
