import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/loadConfig.ts';
import { findTrouble } from '../../src/data/redis/connection/redisTroubles.ts';
import { findFreePort } from '../support/freePort.ts';
import { createAuthority } from './support/authority.ts';
import { describeUnless, itUnless } from './support/describeWith.ts';
import { startFleet } from './support/fleet.ts';
import { poll } from './support/poll.ts';
import { startProgram } from './support/program.ts';
import { startServer, type TestServer, whyNoNodes, whyNoTls } from './support/redis.ts';
import { startCluster, type TestCluster } from './support/redisCluster.ts';
import { SENTINEL_NAME, startSentinel, type TestSentinel } from './support/redisSentinel.ts';

const DOCTOR = path.resolve('dist/bin/doctor.js');
const PASSWORD = 'pass-w0rd-never-shown';

/** What the doctor says about Redis: the state, what it found, and its advice. */
async function examine(variables: Record<string, string>): Promise<string> {
  const program = startProgram([process.execPath, DOCTOR], variables);
  await program.exit;
  expect(program.output()).not.toContain(PASSWORD);
  const [text = '', state, found, advice] =
    /^Redis +(ok|note|fix) +(.*)(?:\n +-> ((?:.*)(?:\n {4,}(?!->).*)*))?/m.exec(program.output()) ?? [];
  if (text === '') throw new Error(program.output());
  const lines = [`${state}: ${found?.replace(/\d+\.\d+ ms/, '0.4 ms')}`, advice].filter(
    (line) => line !== undefined,
  );
  return lines.join(' -> ').replace(/\s+/g, ' ');
}

/** The advice in the log of a server with these settings. */
async function adviceInLog(variables: Record<string, string>): Promise<string | undefined> {
  const fleet = await startFleet(1, variables);
  try {
    const line = await fleet.replicas[0]?.program.see(/^.*"advice":.*Redis is (still )?down.*$/m);
    return JSON.parse(line?.[0] ?? '{}').advice;
  } finally {
    await fleet.close();
  }
}

/** Checks that the server gives the same advice as the doctor. */
async function expectAdvice(variables: Record<string, string>, found: string, advice: string): Promise<void> {
  expect(await examine(variables)).toBe(`fix: ${found} -> ${advice}`);
  expect(await adviceInLog(variables)).toBe(advice);
}

const SET_CLUSTER =
  'Set REDIS_MODE=cluster, and REDIS_URL to the addresses of several nodes: redis://host:port,host:port';

describeUnless(whyNoNodes, 'the doctor, and the log, about a Redis Cluster', () => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await startCluster('trending-graphql');
  });

  afterAll(() => cluster.close());

  it('find it usable', async () => {
    const nodes = cluster.url.replace('redis://', '');
    const variables = { REDIS_MODE: 'cluster', REDIS_URL: cluster.url };
    expect(await examine(variables)).toMatch(
      /^ok: .* \(cluster\) responds in 0.4 ms, version \S+, and runs scripts$/,
    );
    expect(await examine(variables)).toContain(nodes);
  });

  it('recognise it when it is taken for a single Redis, even if INFO may not be used', async () => {
    for (const { client, url, port } of [cluster.owner, cluster.other]) {
      const found = `127.0.0.1:${port}: it is a node of a Redis Cluster, which has only some of the keys`;
      await expectAdvice({ REDIS_URL: url }, found, SET_CLUSTER);
      await client.call('ACL', 'SETUSER', 'default', '-info');
      await expectAdvice({ REDIS_URL: url }, found, SET_CLUSTER);
      await client.call('ACL', 'SETUSER', 'default', '+info');
    }
  });

  it('recognise it by INFO when this one node has all keys', async () => {
    const { url } = cluster.owner;
    expect(await examine({ REDIS_URL: url, REDIS_PREFIX: '{trending-graphql}' })).toBe(
      `fix: ${url.replace('redis://', '')} responds in 0.4 ms, version ${await versionOf(cluster.owner)}, and is a node of a ` +
        `Redis Cluster -> ${SET_CLUSTER}`,
    );
  });

  it('say which command a user needs besides', async () => {
    for (const { client } of [cluster.owner, cluster.other, cluster.replica])
      await client.call('ACL', 'SETUSER', 'app', 'on', `>${PASSWORD}`, '~*', '+@all', '-cluster');
    const { host } = new URL(cluster.other.url);
    const variables = { REDIS_MODE: 'cluster', REDIS_URL: `redis://app:${PASSWORD}@${host}` };
    expect(await examine(variables)).toMatch(
      /^fix: .*not allowed .* ~\{trending-graphql\}:\* .* \+cluster\|slots$/,
    );
  });
});

