import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type Chart, chartId, TrendingOrder, TrendingPeriod } from '../../src/domain/chart.ts';
import { encodeCursor } from '../../src/domain/cursor.ts';
import { PAGE_SIZE } from '../../src/domain/page.ts';
import type { GraphqlResult } from '../support/app.ts';
import { range } from '../support/charts.ts';
import { findFreePort } from '../support/freePort.ts';
import { describeWith } from './support/describeWith.ts';
import { startEmulator, type TestEmulator } from './support/emulator.ts';
import { poll } from './support/poll.ts';
import { MAIN, PATIENT, type Program, postQuery, startProgram } from './support/program.ts';

const run = promisify(execFile);
const CONFIGURATION = 'deploy/haproxy.cfg';

interface Replica {
  readonly program: Program;
  readonly port: number;
}

/** An operation and the page that it reads, which no other operation reads. */
interface PagedOperation {
  readonly query: string;
  readonly page: string;
  /** Of the requested video. */
  readonly rank: number;
}

interface Ranks {
  readonly trendingVideos: { readonly edges: readonly { readonly rank: number }[] };
}

const REGIONS = [
  'US',
  'GB',
  'DE',
  'FR',
  'ES',
  'IT',
  'NL',
  'SE',
  'NO',
  'DK',
  'BR',
  'MX',
  'JP',
  'IN',
  'CA',
  'AU',
];
const CHARTS: readonly Chart[] = REGIONS.flatMap((region) =>
  Object.values(TrendingPeriod).flatMap((period) =>
    Object.values(TrendingOrder).map((orderBy) => ({ region, period, orderBy })),
  ),
);

const OPERATIONS: readonly PagedOperation[] = range(1, 25).flatMap((number) =>
  CHARTS.map((chart) => {
    const period = Object.entries(TrendingPeriod).find(([, days]) => days === chart.period)?.[0];
    const rank = (number - 1) * PAGE_SIZE;
    const after = rank === 0 ? '' : encodeCursor(chart, { rank, itemId: null });
    const slice = `region: "${chart.region}", period: ${period}, orderBy: ${chart.orderBy}, first: 1, after: "${after}"`;
    const query = `{ trendingVideos(${slice}) { edges { rank } } }`;
    return { query, page: `${chartId(chart)}:${number}`, rank: rank + 1 };
  }),
);

let folder: string;
let emulator: TestEmulator;
let replicas: Replica[];
let balancer: Program;
let url: string;

async function startReplica(port: number): Promise<Replica> {
  const program = startProgram([process.execPath, MAIN], {
    ...PATIENT,
    ...emulator.variables,
    PORT: String(port),
    KEYAPI_QPS: '10000',
    RATE_LIMIT_PER_MINUTE: '0',
    TRUST_PROXY: '1',
  });
  await program.see(/GraphQL at/);
  return { program, port };
}

/** The configuration with this port, and with these replicas in place of those that Docker's name server finds. */
async function configure(port: number): Promise<string> {
  const text = await readFile(CONFIGURATION, 'utf8');
  const [template = '', options = ''] = /^ {2}server-template \S+ \d+ \S+ (.*)$/m.exec(text) ?? [];
  const serverOptions = options.replace(/ resolvers .*/, '');
  const servers = replicas.map(
    ({ port }, index) => `  server replica${index + 1} 127.0.0.1:${port} ${serverOptions}`,
  );
  return text
    .replace(/^resolvers docker\n(?: .*\n)+/m, '')
    .replace(/^ {2}bind .*$/m, `  bind 127.0.0.1:${port}`)
    .replace(template, servers.join('\n'));
}

/** How many operations the replica has executed. */
function countOperations({ program }: Replica): number {
  return (program.output().match(/"outcome":"ok".*"msg":"Operation"/g) ?? []).length;
}

const send = async (query: string) => (await postQuery(url, query)) as GraphqlResult<Ranks>;

describeWith('haproxy', 'the load balancer', () => {
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'haproxy-'));
    emulator = await startEmulator();
    replicas = await Promise.all([await findFreePort(), await findFreePort()].map(startReplica));
    const port = await findFreePort();
    const file = path.join(folder, 'haproxy.cfg');
    await writeFile(file, await configure(port));
    balancer = startProgram(['haproxy', '-db', '-f', file]);
    const { origin } = new URL(`http://127.0.0.1:${port}`);
    url = `${origin}/graphql`;
    await poll(async () => (await fetch(`${origin}/readyz`).catch(() => undefined))?.status === 200);
  });

  afterEach(async () => {
    const programs = [balancer, ...replicas.map(({ program }) => program)];
    for (const { child } of programs) child.kill('SIGKILL');
    await Promise.all(programs.map(({ exit }) => exit));
    await emulator.close();
    await rm(folder, { recursive: true });
  });

  it('has a valid configuration', async () => {
    const { stdout } = await run('haproxy', ['-c', '-f', CONFIGURATION]);
    expect(stdout).toBe('Configuration file is valid\n');
  });

  it('distributes operations over all replicas', async () => {
    let sent = 0;
    await poll(async () => {
      sent++;
      expect(await send('{ trendingVideos(first: 1) { edges { rank } } }')).toMatchObject({
        data: { trendingVideos: { edges: [{ rank: 1 }] } },
      });
      return replicas.every((replica) => countOperations(replica) > 0);
    });
    await poll(() => replicas.reduce((sum, replica) => sum + countOperations(replica), 0) === sent);
  });

  it('loses no operation and executes none twice while the replicas are restarted one after the other', async () => {
    const operations = OPERATIONS.values();
    const pages: string[] = [];
    const lost: unknown[] = [];
    let isOver = false;
    const load = range(1, 4).map(async () => {
      while (!isOver) {
        const { value: operation } = operations.next();
        if (!operation) throw new Error('expected the restarts to end before the operations run out');
        pages.push(operation.page);
        const result = await send(operation.query).catch((error) => error);
        if (result.data?.trendingVideos.edges[0]?.rank !== operation.rank) lost.push(result);
        await sleep(50);
      }
    });
    const restarts = (async () => {
      for (const index of replicas.keys()) {
        const old = replicas[index] as Replica;
        old.program.child.kill('SIGTERM');
        expect(await old.program.exit).toBe(0);
        const replica = await startReplica(old.port);
        replicas[index] = replica;
        // Until it gets its share of the load again.
        await poll(() => countOperations(replica) > 10);
      }
      isOver = true;
    })();
    await Promise.all([restarts, ...load]);
    expect(lost).toEqual([]);
    expect([...emulator.bill].sort()).toEqual(pages.sort());
  });
});
