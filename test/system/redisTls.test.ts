import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { findFreePort } from '../support/freePort.ts';
import { type Authority, type CertificateFiles, createAuthority } from './support/authority.ts';
import { describeUnless } from './support/describeWith.ts';
import { type Fleet, type Replica, startFleet } from './support/fleet.ts';
import { poll } from './support/poll.ts';
import { startServer, type TestServer, whyNoTls } from './support/redis.ts';
import { SENTINEL_NAME } from './support/redisSentinel.ts';

let folder: string;
let authority: Authority;
let server: CertificateFiles;
let client: CertificateFiles;
/** Signed by another authority. */
let stranger: CertificateFiles;
let fleet: Fleet | undefined;
let servers: TestServer[] = [];

/** Starts a Redis with a second port, for TLS; returns that port. */
async function startTls(...args: readonly string[]): Promise<{ port: number; redis: TestServer }> {
  const port = await findFreePort();
  const files = [
    '--tls-cert-file',
    server.cert,
    '--tls-key-file',
    server.key,
    '--tls-ca-cert-file',
    authority.ca,
  ];
  const redis = await startServer('--tls-port', String(port), ...files, ...args);
  servers.push(redis);
  return { port, redis };
}

async function start(variables: Record<string, string>): Promise<Replica> {
  fleet = await startFleet(1, variables);
  return fleet.replicas[0] as Replica;
}

async function expectUp(replica: Replica): Promise<void> {
  await poll(async () => (await replica.readiness()).redis === 'up');
  expect((await replica.query('{ trendingVideos { totalCount } }')).errors).toBeUndefined();
  expect(replica.program.output()).not.toMatch(/warning/i);
}

/** The text that the log has as advice. */
async function adviceOf({ program }: Replica): Promise<string | undefined> {
  return (await program.see(/"advice":"([^"]*)".*Redis is down/))[1];
}

describeUnless(whyNoTls, 'rediss://', () => {
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tls-'));
    authority = createAuthority(folder, 'authority');
    server = authority.sign('server');
    client = authority.sign('client');
    stranger = createAuthority(folder, 'another').sign('client');
  });

  afterEach(async () => {
    await fleet?.close();
    fleet = undefined;
    await Promise.all(servers.map((redis) => redis.close()));
    servers = [];
  });

  afterAll(() => rm(folder, { recursive: true }));

  it.each(['REDIS_TLS_CA', 'NODE_EXTRA_CA_CERTS'])('trusts the authority in %s', async (variable) => {
    const { port } = await startTls('--tls-auth-clients', 'no');
    await expectUp(await start({ REDIS_URL: `rediss://127.0.0.1:${port}`, [variable]: authority.ca }));
  });

  it('does not trust another authority', async () => {
    const { port } = await startTls('--tls-auth-clients', 'no');
    const replica = await start({ REDIS_URL: `rediss://127.0.0.1:${port}` });
    expect(await adviceOf(replica)).toMatch(/set REDIS_TLS_CA to the certificate/);
    expect(await replica.readiness()).toMatchObject({ status: 'ok', redis: 'down' });
  });

  it('shows the certificate in REDIS_TLS_CERT to a Redis that requires one', async () => {
    const { port } = await startTls();
    const own = { REDIS_TLS_CERT: client.cert, REDIS_TLS_KEY: client.key };
    await expectUp(
      await start({ REDIS_URL: `rediss://127.0.0.1:${port}`, REDIS_TLS_CA: authority.ca, ...own }),
    );
  });

  it('says that a Redis requires a certificate', async () => {
    const { port } = await startTls();
    const replica = await start({ REDIS_URL: `rediss://127.0.0.1:${port}`, REDIS_TLS_CA: authority.ca });
    expect(await adviceOf(replica)).toMatch(/^Set REDIS_TLS_CERT and REDIS_TLS_KEY/);
  });

  it('uses a renewed certificate from the next connection on', async () => {
    const { port } = await startTls();
    const [cert, key] = ['renewed.pem', 'renewed.key'].map((name) => path.join(folder, name)) as [
      string,
      string,
    ];
    const use = (one: CertificateFiles) => Promise.all([copyFile(one.cert, cert), copyFile(one.key, key)]);
    await use(stranger);
    const own = { REDIS_TLS_CERT: cert, REDIS_TLS_KEY: key };
    const replica = await start({
      REDIS_URL: `rediss://127.0.0.1:${port}`,
      REDIS_TLS_CA: authority.ca,
      ...own,
    });
    expect(await adviceOf(replica)).toMatch(/^Set REDIS_TLS_CERT to a certificate that is valid/);
    await use(client);
    await expectUp(replica);
  });

  it.each([
    ['up', 'its address', () => server],
    ['up', 'a name in REDIS_URL', () => authority.sign('named', 'DNS:localhost')],
    ['down', 'another name', () => authority.sign('other', 'DNS:redis.example')],
  ])(
    'is %s when the nodes of a cluster, named by address, have a certificate for %s',
    async (state, _, toCertificate) => {
      const { cert, key } = toCertificate();
      const { port, redis } = await startTls(
        ...[
          '--tls-cert-file',
          cert,
          '--tls-key-file',
          key,
          '--tls-auth-clients',
          'no',
          '--tls-cluster',
          'yes',
        ],
        ...['--cluster-enabled', 'yes', '--cluster-port', String(await findFreePort())],
        ...['--cluster-announce-ip', '127.0.0.1'],
      );
      await redis.client.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
      const url = `rediss://localhost:${port}`;
      const replica = await start({ REDIS_MODE: 'cluster', REDIS_URL: url, REDIS_TLS_CA: authority.ca });
      if (state === 'up') await expectUp(replica);
      else expect(await adviceOf(replica)).toMatch(/^Let it be for the name/);
    },
  );

  it('is used for the sentinels and the primary', async () => {
    const mutual = ['--tls-auth-clients', 'yes', '--tls-replication', 'yes'];
    const primary = await startTls(...mutual);
    const sentinel = await startTls(
      ...mutual,
      '--sentinel',
      ...['--sentinel', 'monitor', SENTINEL_NAME, '127.0.0.1', String(primary.port), '1'],
    );
    await expectUp(
      await start({
        REDIS_MODE: 'sentinel',
        REDIS_SENTINEL_NAME: SENTINEL_NAME,
        REDIS_URL: `rediss://127.0.0.1:${sentinel.port}`,
        REDIS_TLS_CA: authority.ca,
        REDIS_TLS_CERT: client.cert,
        REDIS_TLS_KEY: client.key,
      }),
    );
  });
});