describeUnless(whyNoNodes, 'the doctor, and the log, about sentinels', () => {
  let nodes: TestSentinel;
  let variables: Record<string, string>;

  beforeAll(async () => {
    nodes = await startSentinel();
    variables = { REDIS_MODE: 'sentinel', REDIS_SENTINEL_NAME: SENTINEL_NAME, REDIS_URL: nodes.url };
  });

  afterAll(() => nodes.close());

  it('find the primary usable', async () => {
    const { host } = new URL(nodes.url);
    expect(await examine(variables)).toBe(
      `ok: ${host} (sentinel) responds in 0.4 ms, version ${await versionOf(nodes.primary)}, and runs scripts`,
    );
  });

  it.each([['single'], ['cluster']])('recognise a sentinel with REDIS_MODE=%s', async (mode) => {
    const { host } = new URL(nodes.url);
    await expectAdvice(
      { REDIS_MODE: mode, REDIS_URL: nodes.url },
      `${host}: it is a sentinel, which knows the primary and stores nothing`,
      'Set REDIS_MODE=sentinel, and REDIS_SENTINEL_NAME to the name of the primary; or REDIS_URL to the primary itself',
    );
  });

  it('recognise a Redis that is no sentinel, and no cluster', async () => {
    const { url, port } = nodes.primary;
    await expectAdvice(
      { ...variables, REDIS_URL: url },
      `127.0.0.1:${port}: it is a Redis, not a sentinel`,
      'Set REDIS_URL to the addresses of the sentinels (port 26379), or set REDIS_MODE=single',
    );
    await expectAdvice(
      { REDIS_MODE: 'cluster', REDIS_URL: url },
      `127.0.0.1:${port}: it is a single Redis, not a cluster`,
      'Set REDIS_MODE=single, or correct REDIS_URL',
    );
  });

  it('recognise a name that the sentinels do not know', async () => {
    const { host } = new URL(nodes.url);
    await expectAdvice(
      { ...variables, REDIS_SENTINEL_NAME: 'mymaster' },
      `${host}: the sentinels know no primary of that name`,
      'Correct REDIS_SENTINEL_NAME ("mymaster"): it is in their line "sentinel monitor"',
    );
  });

  it('recognise a replica', async () => {
    const { url, port } = nodes.replica;
    await expectAdvice(
      { REDIS_URL: url },
      `127.0.0.1:${port}: it is a replica, which cannot be written to`,
      'Set REDIS_URL to its primary',
    );
  });

  it('recognise sentinels that require a password', async () => {
    const { client, url } = nodes.sentinel;
    const { host } = new URL(url);
    await client.call('ACL', 'SETUSER', 'default', 'resetpass', `>${PASSWORD}`);
    await expectAdvice(
      variables,
      `${host}: it requires a password`,
      'Add that of the primary to REDIS_URL, and set REDIS_SENTINEL_PASSWORD for the sentinels',
    );
    await expectAdvice(
      { ...variables, REDIS_SENTINEL_PASSWORD: `${PASSWORD}-not` },
      `${host}: it does not accept the user or the password`,
      'Correct those of the primary in REDIS_URL, and REDIS_SENTINEL_PASSWORD for the sentinels',
    );
    expect(await examine({ ...variables, REDIS_SENTINEL_PASSWORD: PASSWORD })).toMatch(/^ok: /);
    await client.call('ACL', 'SETUSER', 'default', 'nopass');
  });

  it('say that the primary cannot be reached', async () => {
    await nodes.setDownAfter(600_000);
    await nodes.primary.kill();
    const { host } = new URL(nodes.url);
    expect(await examine(variables)).toBe(
      `fix: ${host}: the primary that it names cannot be reached -> Wait for the failover if the primary is down. Otherwise let ` +
        'the nodes announce addresses that this server can reach (cluster-announce-ip, replica-announce-ip)',
    );
  });
});

