import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createEmulator, type Emulator } from '../../src/keyapi/emulator/emulator.ts';
import { makeCertificate } from '../support/certificate.ts';
import { findFreePort } from '../support/freePort.ts';
import { itUnless } from './support/describeWith.ts';
import { poll } from './support/poll.ts';
import { startProgram } from './support/program.ts';
import { describeWithRedis, startRedis, type TestRedis, whyNoTls } from './support/redis.ts';

const DOCTOR = path.resolve('dist/bin/doctor.js');
const TOKEN = 'sk-secret-token-42';
const PASSWORD = 'pass-w0rd-never-shown';

let emulator: Emulator;
let base: string;
let folder: string;

beforeEach(async () => {
  emulator = createEmulator({ token: TOKEN });
  base = (await emulator.listen()).origin;
  folder = await mkdtemp(path.join(tmpdir(), 'doctor-'));
});

afterEach(async () => {
  await emulator.close();
  await rm(folder, { recursive: true });
});

/** Runs the doctor with only these variables; returns its exit code and its output. */
async function runDoctor(variables: Record<string, string>, ...args: string[]) {
  const program = startProgram([process.execPath, DOCTOR, ...args], variables);
  const code = await program.exit;
  const output = program.output();
  expect(output).not.toMatch(/secret-token|never-shown|key-of-a-client|\n {4}at /);
  return { code, output };
}

/** Settings of a server that uses KeyAPI: here the emulator. */
function onKeyapi(variables: Record<string, string> = {}): Record<string, string> {
  return { KEYAPI_BASE_URL: base, KEYAPI_TOKEN: TOKEN, CREDIT_BUDGET_PER_DAY: '100', ...variables };
}

describe('dist/bin/doctor.js', () => {
  it.each([
    [['--nope'], 1, "Unknown option '--nope'"],
    [['--help'], 0, 'Usage: npm run doctor'],
  ])('prints its usage when called with %j', async (args, code, text) => {
    const found = await runDoctor({}, ...args);
    expect(found.output).toContain(text);
    expect(found.output).toContain('3 credits');
    expect(found.code).toBe(code);
  });

  it('reads .env in its working folder as the server does', async () => {
    await writeFile(path.join(folder, '.env'), `KEYAPI_BASE_URL=${base}\nKEYAPI_TOKEN=${TOKEN}\nPORT=x\n`);
    const wrong = startProgram([process.execPath, DOCTOR], {}, folder);
    expect(await wrong.exit).toBe(1);
    expect(wrong.output()).toMatch(/^\.env +ok +\S+\.env has 3 settings$/m);
    expect(wrong.output()).toMatch(/^PORT +fix +expected a whole number from 0 to 65535, but got: "x"$/m);
    const right = startProgram([process.execPath, DOCTOR], { PORT: '0' }, folder);
    expect(await right.exit).toBe(0);
    expect(right.output()).toMatch(/^\.env +note +not used, because the environment has them too: PORT$/m);
    expect(right.output()).toMatch(/^KeyAPI +ok +http:.* can be reached$/m);
    expect(right.output()).not.toContain(TOKEN);
  });

  it('exits with 1 when something needs fixing', async () => {
    const { code, output } = await runDoctor({ PORT: 'x' });
    expect(output).toMatch(/^PORT +fix +expected a whole number/m);
    expect(code).toBe(1);
  });

  it('reports that the host of KeyAPI is unknown, and spends nothing', async () => {
    const { code, output } = await runDoctor(
      onKeyapi({ KEYAPI_BASE_URL: 'https://keyapi.invalid' }),
      '--call',
    );
    expect(output).toMatch(
      /^KeyAPI +fix +DNS (does not know the host|does not respond for) "keyapi\.invalid"$/m,
    );
    expect(output).toMatch(/^Token +skipped +not checked: KeyAPI cannot be reached$/m);
    expect(output).not.toContain('credits');
    expect(code).toBe(1);
  });

  itUnless(whyNoTls, 'reports that a certificate is not trusted, and how to trust it', async () => {
    const { key, cert } = makeCertificate('127.0.0.1');
    const certFile = path.join(folder, 'cert.pem');
    await writeFile(certFile, cert);
    const server = createTlsServer({ key, cert });
    server.on('tlsClientError', () => undefined).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const variables = onKeyapi({ KEYAPI_BASE_URL: `https://127.0.0.1:${port}` });
    const { code, output } = await runDoctor(variables);
    expect(output).toMatch(/^KeyAPI +fix +TLS: the certificate of .* is not trusted/m);
    expect(output).toMatch(/-> .*NODE_EXTRA_CA_CERTS/);
    expect(code).toBe(1);
    const trusting = await runDoctor({ ...variables, NODE_EXTRA_CA_CERTS: certFile });
    expect(trusting.output).toMatch(/^KeyAPI +ok +https:.* can be reached over TLS$/m);
    expect(trusting.code).toBe(0);
    server.close();
  });
});

