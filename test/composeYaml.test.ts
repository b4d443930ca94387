import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { SETTLE_MS } from '../src/compose/createApp.ts';
import { ConfigError } from '../src/config/configError.ts';
import { type Config, loadConfig } from '../src/config/loadConfig.ts';
import { SETTINGS } from '../src/config/settings.ts';
import { DRAIN_MS } from '../src/server/drainOnClose.ts';
import { startApp } from './support/app.ts';

let compose: string;
let balancer: string;
let dockerfile: string;

beforeAll(async () => {
  const files = ['compose.yaml', 'deploy/haproxy.cfg', 'Dockerfile'];
  [compose = '', balancer = '', dockerfile = ''] = await Promise.all(
    files.map((file) => readFile(file, 'utf8')),
  );
});

function find(text: string, pattern: RegExp): string {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`expected ${pattern}`);
  return found;
}

/** The server's environment in compose.yaml. The value is empty for a variable that compose passes through. */
function readEnvironment(): { name: string; value: string }[] {
  const lines = compose.matchAll(/^ {6}([A-Z_]+):(?: (.+))?$/gm);
  return [...lines].map(([, name = '', value = '']) => ({ name, value }));
}

/** The settings of a replica when compose is started with these variables. */
function loadWith(variables: Record<string, string>): Config {
  const imageVariables = find(dockerfile, /^ENV (.+)$/m).split(' ');
  const composeVariables = readEnvironment().map(({ name, value }) => {
    if (value === '') return [name, variables[name]];
    return [name, value.replace(/\$\{(\w+):\+(\w+)\}/g, (_, flag, word) => (variables[flag] ? word : ''))];
  });
  return loadConfig(
    Object.fromEntries([...imageVariables.map((pair) => pair.split('=')), ...composeVariables]),
  );
}

describe('compose.yaml', () => {
  it('sets only variables that are settings of the server', () => {
    const settings = Object.keys(SETTINGS);
    const names = readEnvironment().map(({ name }) => name);
    expect(names).toContain('KEYAPI_TOKEN');
    expect(names.filter((name) => !settings.includes(name))).toEqual([]);
  });

  it.each([
    [{}, 'demo data'],
    [{ KEYAPI_TOKEN: '' }, 'demo data'],
    [{ KEYAPI_TOKEN: 'sk', KEYAPI_EMULATOR: 'true' }, 'demo data'],
    [{ KEYAPI_TOKEN: 'sk' }, 'KeyAPI'],
    [{ KEYAPI_TOKEN: 'sk', KEYAPI_EMULATOR: '' }, 'KeyAPI'],
    [{ KEYAPI_TOKEN: 'sk', KEYAPI_EMULATOR: 'false' }, 'KeyAPI'],
  ])('with %j serves %s', (variables: Record<string, string>, served) => {
    const { keyapi, host, port, redis, explorer } = loadWith(variables);
    expect(keyapi.emulator ? 'demo data' : 'KeyAPI').toBe(served);
    expect({ host, port, redis: redis?.addresses }).toEqual({
      host: '0.0.0.0',
      port: 4000,
      redis: [{ host: 'redis', port: 6379 }],
    });
    expect(explorer.sandbox).toBe(!variables.KEYAPI_TOKEN);
  });

  it('passes on what the documentation sets for it', async () => {
    const page = await readFile('docs/deployment.md', 'utf8');
    const commands = [...page.matchAll(/^(?:([A-Z_]+)=\S+ )?docker compose up --build/gm)];
    const named = ['CREDIT_BUDGET_PER_DAY', ...commands.flatMap(([, name]) => name ?? [])];
    expect(commands).toHaveLength(2);
    expect(named).toContain('KEYAPI_TOKEN');
    expect(readEnvironment()).toEqual(
      expect.arrayContaining(named.map((name) => expect.objectContaining({ name, value: '' }))),
    );
  });

  it('refuses to start without a token when it may not serve demo data', () => {
    expect(() => loadWith({ KEYAPI_EMULATOR: 'false' })).toThrow(ConfigError);
  });

  it('passes spending limits on to the server', () => {
    const limits = { CREDIT_BUDGET_PER_DAY: '500', MAX_CREDITS_PER_OPERATION: '4', KEYAPI_QPS: '2' };
    expect(loadWith(limits)).toMatchObject({
      credits: { perDay: 500, perOperation: 4 },
      keyapi: { qps: 2 },
    });
  });

  it('gives a replica time to finish requests in flight', () => {
    const seconds = Number(find(compose, /^ {2}server:.*?stop_grace_period: (\d+)s/ms));
    expect(seconds * 1000).toBeGreaterThan(DRAIN_MS + SETTLE_MS + 2000);
  });
});

describe('the load balancer', () => {
  it('is published on port 4000, and connects to replicas on the port that the image exposes', () => {
    expect(find(balancer, /^ {2}server-template \w+ \d+ (\S+)/m)).toBe(
      `server:${find(dockerfile, /^EXPOSE (\d+)$/m)}`,
    );
    expect(find(compose, /^ {6}- "4000:(\d+)"$/m)).toBe(find(balancer, /^ {2}bind :(\d+)$/m));
  });

  it('checks the health of replicas at a path that responds with 200', async () => {
    const app = await startApp(new URL('http://127.0.0.1:9'));
    const { statusCode } = await app.server.inject(find(balancer, /^ {2}option httpchk GET (\S+)$/m));
    await app.close();
    expect(statusCode).toBe(200);
  });

  it('never has an operation executed twice, and waits longer than an operation may take', () => {
    expect(find(balancer, /^ {2}retry-on (.+)$/m)).toBe('conn-failure 503');
    const seconds = Number(find(balancer, /^ {2}timeout server (\d+)s$/m));
    expect(seconds * 1000).toBeGreaterThan(loadWith({}).operationTimeoutMs);
  });
});
