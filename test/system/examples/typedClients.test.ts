import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { ResultOf, VariablesOf } from '@graphql-typed-document-node/core';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { buildSchema, isScalarType, isSpecifiedScalarType } from 'graphql';
import type { ChartResult, ChartVariables } from '../../../examples/clients/typed/chartResult.ts';
import codegen from '../../../examples/clients/typed/client-preset/codegen.ts';
import type * as preset from '../../../examples/clients/typed/client-preset/src/documents.ts';
import type * as tada from '../../../examples/clients/typed/gql-tada/src/documents.ts';
import { retryingFetch } from '../../../examples/clients/typed/retryingFetch.ts';
import { type EmulatedApp, startEmulatedApp } from '../../support/app.ts';
import { type Block, findBlocks } from '../../support/examples.ts';

const run = promisify(execFile);
const PACKAGE = 'examples/clients';
const FOLDER = `${PACKAGE}/typed`;
const { PATH = '', HOME = '' } = process.env;
/** The body of a refusal, after which there is nothing to wait for. */
const page = await readFile('docs/clients.md', 'utf8');
const blocks = findBlocks(page);

let app: EmulatedApp;
/** How many requests are refused from now on. */
let refusals: number;
/** A copy of the example, as a package of its own, for a server that has just started. */
let copy: string;

/** Runs a command in a folder of the copy; returns what it prints. */
async function runInCopy(command: string, folder = ''): Promise<string> {
  const [file = '', ...args] = command.split(' ');
  const { stdout } = await run(file, args, {
    cwd: path.join(copy, folder),
    env: { PATH, HOME, NO_COLOR: '1' },
  });
  return stdout;
}

/** Removes the generated types, then runs the commands of the page that generate them. */
async function generate(): Promise<void> {
  await rm(path.join(copy, 'client-preset/src/gql'), { recursive: true });
  await rm(path.join(copy, 'gql-tada/src/graphql-env.d.ts'));
  const commands = blocks.flatMap(({ language, text }) => (language === 'sh' ? text.trim().split('\n') : []));
  // Scripts are run one by one below.
  const [codegenCommand = '', tadaCommand = '', ...others] = commands.filter((line) =>
    /^npx (?!tsx )/.test(line),
  );
  expect(others).toEqual([]);
  await runInCopy(codegenCommand, 'client-preset');
  await runInCopy(tadaCommand, 'gql-tada');
}

/** Without the numbers on videos: those of the demo data grow every day. */
function withoutNumbers(output: string): string {
  return output.replace(/views: [\d,]+/g, 'views: N');
}

/** `true` only for identical types. */
type IsSame<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** A type without the names of what it was composed of. */
type Plain<T> = T extends object ? { [K in keyof T]: Plain<T[K]> } : T;

/** Fails to compile unless the type argument is `true`. */
function proves<_T extends true>(): void {}

