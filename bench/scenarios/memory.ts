import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHART, SELECTION, topBody } from '../bodies.ts';
import { CONNECTIONS } from '../load.ts';
import { PAGE_SIZE } from '../peers/pages.ts';
import { postAll } from '../post.ts';
import { figure, format, type Row } from '../report.ts';
import { type ServerSpec, startServer } from '../runServer.ts';
import { ALL_CACHES, OURS, ours, peer } from '../servers.ts';
import { type Upstream, withUpstream } from '../upstream.ts';
import type { Scenario } from './scenario.ts';

const DOCUMENTS = 10_000;
const MAX_MB = 200;
/** Heap size fluctuates: growth below this in the second half of the operations counts as none. */
const FLAT_MB = 10;

/** The resident memory of a process after many operations with many different documents. */
export const memory: Scenario = ({ memoryOperations }, { folder }) =>
  withUpstream(0, async (upstream) => {
    const specs = [ours(folder), peer('Apollo Server, response cache', 'apollo', ALL_CACHES)];
    const rows: Row[] = [];
    const growths = new Map<string, number>();
    for (const spec of specs) {
      const [before, half, all] = await watch(spec, upstream, memoryOperations);
      growths.set(spec.name, all - half);
      rows.push({ name: spec.name, values: [all], more: [before, half, all - half].map(format) });
    }
    const megabytes = figure(rows, OURS);
    const growth = growths.get(OURS) ?? Number.NaN;
    return [
      {
        name: 'memory',
        what: `Resident memory after ${format(memoryOperations)} operations with ${format(DOCUMENTS)} distinct documents, each of which queries ${PAGE_SIZE} videos with all their fields.`,
        unit: 'MB',
        better: 'less',
        rows,
        more: ['MB before', 'MB at half', 'growth of the second half'],
        goals: [
          { text: `below ${MAX_MB} MB`, found: format(megabytes), isMet: megabytes < MAX_MB },
          {
            text: `flat: the second half adds less than ${FLAT_MB} MB`,
            found: format(growth),
            isMet: growth < FLAT_MB,
          },
        ],
      },
    ];
  });

/** Resident memory in MB at the start, after half of the operations and at the end. */
async function watch(
  spec: ServerSpec,
  upstream: Upstream,
  operations: number,
): Promise<[number, number, number]> {
  const server = await startServer(spec, upstream, topBody(spec, CHART, PAGE_SIZE));
  try {
    const before = await residentMegabytes(server.pid);
    await postAll(server.url, makeBodies(0, operations / 2), CONNECTIONS);
    const half = await residentMegabytes(server.pid);
    await postAll(server.url, makeBodies(operations / 2, operations), CONNECTIONS);
    return [before, half, await residentMegabytes(server.pid)];
  } finally {
    await server.close();
  }
}

/** The bodies of operations `from` to `to`, which cycle through the documents. */
function* makeBodies(from: number, to: number): Generator<string> {
  for (let index = from; index < to; index++) {
    yield JSON.stringify({
      query: `{ d${index % DOCUMENTS}: trendingVideos(first: ${PAGE_SIZE}) ${SELECTION} }`,
    });
  }
}

async function residentMegabytes(pid: number): Promise<number> {
  await sleep(500);
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}
