import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import path from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { findFreePort } from '../support/freePort.ts';
import { MAIN, type Program, startProgram } from './support/program.ts';

const HEALTHCHECK = [process.execPath, path.resolve('dist/bin/healthcheck.js')];

let cleanups: (() => unknown)[] = [];
let hasIpv6: boolean;

async function listenAt(server: Server, host: string): Promise<number> {
  server.listen(0, host);
  await once(server, 'listening');
  cleanups.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** Runs the health check; returns its exit code and what it printed. */
async function check(variables: Record<string, string>): Promise<{ code: number | null; output: string }> {
  const program = startProgram(HEALTHCHECK, variables);
  const code = await program.exit;
  return { code, output: program.output() };
}

/** Starts the server at this address. */
async function serve(HOST: string): Promise<{ program: Program; variables: Record<string, string> }> {
  const program = startProgram([process.execPath, MAIN], { HOST, PORT: '0' });
  cleanups.push(async () => {
    program.child.kill('SIGKILL');
    await program.exit;
  });
  const [, port = ''] = await program.see(/GraphQL at http:\S+:(\d+)\/graphql.*Health/s);
  return { program, variables: { HOST, PORT: port } };
}

beforeAll(async () => {
  const server = createTcpServer().listen(0, '::1');
  hasIpv6 = await once(server, 'listening').then(
    () => true,
    () => false,
  );
  server.close();
});
afterEach(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
  cleanups = [];
});

describe('dist/bin/healthcheck.js', () => {
  it.each(['127.0.0.1', '0.0.0.0', 'localhost', '::', '::1'])(
    'asks a server that listens at %s',
    async (host) => {
      if (host.includes(':') && !hasIpv6) return;
      const { program, variables } = await serve(host);
      expect(await check(variables)).toEqual({ code: 0, output: '' });
      program.child.kill('SIGTERM');
      expect(await program.exit).toBe(0);
      const { code, output } = await check(variables);
      expect(code).toBe(1);
      expect(output).toMatch(/^Not healthy: http:\/\/\S+\/livez: .*ECONNREFUSED.*\n$/);
    },
  );

  it('asks where the server listens, and nowhere else', async () => {
    const server = createServer((_request, response) => response.end());
    const PORT = String(await listenAt(server, '127.0.0.1'));
    expect(await check({ PORT })).toEqual({ code: 0, output: '' });
    expect(await check({ PORT, HOST: '' })).toEqual({ code: 0, output: '' });
    const other = await check({ PORT, HOST: 'server.invalid' });
    expect(other.code).toBe(1);
    expect(other.output).toMatch(
      new RegExp(`^Not healthy: http://server\\.invalid:${PORT}/livez: \\S.*\\n$`),
    );
  });

  it('tries both kinds of addresses for a server that listens at all of them', async () => {
    // Such as in a container without an IPv6 loopback: only this one responds.
    const server = createServer((_request, response) => response.end());
    const PORT = String(await listenAt(server, '127.0.0.1'));
    expect(await check({ PORT, HOST: '::' })).toEqual({ code: 0, output: '' });
    const nobody = String(await findFreePort());
    const { code, output } = await check({ PORT: nobody, HOST: '::' });
    expect(code).toBe(1);
    expect(output).toMatch(
      new RegExp(
        `^Not healthy: http://\\[::1\\]:${nobody}/livez: .*; http://127\\.0\\.0\\.1:${nobody}/livez: .*\\n$`,
      ),
    );
  });

  it.each([404, 503])('says that it got %i', async (status) => {
    const server = createServer((_request, response) => response.writeHead(status).end());
    const PORT = String(await listenAt(server, '127.0.0.1'));
    const output = `Not healthy: http://127.0.0.1:${PORT}/livez: expected HTTP 200, but got: ${status}\n`;
    expect(await check({ PORT })).toEqual({ code: 1, output });
  });

  it('says that it got no response, before Docker ends it', async () => {
    const server = createTcpServer((socket) => void cleanups.push(() => socket.destroy()));
    const PORT = String(await listenAt(server, '127.0.0.1'));
    const output = `Not healthy: no response from 127.0.0.1, port ${PORT}, within 2 s\n`;
    expect(await check({ PORT })).toEqual({ code: 1, output });
  });

  it('says that the port is none', async () => {
    const { code, output } = await check({ PORT: '4000x' });
    expect(code).toBe(1);
    expect(output).toMatch(/^Not healthy: http:\/\/127\.0\.0\.1:4000x\/livez: .+\n$/);
  });

  it('uses no proxy', async () => {
    const server = createServer((_request, response) => response.end());
    const PORT = String(await listenAt(server, '127.0.0.1'));
    const proxy = 'http://127.0.0.1:9';
    const variables = {
      PORT,
      HTTP_PROXY: proxy,
      http_proxy: proxy,
      ALL_PROXY: proxy,
      NODE_USE_ENV_PROXY: '1',
    };
    expect(await check(variables)).toEqual({ code: 0, output: '' });
  });
});