describeWithRedis('the Redis check of the doctor', () => {
  let redis: TestRedis;

  beforeEach(async () => {
    redis = await startRedis();
  });

  afterEach(async () => {
    redis.thaw();
    await redis.close();
  });

  function withUser(user: string, password: string): Record<string, string> {
    const url = new URL(redis.url);
    url.username = user;
    url.password = password;
    return onKeyapi({ REDIS_URL: url.href });
  }

  it('reports that Redis responds and runs scripts, and leaves no key behind', async () => {
    const { code, output } = await runDoctor(onKeyapi({ REDIS_URL: redis.url }));
    expect(output).toMatch(
      /^Redis +ok +127\.0\.0\.1:\d+ responds in [\d.]+ ms, version \S+, and runs scripts$/m,
    );
    expect(code).toBe(0);
    await poll(async () => (await redis.client.keys('*')).length === 0);
  });

  it('reports a missing and a wrong password', async () => {
    await redis.client.config('SET', 'requirepass', PASSWORD);
    const missing = await runDoctor(onKeyapi({ REDIS_URL: `redis://${new URL(redis.url).host}` }));
    expect(missing.output).toMatch(/^Redis +fix .*it requires a password$/m);
    const wrong = await runDoctor(withUser('', `${PASSWORD}-not`));
    expect(wrong.output).toMatch(/^Redis +fix .*it does not accept the user or the password$/m);
    const right = await runDoctor(withUser('', PASSWORD));
    expect(right.output).toMatch(/^Redis +ok /m);
    expect([missing.code, wrong.code, right.code]).toEqual([1, 1, 0]);
    await redis.client.config('SET', 'requirepass', '');
  });

  it('reports that a user is not allowed to run scripts, until its advice is followed', async () => {
    await redis.client.call('ACL', 'SETUSER', 'app', 'on', `>${PASSWORD}`, '~*', '+@all', '-@scripting');
    const forbidden = await runDoctor(withUser('app', PASSWORD));
    expect(forbidden.output).toMatch(
      /^Redis +fix .*is not allowed to run all commands that are needed, scripts above all$/m,
    );
    const [, rules = ''] = /ACL SETUSER name (.*)$/m.exec(forbidden.output) ?? [];
    await redis.client.call('ACL', 'SETUSER', 'app', 'reset', 'on', `>${PASSWORD}`, ...rules.split(' '));
    const allowed = await runDoctor(withUser('app', PASSWORD));
    expect(allowed.output).toMatch(/^Redis +ok .*runs scripts$/m);
    expect([forbidden.code, allowed.code]).toEqual([1, 0]);
    await redis.client.call('ACL', 'DELUSER', 'app');
  });

  it('reports that nothing listens, that the database does not exist, and that Redis hangs', async () => {
    const notListening = await runDoctor(
      onKeyapi({ REDIS_URL: `redis://127.0.0.1:${await findFreePort()}` }),
    );
    expect(notListening.output).toMatch(/^Redis +fix +nothing listens on /m);
    const database = await runDoctor(onKeyapi({ REDIS_URL: `${redis.url}/9999` }));
    expect(database.output).toMatch(/^Redis +fix .*it has no such database$/m);
    redis.freeze();
    const frozen = await runDoctor(onKeyapi({ REDIS_URL: redis.url }));
    expect(frozen.output).toMatch(/^Redis +(fix .*does not respond|ok )/m);
  });
});
