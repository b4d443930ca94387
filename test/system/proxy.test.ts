import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as sendRequest } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Certificate, makeCertificate } from '../support/certificate.ts';
import { type HttpProxy, refuse, startHttpProxy } from '../support/httpProxy.ts';
import { describeWith } from './support/describeWith.ts';
import { startEmulator, type TestEmulator } from './support/emulator.ts';
import { MAIN, PATIENT, type Program, postQuery, startProgram } from './support/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from './support/redis.ts';

const QUERY = '{ trendingVideos { totalCount } }';
const PASSWORD = 'pass-w0rd-never-shown';
const PAID = {
  data: { trendingVideos: { totalCount: 500 } },
  extensions: { upstream: { source: 'keyapi', requests: 1, credits: 2 } },
};

let emulator: TestEmulator;
let cleanups: (() => unknown)[] = [];

beforeEach(async () => {
  emulator = await startEmulator();
  cleanups = [() => emulator.close()];
});
afterEach(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

function emulatorPort(): number {
  return Number(new URL(emulator.variables.KEYAPI_BASE_URL ?? '').port);
}

async function startProxy(options: Partial<Parameters<typeof startHttpProxy>[0]> = {}): Promise<HttpProxy> {
  const proxy = await startHttpProxy({ targetPort: emulatorPort(), ...options });
  cleanups.push(() => proxy.close());
  return proxy;
}

/** The address of a proxy, with a user and a password. */
function addressOf({ url }: HttpProxy): string {
  return `${url.protocol}//user:${PASSWORD}@${url.host}`;
}

/** Starts the server; sends a query to it. */
async function query(variables: Record<string, string>): Promise<{ program: Program; result: unknown }> {
  const program = startProgram([process.execPath, MAIN], { ...PATIENT, PORT: '0', ...variables });
  cleanups.push(async () => {
    program.child.kill('SIGKILL');
    await program.exit;
  });
  const [, url = ''] = await program.see(/GraphQL at (http:\S+\/graphql)/);
  return { program, result: await postQuery(url, QUERY) };
}

describe('the server behind a proxy', () => {
  it.each(['HTTP_PROXY', 'http_proxy'])('reaches KeyAPI through %s, for the same credits', async (name) => {
    const proxy = await startProxy();
    const { program, result } = await query({ ...emulator.variables, [name]: addressOf(proxy) });
    expect(result).toMatchObject(PAID);
    const address = `http://***@${proxy.url.host}`;
    expect(program.output()).toContain(`KeyAPI is reached through the proxy ${address} (${name})"`);
    expect(proxy.forwarded).toMatchObject([
      { target: expect.stringContaining(`http://127.0.0.1:${emulatorPort()}/v1/`) },
    ]);
    expect(emulator.counts).toMatchObject({ requests: 1, credits: 2 });
    program.child.kill('SIGTERM');
    expect(await program.exit).toBe(0);
    expect(program.output()).not.toMatch(/never-shown|"level":"(warn|error|fatal)"|Warning/);
  });

  it('reaches it directly if NO_PROXY includes it', async () => {
    const proxy = await startProxy();
    const NO_PROXY = `a.example, 127.0.0.1:${emulatorPort()}`;
    const { result } = await query({ ...emulator.variables, HTTP_PROXY: addressOf(proxy), NO_PROXY });
    expect(result).toMatchObject(PAID);
    expect([proxy.forwarded, proxy.connects, emulator.counts.credits]).toEqual([[], [], 2]);
  });

  it('never reaches the demo data through it', async () => {
    const proxy = await startProxy();
    const address = addressOf(proxy);
    const { result } = await query({
      HTTP_PROXY: address,
      http_proxy: address,
      HTTPS_PROXY: address,
      NODE_USE_ENV_PROXY: '1',
    });
    expect(result).toMatchObject({
      extensions: { upstream: { source: 'emulator', requests: 1, credits: 2 } },
    });
    expect([proxy.forwarded, proxy.connects, proxy.connections()]).toEqual([[], [], 0]);
  });

  it('spends nothing if the proxy refuses, and logs why, without the password', async () => {
    const proxy = await startProxy({ onConnect: refuse(407) });
    const { program, result } = await query({
      ...emulator.variables,
      KEYAPI_BASE_URL: 'https://keyapi.test',
      HTTPS_PROXY: addressOf(proxy),
    });
    expect(result).toMatchObject({
      errors: [{ extensions: { code: 'UPSTREAM_UNAVAILABLE' } }],
      extensions: { upstream: { requests: 0, credits: 0 } },
    });
    const detail = `proxy ${proxy.url.origin}: expected HTTP 200 to CONNECT keyapi.test:443, but got: 407`;
    await program.see(/"msg":"No connection to KeyAPI/);
    expect(program.output()).toContain(detail);
    expect(program.output()).not.toContain('never-shown');
  });

  it('does not start if the address of the proxy is wrong, and says why', async () => {
    const variables = { https_proxy: `socks5://user:${PASSWORD}@proxy:1080`, PORT: 'x' };
    const program = startProgram([process.execPath, MAIN], variables);
    expect(await program.exit).toBe(1);
    expect(program.output()).toMatch(
      /"setting":"https_proxy","msg":"https_proxy: expected an http or https address of a proxy, .* but got: \\"socks5:\/\/\*\*\*@proxy:1080/,
    );
    expect(program.output()).toMatch(/"setting":"PORT"/);
    expect(program.output()).not.toContain('never-shown');
  });

  describeWith('openssl', 'for https', () => {
    let proxyCertificate: Certificate;
    let file: string;
    let port: number;

    beforeEach(async () => {
      const folder = await mkdtemp(path.join(tmpdir(), 'proxy-'));
      cleanups.push(() => rm(folder, { recursive: true }));
      const certificate = makeCertificate('keyapi.test');
      proxyCertificate = makeCertificate('127.0.0.1');
      file = path.join(folder, 'certs.pem');
      await writeFile(file, `${certificate.cert}\n${proxyCertificate.cert}`);
      // The emulator, over TLS.
      const server = createServer(certificate, ({ url, headers }, response) => {
        sendRequest({ host: '127.0.0.1', port: emulatorPort(), path: url, headers }, (received) => {
          response.writeHead(received.statusCode ?? 0, received.headers);
          received.pipe(response);
        }).end();
      }).listen(0, '127.0.0.1');
      server.on('tlsClientError', () => undefined);
      await once(server, 'listening');
      cleanups.push(() => {
        server.close();
        server.closeAllConnections();
      });
      ({ port } = server.address() as AddressInfo);
    });

    it.each([false, true])('reaches KeyAPI through HTTPS_PROXY (itself over TLS: %s)', async (isTls) => {
      const proxy = await startProxy({ targetPort: port, ...(isTls && { certificate: proxyCertificate }) });
      const { program, result } = await query({
        ...emulator.variables,
        KEYAPI_BASE_URL: 'https://keyapi.test',
        HTTPS_PROXY: addressOf(proxy),
        HTTP_PROXY: 'http://127.0.0.1:9',
        NODE_EXTRA_CA_CERTS: file,
      });
      expect(result).toMatchObject(PAID);
      const authorization = `Basic ${Buffer.from(`user:${PASSWORD}`).toString('base64')}`;
      expect(proxy.connects).toEqual([
        {
          destination: 'keyapi.test:443',
          headers: {
            host: 'keyapi.test:443',
            connection: 'keep-alive',
            'proxy-authorization': authorization,
          },
        },
      ]);
      expect([proxy.forwarded, emulator.counts.credits]).toEqual([[], 2]);
      expect(program.output()).not.toContain('never-shown');
    });

    it('refuses a certificate for another host, and spends nothing', async () => {
      const proxy = await startProxy({ targetPort: port });
      const { result } = await query({
        ...emulator.variables,
        KEYAPI_BASE_URL: 'https://other.test',
        HTTPS_PROXY: addressOf(proxy),
        NODE_EXTRA_CA_CERTS: file,
      });
      expect(result).toMatchObject({
        errors: [{ extensions: { code: 'UPSTREAM_UNAVAILABLE' } }],
        extensions: { upstream: { requests: 0, credits: 0 } },
      });
      expect(emulator.counts.requests).toBe(0);
    });
  });
});

describeWithRedis('Redis beside a proxy', () => {
  let redis: TestRedis;

  beforeEach(async () => {
    redis = await startRedis();
    cleanups.push(() => redis.close());
  });

  it('is reached directly', async () => {
    const proxy = await startProxy();
    const address = addressOf(proxy);
    const { program } = await query({ REDIS_URL: redis.url, HTTP_PROXY: address, HTTPS_PROXY: address });
    const [, origin = ''] = await program.see(/Health at (http:\S+)\/readyz/);
    const { redis: state } = (await (await fetch(`${origin}/readyz`)).json()) as { redis: string };
    expect([state, proxy.connects, proxy.forwarded, proxy.connections()]).toEqual(['up', [], [], 0]);
  });
});
