import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findBlocks } from '../support/examples.ts';
import { makeSuccess, reply, startUpstream, type Upstream } from '../support/upstream.ts';
import { type CollectedSpan, type Collector, startCollector } from './support/collector.ts';
import { poll } from './support/poll.ts';
import { MAIN, PATIENT, type Program, startProgram } from './support/program.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
/** What collections of instrumentations load, too. */
const HOOK = `import { register } from 'node:module';
register('@opentelemetry/instrumentation/hook.mjs', import.meta.url);
`;

let program: Program | undefined;
let folder: string;
let collector: Collector;
let upstream: Upstream;
/** Names of the headers that KeyAPI has received. */
let sentHeaders: string[];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tracing-'));
  // The folder has the packages that the module imports, and nothing else of the repository.
  await symlink(path.resolve('node_modules'), path.join(folder, 'node_modules'));
  await writeFile(path.join(folder, 'hook.mjs'), HOOK);
  collector = await startCollector();
  sentHeaders = [];
  upstream = await startUpstream((request, response) => {
    sentHeaders.push(...Object.keys(request.headers));
    reply(makeSuccess())(request, response);
  });
});

afterEach(async () => {
  program?.child.kill('SIGKILL');
  await program?.exit;
  await upstream.close();
  await collector.close();
  await rm(folder, { recursive: true });
});

/** Starts the built server with these options of Node; returns its address. */
async function start(options: readonly string[]): Promise<string> {
  program = startProgram(
    [process.execPath, ...options, MAIN],
    {
      ...PATIENT,
      PORT: '0',
      KEYAPI_BASE_URL: upstream.url.origin,
      KEYAPI_TOKEN: 'sk-0123456789',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    },
    folder,
  );
  const [, url = ''] = await program.see(/GraphQL at (http:\S+)\/graphql/);
  return url;
}

/** The module of the page, and the command that loads it. */
async function readPage(): Promise<{ module: string; command: string | undefined; install: string }> {
  const blocks = findBlocks(await readFile('docs/operations.md', 'utf8'));
  const [install, module, command] = blocks.filter(({ heading }) => heading === 'Tracing');
  return { module: module?.text ?? '', command: command?.text, install: install?.text ?? '' };
}

const send = (url: string) =>
  fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      traceparent: `00-${TRACE_ID}-${CALLER}-01`,
      baggage: 'user=somebody',
    },
    body: JSON.stringify({ query: 'query Bundled { trendingVideos { totalCount } }' }),
  });

/** The spans of the trace, from a span down to the last of its descendants, where each has one child. */
function pathDown(spans: readonly CollectedSpan[], from: string | undefined): CollectedSpan[] {
  const child = spans.find(({ parentSpanId }) => parentSpanId === from);
  return child ? [child, ...pathDown(spans, child.spanId)] : [];
}

describe('the tracing SDK, set up as docs/operations.md shows', () => {
  it.each([
    ['without', []],
    ['with', ['--import', './hook.mjs']],
  ])(
    'joins the spans of a request in one trace, which the log names, %s the loader hook',
    async (_with, hook) => {
      const { module, command } = await readPage();
      expect(command).toBe('node --import ./otel.mjs dist/main.js\n');
      await writeFile(path.join(folder, 'otel.mjs'), module);
      const url = await start([...hook, '--import', './otel.mjs']);
      await fetch(`${url}/readyz`);
      await fetch(`${url}/livez`);
      expect((await send(url)).status).toBe(200);
      await poll(() => collector.spans.some(({ name }) => name === 'POST /graphql'));
      const [http, operation, page, call, ...more] = pathDown(collector.spans, CALLER);
      expect(more).toEqual([]);
      expect(http).toMatchObject({
        name: 'POST /graphql',
        kind: 2,
        attributes: {
          'http.route': '/graphql',
          'http.request.method': 'POST',
          'http.response.status_code': 200,
        },
      });
      expect(operation).toMatchObject({
        name: 'query',
        kind: 1,
        attributes: { 'graphql.operation.type': 'query', 'graphql.operation.name': 'Bundled' },
      });
      expect(page?.name).toBe('page');
      expect(call).toMatchObject({
        name: 'upstream call',
        kind: 3,
        attributes: { 'server.address': '127.0.0.1', 'server.port': Number(upstream.url.port) },
      });
      // Neither the health checks nor what is sent to the collector has spans.
      expect(collector.spans.map(({ traceId }) => traceId)).toEqual(
        Array.from({ length: 4 }, () => TRACE_ID),
      );
      expect(sentHeaders.sort()).toEqual(['accept', 'authorization', 'connection', 'host']);
      const line = /\{[^\n]*"msg":"Operation"\}/.exec(program?.output() ?? '')?.[0] ?? '{}';
      expect(JSON.parse(line)).toMatchObject({ traceId: TRACE_ID, spanId: operation?.spanId });
    },
  );

  it('names the span of each route, if health checks are not ignored', async () => {
    const { module } = await readPage();
    const everything = module.replace(/ignoreIncomingRequestHook: .*\n/, '\n');
    expect(everything).not.toBe(module);
    await writeFile(path.join(folder, 'otel.mjs'), everything);
    const url = await start(['--import', './otel.mjs']);
    for (const route of ['/livez', '/readyz', '/nothing']) await fetch(url + route);
    await poll(() => collector.spans.length >= 3);
    expect(collector.spans.map(({ name, attributes }) => [name, attributes['http.route']])).toEqual([
      ['GET /livez', '/livez'],
      ['GET /readyz', '/readyz'],
      ['GET', undefined],
    ]);
  });

  it('needs the packages that the page installs, in the versions that the tests have', async () => {
    const { module, install } = await readPage();
    const imported = [...module.matchAll(/from '(.*)'/g)].map(([, name]) => name);
    const installed = [...install.matchAll(/(@opentelemetry\/[\w-]+)@(\S+)/g)];
    expect(installed.map(([, name]) => name).sort()).toEqual(imported.sort());
    const { devDependencies } = JSON.parse(await readFile('package.json', 'utf8'));
    for (const [, name = '', version = ''] of installed)
      expect([name, `${devDependencies[name]}.`.startsWith(`${version}.`)]).toEqual([name, true]);
  });
});

describe("OpenTelemetry's loader hook", () => {
  it('leaves the server as it is', async () => {
    const url = await start(['--import', './hook.mjs']);
    const response = await send(url);
    expect(await response.json()).toMatchObject({
      data: { trendingVideos: { totalCount: expect.any(Number) } },
    });
  });

  it.each(['doctor', 'emulator', 'printSchema', 'printSubgraph', 'healthcheck'])(
    'leaves the program %s as it is',
    async (name) => {
      const file = path.resolve(`dist/bin/${name}.js`);
      const run = async (options: readonly string[]) => {
        const variables = { PORT: '0' };
        const args = name === 'emulator' ? ['--help'] : [];
        const { exit, output } = startProgram(
          [process.execPath, ...options, file, ...args],
          variables,
          folder,
        );
        return { code: await exit, output: output().replace(/\d+ ms/g, 'some ms') };
      };
      expect(await run(['--import', './hook.mjs'])).toEqual(await run([]));
    },
  );
});
