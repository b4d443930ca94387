import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { stringify } from 'yaml';
import { findFreePort } from '../support/freePort.ts';
import {
  ALERTS,
  PROMETHEUS,
  queriesOf,
  readAlerts,
  readDashboard,
  readYaml,
} from '../support/observability.ts';
import { describeWith } from './support/describeWith.ts';
import { startEmulator, type TestEmulator } from './support/emulator.ts';
import { poll } from './support/poll.ts';
import { MAIN, PATIENT, type Program, postQuery, startProgram } from './support/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from './support/redis.ts';

const run = promisify(execFile);

/** What Grafana sets, for a Prometheus that scrapes twice a second. A minute includes what a slow machine did just now. */
const VARIABLES: Readonly<Record<string, string>> = {
  $__rate_interval: '1m',
  $job: 'trending-graphql',
  $instance: '.+',
};
const SCRAPE_INTERVAL = '500ms';

describeWith('promtool', 'promtool', () => {
  it.each([
    ['check', 'config', '--lint=all', '--lint-fatal', PROMETHEUS],
    ['check', 'rules', '--lint=all', '--lint-fatal', ALERTS],
    ['test', 'rules', 'deploy/prometheus/alerts.test.yml'],
  ])('has nothing to say: %s %s', async (...args) => {
    const { stdout, stderr } = await run('promtool', args);
    expect(stdout).toContain('SUCCESS');
    expect(`${stdout}${stderr}`).not.toMatch(/FAILED|error|warning|lint/i);
  });
});

/** A series of the result of a query. */
interface Series {
  readonly metric: Readonly<Record<string, string>>;
  /** A time, and the value as text. */
  readonly value: readonly [number, string];
}

interface Rule {
  readonly name: string;
  readonly state: string;
  readonly health: string;
  readonly lastError?: string;
}

let emulator: TestEmulator;
let redis: TestRedis;
let server: Program;
let url: string;
let folder: string;
let prometheus: Program;
let api: string;

/** Starts a server that has all metrics: with Redis, and with a budget. Data expires at once, so that it is refreshed. */
async function startServer(): Promise<string> {
  emulator = await startEmulator();
  redis = await startRedis();
  const port = await findFreePort();
  server = startProgram([process.execPath, MAIN], {
    ...PATIENT,
    ...emulator.variables,
    PORT: '0',
    METRICS_PORT: String(port),
    REDIS_URL: redis.url,
    REDIS_TIMEOUT_MS: '1500',
    CREDIT_BUDGET_PER_DAY: '1000000',
    CACHE_TTL_SECONDS: '1',
    STATS_TTL_SECONDS: '1',
    RATE_LIMIT_PER_MINUTE: '0',
  });
  [, url = ''] = await server.see(/GraphQL at (http:\S+\/graphql)/);
  return `127.0.0.1:${port}`;
}

/** Starts Prometheus with the configuration of `deploy/`, but for a faster scrape, of this target. */
async function startPrometheus(target: string): Promise<void> {
  folder = await mkdtemp(path.join(tmpdir(), 'prometheus-'));
  const port = await findFreePort();
  const { scrape_configs, ...configuration } = await readYaml<{ scrape_configs: [object] }>(PROMETHEUS);
  const { dns_sd_configs: _, ...job } = scrape_configs[0] as { dns_sd_configs: unknown };
  const file = path.join(folder, 'prometheus.yml');
  await writeFile(
    file,
    stringify({
      ...configuration,
      global: { scrape_interval: SCRAPE_INTERVAL, evaluation_interval: SCRAPE_INTERVAL },
      rule_files: [path.resolve(ALERTS)],
      scrape_configs: [{ ...job, static_configs: [{ targets: [target] }] }],
    }),
  );
  prometheus = startProgram([
    'prometheus',
    `--config.file=${file}`,
    `--storage.tsdb.path=${path.join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
  api = `http://127.0.0.1:${port}/api/v1`;
  await poll(async () => {
    if (prometheus.child.exitCode !== null) throw new Error(prometheus.output());
    return (await fetch(`${api}/status/buildinfo`).catch(() => undefined))?.ok === true;
  });
}

/** Ends a program, if it was started. */
async function end(program: Program | undefined): Promise<void> {
  program?.child.kill('SIGKILL');
  await program?.exit;
}

/** The series of a query, which must succeed without a warning. */
async function query(expr: string): Promise<readonly Series[]> {
  const response = await fetch(`${api}/query`, {
    method: 'POST',
    body: new URLSearchParams({ query: expr }),
  });
  const { data, ...rest } = (await response.json()) as { data?: { result: Series[] } };
  expect([expr, rest]).toEqual([expr, { status: 'success' }]);
  return data?.result ?? [];
}

const substitute = (expr: string): string =>
  Object.entries(VARIABLES).reduce((text, [name, value]) => text.replaceAll(name, value), expr);

async function rules(): Promise<Rule[]> {
  const response = await fetch(`${api}/rules`);
  const { data } = (await response.json()) as { data: { groups: { rules: Rule[] }[] } };
  return data.groups.flatMap((group) => group.rules);
}

/** Runs operations of all kinds, one after the other, until `isOver`. */
async function sendOperations(isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await postQuery(url, 'query Top { trendingVideos { nodes { title stats { views } } } }');
    await postQuery(url, '{ trendingVideos(region: "GB") { totalCount } }');
    await sleep(20);
  }
}

/** Sends requests that fail until `isOver`: an unknown field, an unknown region, and malformed JSON. */
async function sendMistakes(isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await postQuery(url, 'query Wrong { nothing }');
    await postQuery(url, 'query Nowhere { trendingVideos(region: "ZZ") { totalCount } }');
    await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' });
    await sleep(20);
  }
}

