import { setTimeout as sleep } from 'node:timers/promises';
import { readItemIds, writeBodies } from '../bodies.ts';
import { LOAD_COLUMNS, toLoadRows } from '../loadRows.ts';
import { type Effort, loadInTurns } from '../measure.ts';
import { PAGE_SIZE } from '../peers/pages.ts';
import { createClient, postAll } from '../post.ts';
import { format, type Goal, type Outcome, type Row, ratioGoal, ratioTo } from '../report.ts';
import { type Server, withServers } from '../runServer.ts';
import { saveResponse } from '../savedResponse.ts';
import { FASTIFY, fixedBytes, OURS, ours, peer, RESPONSES_ONLY } from '../servers.ts';
import { type Upstream, withUpstream } from '../upstream.ts';
import { chartsOf, checkVideos, checkWindows, makeWindows } from '../windows.ts';
import type { Scenario } from './scenario.ts';

const TTL_SECONDS = 5;
const CHARTS = chartsOf(['US', 'GB']);
const FRESH = 'this server, not expired';
/** Windows whose responses are read. */
const SAMPLE = 100;

/** Windows of pages that have expired, while upstream is down. */
export const outage: Scenario = (effort, { folder }) =>
  withUpstream(0, async (upstream) => {
    const bodies = await makeWindows(upstream.url, CHARTS);
    const bodiesFile = await writeBodies(folder, 'outage', bodies);
    const [first = ''] = bodies;
    const specs = [
      fixedBytes(FASTIFY, 'fastify', await saveResponse(upstream, folder, 'outage', first)),
      ours(folder, {}, FRESH),
      ours(folder, { CACHE_TTL_SECONDS: String(TTL_SECONDS) }),
      peer('Apollo Server, response cache', 'apollo', RESPONSES_ONLY, TTL_SECONDS),
      peer('GraphQL Yoga, response cache', 'yoga', RESPONSES_ONLY, TTL_SECONDS),
      peer('Mercurius, mercurius-cache', 'mercurius', RESPONSES_ONLY, TTL_SECONDS),
    ];
    return withServers(
      specs,
      upstream,
      () => first,
      async (servers) => {
        for (const server of servers) await checkWindows(server, bodies);
        await stopUpstream(upstream);
        return [await measure(servers, bodies, bodiesFile, effort)];
      },
    );
  });

/** Stops upstream, and waits until everything has expired that was fetched from it. */
async function stopUpstream(upstream: Upstream): Promise<void> {
  await upstream.close();
  await sleep((TTL_SECONDS + 1) * 1000);
}

async function measure(
  servers: readonly Server[],
  bodies: readonly string[],
  bodiesFile: string,
  effort: Effort,
): Promise<Outcome> {
  const sample = bodies.slice(0, SAMPLE);
  await checkStaleness(servers, sample);
  const specs = servers.map(({ spec, url }) => ({
    name: spec.name,
    url,
    bodiesFile,
    acceptsErrors: spec.logFile === undefined,
  }));
  const loadRows = toLoadRows(await loadInTurns(specs, effort));
  await checkStaleness(servers, sample);
  const shares = new Map<string, number>();
  for (const server of servers) shares.set(server.spec.name, await measureShareWithData(server, sample));
  const toPercent = (name: string): number => Math.round((shares.get(name) ?? 0) * 100);
  const rows = loadRows.map((row) => ({ ...row, more: [`${toPercent(row.name)}%`, ...row.more] }));
  return {
    name: 'outage',
    what: `A different window in every request, as in *new* (${format(bodies.length)} windows), while upstream is down and everything cached for ${TTL_SECONDS} s has expired. *${FRESH}* has the default time to live, so it does not need upstream.`,
    unit: 'requests/s',
    better: 'more',
    rows,
    more: ['with data', ...LOAD_COLUMNS],
    goals: toGoals(rows, toPercent(OURS)),
  };
}

/** @throws When a response of this product has no data, or is not stale exactly where its pages have expired. */
async function checkStaleness(servers: readonly Server[], bodies: readonly string[]): Promise<void> {
  for (const { spec, url } of servers.filter((server) => server.spec.logFile !== undefined)) {
    const check = (text: string): void => {
      checkVideos(spec.name, text);
      const isStale = spec.name === OURS;
      if (!text.includes(`"stale":${isStale}`))
        throw new Error(`${spec.name}: expected stale to be ${isStale}, but got: ${text.slice(-500)}`);
    };
    await postAll(url, bodies, 10, { check });
  }
}

/** The share of the responses that have all videos, whatever their status. */
async function measureShareWithData({ url }: Server, bodies: readonly string[]): Promise<number> {
  const client = createClient(url);
  let withData = 0;
  for (const body of bodies) {
    const { text } = await client.post(body);
    if (!text.includes('"errors":') && readItemIds(text).length === PAGE_SIZE) withData++;
  }
  await client.close();
  return withData / bodies.length;
}

function toGoals(rows: readonly Row[], percentWithData: number): readonly Goal[] {
  return [
    ratioGoal(`at least 0.8 x ${FRESH}`, ratioTo(rows, FRESH), { least: 0.8 }),
    {
      text: 'every response has data',
      found: `${percentWithData}%`,
      isMet: percentWithData === 100,
    },
  ];
}
