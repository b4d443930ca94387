import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import lzString from 'lz-string';
import { toConfigurationMarkdown, toEnvExample } from '../src/config/renderSettings.ts';
import { SETTINGS, type Setting } from '../src/config/settings.ts';
import { createEmulator } from '../src/keyapi/emulator/emulator.ts';
import { UNMOVED_DAY } from '../src/keyapi/emulator/scores.ts';
import { startApp, type TestApp } from './support/app.ts';
import { range } from './support/charts.ts';
import { createTestClock } from './support/clock.ts';
import { findBlocks } from './support/examples.ts';
import { OPERATIONS } from './support/operations.ts';

describe("the README's examples", () => {
  let app: TestApp;
  let examples: { query: string; result: unknown }[];

  beforeAll(async () => {
    const demo = { KEYAPI_EMULATOR: 'true' };
    app = await startApp(new URL('http://127.0.0.1:9'), demo, { clock: createTestClock() });
    const blocks = [...(await readFile('README.md', 'utf8')).matchAll(/^```(\w+)\n(.*?)^```$/gms)];
    examples = blocks.flatMap(([, language = '', text = ''], index) => {
      const [, resultLanguage, result = ''] = blocks[index + 1] ?? [];
      if (resultLanguage !== 'json') return [];
      const query = language === 'sh' ? JSON.parse(/-d '(.*)'/s.exec(text)?.[1] ?? '{}').query : text;
      return [{ query, result: JSON.parse(result) }];
    });
  });

  afterAll(() => app.close());

  /** The numbers of the demo data grow every day. */
  const withoutNumbers = (result: unknown): unknown =>
    JSON.parse(JSON.stringify(result), (name, value) =>
      ['views', 'likes', 'shares'].includes(name) ? typeof value : value,
    );

  it('give the results shown, in the order shown, at the cost shown', async () => {
    expect(examples).toHaveLength(6);
    for (const { query, result } of examples)
      expect(withoutNumbers(await app.query(query))).toEqual(withoutNumbers(result));
  });

  it('hold on any day: the videos that documentation shows stay where they are', () => {
    // The last two are in docs/wider-graph.md and in the example of an error.
    const shown = (day: number): (string | undefined)[] => {
      const ids = createEmulator().itemIdsOn({ region: 'US', period: 7, orderBy: 'VIEWS' }, day);
      return [1, 2, 3, 4, 23, 500].map((rank) => ids[rank - 1]);
    };
    const days = range(UNMOVED_DAY, UNMOVED_DAY + 400).map((day) => shown(day).join());
    expect(new Set(days)).toEqual(new Set([shown(UNMOVED_DAY).join()]));
    expect(days[0]).toContain('7500277964096032856,');
  });
});

describe("the README's trusted documents", () => {
  it('get the responses shown', async () => {
    const section = /### Trusted documents(.*?)^## /ms.exec(await readFile('README.md', 'utf8'))?.[1] ?? '';
    const [start = '', requests = '', shown = ''] = findBlocks(section).map(({ text }) => text);
    const settings = [...start.matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]);
    const app = await startApp(new URL('http://127.0.0.1:9'), {
      ...Object.fromEntries(settings),
      KEYAPI_EMULATOR: 'true',
    });
    const responses: string[] = [];
    for (const [, payload = ''] of requests.matchAll(/'(\{.*?\})'/g)) {
      const headers = { 'content-type': 'application/json' };
      responses.push((await app.server.inject({ method: 'POST', url: '/graphql', headers, payload })).body);
    }
    await app.close();
    const withoutTime = (text: string): string => text.replace(/"fetchedAt":".*?"/, '');
    expect(responses).toHaveLength(2);
    expect(withoutTime(responses.join(''))).toBe(withoutTime(shown));
  });
});

describe('the documentation', () => {
  const read = (file: string): Promise<string> => readFile(file, 'utf8');
  const names = (text: string, pattern: RegExp): string[] =>
    [...text.matchAll(pattern)].map(([, name = '']) => name).sort();

  it('gives a reason for every dependency, those of the examples too, and every override', async () => {
    const { dependencies, devDependencies, overrides } = JSON.parse(await read('package.json'));
    const examples = ['board', 'clients', 'wider-graph'].map((name) => read(`examples/${name}/package.json`));
    const theirs = (await Promise.all(examples)).flatMap((text) => {
      const example = JSON.parse(text);
      return [example.dependencies, example.devDependencies ?? {}];
    });
    const listed = names(await read('docs/dependencies.md'), /(?:^\||,) *`([@\w./-]+)`/gm);
    const needed = [dependencies, devDependencies, overrides, ...theirs].flatMap((packages) =>
      Object.keys(packages),
    );
    expect(listed).toEqual([...new Set(needed)].sort());
  });
});

describe('the settings', () => {
  const GENERATED: [string, () => string][] = [
    ['docs/configuration.md', toConfigurationMarkdown],
    ['.env.example', toEnvExample],
  ];

  it.each(GENERATED)('are documented in %s as declared (npm run docs writes it)', async (file, render) => {
    if (process.env.WRITE_DOCS) await writeFile(file, render());
    else expect(await readFile(file, 'utf8')).toBe(render());
  });

  it('leave NODE_ENV to the image: an empty value in .env.example would turn production off', () => {
    expect(toEnvExample()).not.toContain('NODE_ENV=');
  });

  it('have a default, or say what happens when they are not set', () => {
    for (const setting of Object.values<Setting>(SETTINGS)) {
      expect([setting.default, setting.unset].filter((text) => text !== undefined)).toHaveLength(1);
      expect(setting.description).toMatch(/\.$/);
    }
  });

  it('are all that the README names, beside error codes', async () => {
    const errors = await readFile('docs/errors.md', 'utf8');
    const named = (await readFile('README.md', 'utf8')).matchAll(/`([A-Z]+(?:_[A-Z]+)+)(?:=\S+)?`/g);
    const others = [...named].map(([, name = '']) => name).filter((name) => !(name in SETTINGS));
    expect(others.filter((name) => !errors.includes(name))).toEqual([]);
  });
});

describe("the README's links to Apollo Sandbox", () => {
  const DEFINITIONS = /(?:^\[\w+\]: https:\/\/studio\.apollographql\.com\S*\n)+/m;

  /** A link that opens a document, with variables to try it with, beside the endpoint of a local server. */
  async function toLink([file, variables]: [string, object]): Promise<string> {
    const document = await readFile(`schema/operations/${file}`, 'utf8');
    const state = JSON.stringify({ document, variables: JSON.stringify(variables, null, 2) });
    const parameters = new URLSearchParams({
      endpoint: 'http://localhost:4000/graphql',
      explorerURLState: lzString.compressToEncodedURIComponent(state),
    });
    return `[${file.replace('.graphql', '')}]: https://studio.apollographql.com/sandbox/explorer?${parameters}\n`;
  }

  it('open the documents of schema/operations (npm run docs writes them)', async () => {
    const definitions = (await Promise.all(Object.entries(OPERATIONS).map(toLink))).join('');
    const readme = await readFile('README.md', 'utf8');
    if (process.env.WRITE_DOCS) await writeFile('README.md', readme.replace(DEFINITIONS, definitions));
    else expect(DEFINITIONS.exec(readme)?.[0]).toBe(definitions);
    for (const file of Object.keys(OPERATIONS)) {
      expect(readme).toContain(`[open in Sandbox][${file.replace('.graphql', '')}]`);
    }
  });
});