describeUnless(whyNoTls, 'the doctor, and the log, about TLS', () => {
  let folder: string;
  let ca: string;
  let redis: TestServer;
  let port: number;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tls-'));
    const authority = createAuthority(folder, 'authority');
    const { cert, key } = authority.sign('server');
    ca = authority.ca;
    port = await findFreePort();
    const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', ca];
    redis = await startServer('--tls-port', String(port), ...files);
  });

  afterAll(async () => {
    await redis.close();
    await rm(folder, { recursive: true });
  });

  it('recognise a port without TLS', async () => {
    await expectAdvice(
      { REDIS_URL: `rediss://127.0.0.1:${redis.port}` },
      `127.0.0.1:${redis.port}: it does not use TLS on this port`,
      'Write redis:// instead of rediss:// in REDIS_URL, or the port for TLS',
    );
  });

  it('recognise a port with TLS', async () => {
    await expectAdvice(
      { REDIS_URL: `redis://127.0.0.1:${port}` },
      `127.0.0.1:${port}: it closes the connection at once`,
      'Write rediss:// instead of redis:// in REDIS_URL if this port is for TLS; it may also have reached its limit of clients',
    );
  });

  it('recognise a certificate that is not trusted, and a server that requires one', async () => {
    const variables = { REDIS_URL: `rediss://127.0.0.1:${port}` };
    await expectAdvice(
      variables,
      `127.0.0.1:${port}: TLS: its certificate is not trusted`,
      'If your own authority signed it, set REDIS_TLS_CA to the certificate of that authority',
    );
    await expectAdvice(
      { ...variables, REDIS_TLS_CA: ca },
      `127.0.0.1:${port}: TLS: it requires a certificate of its clients`,
      'Set REDIS_TLS_CERT and REDIS_TLS_KEY to a certificate that it accepts, and its key',
    );
  });

  it('name the file that cannot be used; the server does not start with it', async () => {
    const file = path.join(folder, 'text.pem');
    await writeFile(file, 'no certificate');
    const variables = { REDIS_URL: `rediss://127.0.0.1:${port}` };
    expect(await examine({ ...variables, REDIS_TLS_CA: file })).toBe(
      `fix: REDIS_TLS_CA: ${file} is not a certificate in PEM format -> Set it to a PEM file that this user can read`,
    );
    const server = startProgram([process.execPath, path.resolve('dist/main.js')], {
      PORT: '0',
      ...variables,
      REDIS_TLS_CA: `${file}.missing`,
    });
    expect(await server.exit).toBe(1);
    expect(server.output()).toContain(
      `REDIS_TLS_CA: expected a PEM file: ${file}.missing cannot be read: ENOENT`,
    );
  });
});

/** The rules for a user, as the documentation has them. */
async function readAdvisedRules(): Promise<readonly string[]> {
  const text = await readFile('docs/deployment.md', 'utf8');
  return [...text.matchAll(/ACL SETUSER trending on '>\.\.\.' (.*)$/gm)].map(([, rules = '']) => rules);
}