/** Has no `for`: on a slow machine this server spends more meanwhile than this alert allows. */
const SPENT_FAST = 'TrendingCreditsSpentFast';

/**
 * Alerts whose comparison may be true for a moment, but not for as long as `for`: this server refreshes all data every
 * second, and the machine may be slow.
 */
const ACTIVE_HERE = [
  // This server is one, and has just started.
  'TrendingReplicaMissing',
  'TrendingReplicaRestarts',
  SPENT_FAST,
  'TrendingPagesStale',
  'TrendingNumbersStale',
  'TrendingEventLoopLate',
  'TrendingEventLoopBusy',
  'TrendingOperationsSlow',
  'TrendingKeyapiSlow',
];

/** Reads until nothing is left; fails with what is left after a time that no machine needs. */
async function expectNoneLeft(read: () => Promise<readonly unknown[]>): Promise<void> {
  const isOver = AbortSignal.timeout(100_000);
  let left: readonly unknown[] = [];
  await poll(async () => {
    left = await read();
    return left.length === 0 || isOver.aborted;
  });
  expect(left).toEqual([]);
}

describeWithRedis('Prometheus that scrapes a server', () => {
  describeWith('prometheus', 'with the configuration of deploy/', () => {
    beforeAll(async () => startPrometheus(await startServer()));
    afterAll(async () => {
      await Promise.all([end(prometheus), end(server)]);
      await Promise.all([redis?.close(), emulator?.close()]);
      if (folder) await rm(folder, { recursive: true });
    });

    it('evaluates all alerts, of which none fires while the server is healthy', async () => {
      let isOver = false;
      const traffic = sendOperations(() => isOver);
      try {
        // Expressions of counters need two scrapes.
        const scrapes = substitute('count_over_time(up{job="$job"}[1m]) >= 4');
        await poll(async () => (await query(scrapes)).length === 1);
        await expectNoneLeft(async () => {
          const unlike = (rule: Rule): boolean =>
            rule.state !== 'inactive' && !ACTIVE_HERE.includes(rule.name);
          const found = await rules();
          return found.filter((rule) => rule.health === 'unknown' || unlike(rule));
        });
        const found = await rules();
        const names = (await readAlerts()).map(({ alert }) => alert);
        expect(found.map(({ name }) => name).sort()).toEqual(names.sort());
        expect(found.filter(({ health, lastError }) => health !== 'ok' || lastError)).toEqual([]);
        const firing = found.filter(({ state }) => state === 'firing').map(({ name }) => name);
        expect(firing.filter((name) => name !== SPENT_FAST)).toEqual([]);
      } finally {
        isOver = true;
        await traffic;
      }
    });

    it('has a value for each query of the dashboard, with the labels of its legend, in an incident', async () => {
      const { panels } = await readDashboard();
      const targets = panels.flatMap(({ title, targets: list = [] }) =>
        list.map((target) => ({ title, ...target })),
      );
      expect(targets).toHaveLength(queriesOf(await readDashboard()).length);
      // The plan does not include numbers any more: their circuit opens, and operations fail in part.
      emulator.switches.analyticsStatus = 403;
      let isOver = false;
      const traffic = [sendOperations(() => isOver), sendMistakes(() => isOver)];
      try {
        // All of them have values: none waits for an incident that this test does not provoke.
        let missing = targets;
        await expectNoneLeft(async () => {
          const results = await Promise.all(
            missing.map(async (target) => ({ target, series: await query(substitute(target.expr)) })),
          );
          for (const { target, series } of results) expectLegend(target.legendFormat, series);
          missing = results.filter(({ series }) => !series.some(hasValue)).map(({ target }) => target);
          return missing.map(({ title, expr }) => [title, expr]);
        });
      } finally {
        isOver = true;
        await Promise.all(traffic);
      }
    });
  });
});

const hasValue = ({ value: [, text] }: Series): boolean => Number.isFinite(Number(text));

/** Each series has the labels that the legend names. */
function expectLegend(legend: string, series: readonly Series[]): void {
  const names = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, name = '']) => name);
  for (const { metric } of series) expect(Object.keys(metric)).toEqual(expect.arrayContaining(names));
}
