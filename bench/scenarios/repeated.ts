import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CHART, readItemIds, topBody, writeBodies } from '../bodies.ts';
import { LOAD_COLUMNS, toLoadRows } from '../loadRows.ts';
import { loadInTurns } from '../measure.ts';
import { PAGE_SIZE } from '../peers/pages.ts';
import { createClient, postAll } from '../post.ts';
import {
  type Server,
  type ServerSpec,
  startServer,
  type Upstream,
  withServers,
  withUpstream,
} from '../processes.ts';
import { figure, type Goal, type Row, ratioGoal, ratioTo } from '../report.ts';
import { ALL_CACHES, fixedBytes, hive, OURS, ours, PAGES_ONLY, peer } from '../servers.ts';
import type { Scenario } from './scenario.ts';

const FASTIFY = 'Fastify, fixed bytes';
const LIMITS = ['node:http, fixed bytes', FASTIFY, 'Fastify, fixed bytes, request parsed'] as const;

/** One query, repeated. */
export const repeated: Scenario = (effort, { folder, supergraph }) =>
  withUpstream(0, async (upstream) => {
    const bytes = await saveResponse(upstream, folder);
    const specs = [
      fixedBytes(LIMITS[0], 'nodeHttp', bytes),
      fixedBytes(LIMITS[1], 'fastify', bytes),
      fixedBytes(LIMITS[2], 'fastify', bytes, true),
      ours({ responses: true }),
      peer('Apollo Server as installed', 'apollo', PAGES_ONLY),
      peer('Apollo Server, response cache', 'apollo', ALL_CACHES),
      peer('GraphQL Yoga, response cache', 'yoga', ALL_CACHES),
      peer('Mercurius with JIT', 'mercurius', PAGES_ONLY),
      hive('Hive Gateway, response cache', supergraph, { responses: true }),
    ];
    const files = {
      connection: await writeBodies(folder, 'repeated', [bodyFor(specs[0] as ServerSpec)]),
      pages: await writeBodies(folder, 'repeatedPages', [bodyFor(specs.at(-1) as ServerSpec)]),
    };
    return withServers(specs, upstream, bodyFor, async (servers) => {
      for (const server of servers) await checkResponse(server);
      const rows = toLoadRows(await loadInTurns(servers, ({ spec }) => files[spec.shape], effort));
      for (const server of servers) await checkResponse(server);
      return {
        name: 'repeated',
        what: `One query, repeated: the first ${PAGE_SIZE} videos of a chart with all their fields. The fixed-bytes servers, which always send the bytes of this server's response, show the upper limit.`,
        unit: 'requests/s',
        better: 'more',
        rows,
        more: LOAD_COLUMNS,
        goals: toGoals(rows),
      };
    });
  });

const bodyFor = (spec: ServerSpec): string => topBody(spec, CHART, PAGE_SIZE);

/** Saves this server's response for the fixed-bytes servers. */
async function saveResponse(upstream: Upstream, folder: string): Promise<string> {
  const spec = ours({ responses: true });
  const server = await startServer(spec, upstream, bodyFor(spec));
  const client = createClient(server.url);
  const { text } = await client.post(bodyFor(spec));
  await client.close();
  await server.close();
  const file = path.join(folder, 'response.json');
  await writeFile(file, text);
  return file;
}

async function checkResponse({ spec, url }: Server): Promise<void> {
  await postAll(url, [bodyFor(spec)], 1, (text) => {
    const videos = new Set(readItemIds(text)).size;
    if (videos !== PAGE_SIZE)
      throw new Error(`${spec.name}: expected ${PAGE_SIZE} videos, but got: ${videos}`);
  });
}

function toGoals(rows: readonly Row[]): readonly Goal[] {
  const peers = rows.filter(({ name }) => name !== OURS && !LIMITS.some((limit) => limit === name));
  const [best] = peers.toSorted((a, b) => figure(rows, b.name) - figure(rows, a.name));
  const bestName = best?.name ?? '';
  return [
    ratioGoal(`at least 0.90 x ${FASTIFY}`, ratioTo(rows, FASTIFY), { least: 0.9 }),
    ratioGoal(`faster than every peer; the fastest: ${bestName}`, ratioTo(rows, bestName), { least: 1 }),
  ];
}