describe('the advised user', () => {
  /** Commands that affect more than our own keys. */
  const FORBIDDEN = [
    ...[
      'FLUSHALL',
      'FLUSHDB',
      'SWAPDB 0 1',
      'FUNCTION FLUSH',
      'SCRIPT FLUSH',
      'KEYS *',
      'CONFIG GET dir',
      'SHUTDOWN',
    ],
    ...[
      'REPLICAOF NO ONE',
      'CLIENT KILL TYPE normal',
      'CLUSTER RESET',
      'GET other',
      'DEL other',
      'PUBLISH a b',
    ],
  ];

  /** Runs everything that uses Redis as this user, and checks that Redis has never counted as down. */
  async function expectUsable(
    rules: string,
    nodes: readonly TestServer[],
    variables: Record<string, string>,
  ) {
    for (const { client } of nodes)
      await client.call('ACL', 'SETUSER', 'trending', 'reset', 'on', `>${PASSWORD}`, ...rules.split(' '));
    const url = (variables.REDIS_URL ?? '').replace('//', `//trending:${PASSWORD}@`);
    const settings = { ...variables, REDIS_URL: url, CREDIT_BUDGET_PER_DAY: '1000' };
    expect(await examine(settings)).toMatch(/^ok: /);
    const fleet = await startFleet(2, { ...settings, RATE_LIMIT_PER_MINUTE: '20' });
    await fleet.seeRedis('up');
    for (const replica of fleet.replicas) {
      const { errors } = await replica.query(
        '{ trendingVideos(first: 40) { edges { movement node { itemId stats { views } } } } }',
      );
      expect(errors).toBeUndefined();
      expect(
        (await replica.query('{ trendingVideosByItemId(itemIds: ["1"]) { itemId } }')).errors,
      ).toBeUndefined();
    }
    expect(new Set(fleet.emulator.bill).size).toBe(fleet.emulator.bill.length);
    await poll(async () => (await allKeys(nodes)).some((key) => key.includes(':requests:')));
    const kinds = (await allKeys(nodes)).map((key) => key.split(':')[3]);
    expect([...new Set(kinds)].sort()).toEqual(
      expect.arrayContaining([
        'budget',
        'calls',
        'changes',
        'page',
        'ranks',
        'replicas',
        'requests',
        'stats',
        'video',
      ]),
    );
    for (const { program } of fleet.replicas) expect(program.output()).not.toContain('Redis is down');
    await fleet.close();
    await expectForbidden(nodes);
  }

  async function expectForbidden(nodes: readonly TestServer[]): Promise<void> {
    for (const { client } of nodes) {
      const user = client.duplicate({ username: 'trending', password: PASSWORD, lazyConnect: true });
      for (const command of FORBIDDEN) {
        const [name = '', ...args] = command.split(' ');
        await expect(user.call(name, ...args)).rejects.toThrow(/NOPERM/);
      }
      user.disconnect();
    }
  }

  itUnless(
    whyNoNodes,
    'of a single Redis can do what the server needs, and neither flush nor swap',
    async () => {
      const redis = await startServer();
      const [rules = ''] = await readAdvisedRules();
      await expectUsable(rules, [redis], { REDIS_URL: redis.url });
      await redis.close();
    },
  );

  itUnless(whyNoNodes, 'of a cluster, likewise', async () => {
    const cluster = await startCluster('trending-graphql');
    const [, rules = ''] = await readAdvisedRules();
    const nodes = [cluster.owner, cluster.other, cluster.third];
    await expectUsable(rules, nodes, { REDIS_MODE: 'cluster', REDIS_URL: cluster.url });
    await cluster.close();
  });

  itUnless(whyNoNodes, 'should be allowed INFO: the doctor says why', async () => {
    const redis = await startServer();
    await redis.client.call('ACL', 'SETUSER', 'default', '-info');
    expect(await examine({ REDIS_URL: redis.url })).toMatch(
      /^note: 127\.0\.0\.1:\d+ responds in 0\.4 ms, and runs scripts -> Allow this user INFO \(ACL SETUSER name \+info\)/,
    );
    await redis.close();
  });

  it('is the one that the doctor advises', async () => {
    const [single = '', cluster = ''] = await readAdvisedRules();
    const advise = (variables: Record<string, string>): string | undefined => {
      const { redis } = loadConfig({ REDIS_URL: 'redis://h', ...variables });
      return redis && findTrouble(new Error('NOPERM'), redis)?.advice;
    };
    expect(advise({})?.endsWith(`: ACL SETUSER name ${single}`)).toBe(true);
    expect(advise({ REDIS_MODE: 'cluster' })?.endsWith(`: ACL SETUSER name ${cluster}`)).toBe(true);
  });
});

async function allKeys(nodes: readonly TestServer[]): Promise<string[]> {
  return (await Promise.all(nodes.map(({ client }) => client.keys('*')))).flat();
}

async function versionOf({ client }: TestServer): Promise<string | undefined> {
  return /redis_version:(\S+)/.exec(await client.info('server'))?.[1];
}