describe('docs/clients.md', () => {
  beforeEach(async () => {
    refusals = 0;
    app = await startEmulatedApp({}, {}, { checkOverload: () => (refusals-- > 0 ? 'heap' : undefined) });
    const address = await app.server.listen({ port: 0, host: '127.0.0.1' });
    copy = await mkdtemp(path.join(tmpdir(), 'typed-'));
    await cp(FOLDER, copy, { recursive: true });
    await cp('schema/extensions.ts', path.join(copy, 'extensions.ts'));
    await symlink(path.resolve(PACKAGE, 'node_modules'), path.join(copy, 'node_modules'));
    await writeFile(path.join(copy, 'package.json'), '{ "private": true, "type": "module" }');
    for (const file of await readdir(copy, { recursive: true })) {
      if (file.startsWith('node_modules') || !/\.(ts|json)$/.test(file)) continue;
      const text = await readFile(path.join(copy, file), 'utf8');
      await writeFile(path.join(copy, file), text.replaceAll('http://localhost:4000', address));
    }
  });

  afterEach(async () => {
    await app.close();
    await rm(copy, { recursive: true });
  });

  it('shows whole files of the example, and shows all of them', async () => {
    const code = blocks.filter(({ language }) => !['sh', 'text'].includes(language));
    for (const { file = '', text } of code)
      expect([file, text]).toEqual([file, await readFile(file, 'utf8')]);
    const shown = new Set(code.map(({ file }) => file));
    const files = (await readdir(FOLDER, { recursive: true })).filter((file) => /\.(ts|json)$/.test(file));
    // The generated ones, and the one that stands for the copy of schema/extensions.ts.
    const isOther = (file: string) => /src\/gql\/|-env\.d\.ts$|^extensions\.ts$/.test(file);
    for (const file of files.filter((file) => !isOther(file))) expect(shown).toContain(`${FOLDER}/${file}`);
  });

  it('names packages that the example has', async () => {
    const { dependencies, devDependencies } = JSON.parse(await readFile(`${PACKAGE}/package.json`, 'utf8'));
    const installs = [...page.matchAll(/^npm install (?:--save-dev )?(.*)$/gm)];
    expect(installs).toHaveLength(7);
    for (const name of installs.flatMap(([, names = '']) => names.split(' '))) {
      const [, bare = '', major = ''] = /^(.+?)(?:@(\d+))?$/.exec(name) ?? [];
      expect({ ...dependencies, ...devDependencies }[bare]).toMatch(new RegExp(`^${major}`));
    }
  });

  it('has results and variables of exactly the types shown, with either tool', () => {
    proves<IsSame<Plain<ResultOf<typeof preset.CHART>>, Plain<ChartResult>>>();
    proves<IsSame<Plain<ResultOf<typeof tada.CHART>>, Plain<ChartResult>>>();
    proves<IsSame<Plain<VariablesOf<typeof preset.CHART>>, Plain<ChartVariables>>>();
    proves<IsSame<Plain<VariablesOf<typeof tada.CHART>>, Plain<ChartVariables>>>();
  });

  it('generates the types that are committed (npm run docs writes them), and compiles with them', async () => {
    await generate();
    for (const folder of ['client-preset/src/gql', 'gql-tada/src']) {
      const files = await readdir(path.join(FOLDER, folder));
      expect((await readdir(path.join(copy, folder))).sort()).toEqual(files.sort());
      for (const file of files) {
        const generated = await readFile(path.join(copy, folder, file), 'utf8');
        if (process.env.WRITE_DOCS) await writeFile(path.join(FOLDER, folder, file), generated);
        expect([file, generated]).toEqual([file, await readFile(path.join(FOLDER, folder, file), 'utf8')]);
      }
    }
    const config = { extends: './gql-tada/tsconfig.json', include: ['.'] };
    await writeFile(path.join(copy, 'tsconfig.json'), JSON.stringify(config));
    // The one that gql.tada needs, and ours.
    for (const modules of [`${PACKAGE}/node_modules`, 'node_modules']) {
      const compiler = path.resolve(modules, 'typescript/bin/tsc');
      expect(await runInCopy(`node ${compiler} -p .`)).toBe('');
      expect(await runInCopy(`node ${compiler} -p gql-tada`)).toBe('');
    }
  });

  it('generates the same types of documents from schema/schema.graphql', async () => {
    const config = path.join(copy, 'client-preset/codegen.ts');
    const schema = path.resolve('schema/schema.graphql');
    await writeFile(config, (await readFile(config, 'utf8')).replace(/http:.*?graphql/, schema));
    await runInCopy('npx graphql-codegen', 'client-preset');
    const file = 'client-preset/src/gql/graphql.ts';
    expect(await readFile(path.join(copy, file), 'utf8')).toBe(
      await readFile(path.join(FOLDER, file), 'utf8'),
    );
  });

  it.each(findScripts())('runs %s with the output shown', async (file, output) => {
    expect(withoutNumbers(await runInCopy(`npx tsx ${file}`))).toBe(withoutNumbers(output));
    const credits = /(\d+) credits[^\n]*\n$/.exec(output)?.[1];
    if (credits !== undefined) expect(app.emulator.counts.credits).toBe(Number(credits));
    app.claimedElsewhere = app.bill.length;
  });

  it.each(findScripts().slice(0, 2))('retries in %s', async (file, output) => {
    refusals = 2;
    expect(withoutNumbers(await runInCopy(`npx tsx ${file}`))).toBe(withoutNumbers(output));
    expect(refusals).toBeLessThan(0);
    app.claimedElsewhere = app.bill.length;
  });

  it('maps every scalar of the schema, as its values are', async () => {
    const rows = [...page.matchAll(/^\| `(\w+)` \| `(\w+)` \| .* \| `(.*)` \|$/gm)];
    const types = Object.fromEntries(rows.map(([, name = '', type = '']) => [name, type]));
    const schema = buildSchema(await readFile('schema/schema.graphql', 'utf8'));
    const scalars = Object.values(schema.getTypeMap()).filter(
      (type) => isScalarType(type) && !isSpecifiedScalarType(type),
    );
    expect(Object.keys(types).sort()).toEqual(scalars.map(({ name }) => name).sort());
    expect(codegen.generates['src/gql/']).toMatchObject({
      config: { scalars: { ...types, ID: 'string', _Any: 'unknown' } },
    });
    const tadaSetup = await readFile(`${FOLDER}/gql-tada/src/graphql.ts`, 'utf8');
    const mapped = [...tadaSetup.matchAll(/^ {4}(\w+): (\w+);$/gm)].map(([, name, type]) => [name, type]);
    expect(Object.fromEntries(mapped)).toEqual(types);
    const relay = JSON.parse(await readFile(`${PACKAGE}/relay.config.json`, 'utf8'));
    expect(relay.customScalarTypes).toEqual(types);

    const { data } = await app.query<Record<'trendingVideos', { edges: { node: object }[] }>>(
      '{ trendingVideos(first: 1) { DateTime: fetchedAt edges { history(days: 1) { Date: date } node { URL: itemUrl CountryCode: countryCode stats { SafeInt: views } } } } }',
    );
    const text = JSON.stringify(data);
    for (const [, name = '', type = '', example = ''] of rows) {
      const value: unknown = JSON.parse(new RegExp(`"${name}":("[^"]*"|\\d+)`).exec(text)?.[1] ?? 'null');
      expect(typeof value).toBe(type);
      const withoutDigits = (json: string): string => json.replace(/\d/g, '0');
      expect(withoutDigits(JSON.stringify(value))).toBe(withoutDigits(example));
    }
  });

  it('says which responses have an ETag', async () => {
    const get = async (query: string) => {
      const headers = { 'apollo-require-preflight': 'true' };
      const response = await app.server.inject({ method: 'GET', url: '/graphql', query: { query }, headers });
      return [response.headers['cache-control'], response.headers.etag];
    };
    const etag = expect.stringMatching(/^W\//);
    expect(await get('{ trendingVideos { totalCount } }')).toEqual([
      expect.stringMatching(/max-age=\d+/),
      etag,
    ]);
    for (const query of [
      '{ nothing }',
      '{ __typename }',
      '{ trendingVideo(itemId: "1") { title } }',
      '{ trendingVideos { totalCount } zz: trendingVideos(region: "ZZ") { totalCount } }',
    ])
      expect([query, ...(await get(query))]).toEqual([query, 'no-store', undefined]);
    app.claimedElsewhere = app.bill.length;
  });
});

describe('retryingFetch', () => {
  afterEach(() => void jest.restoreAllMocks());

  /** Calls it with these responses one after another; returns the last one's body, and the waits in seconds. */
  async function retry(...bodies: unknown[]): Promise<{ body: string; waits: number[] }> {
    const waits: number[] = [];
    const responses = bodies.map((body) => (typeof body === 'string' ? body : JSON.stringify(body)));
    jest.spyOn(globalThis, 'fetch').mockImplementation(async () => new Response(responses.shift()));
    jest.spyOn(globalThis, 'setTimeout').mockImplementation(((callback: () => void, ms: number) => {
      waits.push(ms / 1000);
      callback();
    }) as typeof setTimeout);
    const response = await retryingFetch('http://localhost:4000/graphql');
    const body = await response.text();
    expect(responses).toEqual([]);
    return { body, waits };
  }

  const failing = (...errors: object[]) => ({ errors: errors.map((extensions) => ({ extensions })) });
  const success = { data: {} };

  it('retries after as many seconds as the errors say, else after two and four', async () => {
    const limited = failing({ retryable: true, retryAfterSeconds: 7 }, { retryable: true });
    const failed = failing({ retryable: true }, { retryable: false });
    expect(await retry(limited, success)).toEqual({ body: JSON.stringify(success), waits: [7] });
    expect((await retry(failed, failed, success)).waits).toEqual([2, 4]);
  });

  it('returns the third response in any case', async () => {
    const failed = failing({ retryable: true, retryAfterSeconds: 1 });
    expect(await retry(failed, failed, failed)).toEqual({ body: JSON.stringify(failed), waits: [1, 1] });
  });

  it('does not retry what is not retryable, would take too long, or is no response of the API', async () => {
    const refused = failing({ retryable: false });
    const tomorrow = failing({ retryable: true, retryAfterSeconds: 3600 });
    const foreign = { errors: [{ message: '' }] };
    for (const body of [success, refused, tomorrow, foreign, '<html>'])
      expect((await retry(body)).waits).toEqual([]);
  });
});

/** The scripts that the page shows with an output. */
function findScripts(): [string, string][] {
  return blocks.flatMap(({ language, text }, index): [string, string][] => {
    const script: Block | undefined = blocks[index - 1];
    return language === 'text' ? [[path.relative(FOLDER, script?.file ?? ''), text]] : [];
  });
}
