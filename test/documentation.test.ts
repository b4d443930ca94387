import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import lzString from 'lz-string';
import { toConfigurationMarkdown, toEnvExample } from '../src/config/renderSettings.ts';
import { SETTINGS, type Setting } from '../src/config/settings.ts';
import { createEmulator } from '../src/keyapi/emulator/emulator.ts';
import { UNMOVED_DAY } from '../src/keyapi/emulator/scores.ts';
import { type GraphqlResult, startApp, startEmulatedApp, type TestApp } from './support/app.ts';
import { range } from './support/charts.ts';
import { createTestClock } from './support/clock.ts';
import { type Block, findBlocks } from './support/examples.ts';
import { OPERATIONS } from './support/operations.ts';
import { readPages } from './support/pages.ts';

/** The number of examples on each page: a query, as text or for curl, above its result. */
const EXAMPLES: Readonly<Record<string, number>> = {
  'README.md': 2,
  'docs/api.md': 6,
};

/** The pages that name settings in their text. */
const PAGES = [
  ...Object.keys(EXAMPLES),
  'docs/caching-and-cost.md',
  'docs/deployment.md',
  'docs/trusted-documents.md',
];

describe.each(Object.entries(EXAMPLES))('the examples of %s', (page, count) => {
  let app: TestApp;

  beforeAll(async () => {
    const demo = { KEYAPI_EMULATOR: 'true' };
    app = await startApp(new URL('http://127.0.0.1:9'), demo, { clock: createTestClock() });
  });

  afterAll(() => app.close());

  /** The numbers of the demo data grow every day. */
  const withoutNumbers = (result: unknown): unknown =>
    JSON.parse(JSON.stringify(result), (name, value) =>
      ['views', 'likes', 'shares'].includes(name) ? typeof value : value,
    );

  function toQuery({ language, text }: Block): string | undefined {
    if (language === 'graphql') return text;
    const body = /-d '(.*)'/s.exec(text)?.[1];
    return body === undefined ? undefined : JSON.parse(body).query;
  }

  it('give the results shown, in the sequence shown, at the cost shown', async () => {
    const blocks = findBlocks(await readFile(page, 'utf8'));
    const examples = blocks.flatMap((block, index) => {
      const next = blocks[index + 1];
      const query = next?.language === 'json' ? toQuery(block) : undefined;
      return query === undefined ? [] : [{ query, result: JSON.parse(next?.text ?? '') }];
    });
    expect(examples).toHaveLength(count);
    for (const { query, result } of examples)
      expect(withoutNumbers(await app.query(query))).toEqual(withoutNumbers(result));
  });
});

it('shows videos that stay where they are on any day', () => {
  // The last two are in docs/wider-graph.md and in the example of an error.
  const shown = (day: number): (string | undefined)[] => {
    const ids = createEmulator().itemIdsOn({ region: 'US', period: 7, orderBy: 'VIEWS' }, day);
    return [1, 2, 3, 4, 23, 500].map((rank) => ids[rank - 1]);
  };
  const days = range(UNMOVED_DAY, UNMOVED_DAY + 400).map((day) => shown(day).join());
  expect(new Set(days)).toEqual(new Set([shown(UNMOVED_DAY).join()]));
  expect(days[0]).toContain('7500277964096032856,');
});

describe('docs/api.md', () => {
  it('walks to rank 250 in three steps, for the credits it names', async () => {
    const app = await startEmulatedApp();
    const walk = async (region: string, step: string): Promise<number[]> => {
      const ranks: number[] = [];
      let after: string | null = null;
      for (const first of [100, 100, 50]) {
        const result: GraphqlResult<Walked> = await app.query<Walked>(
          `query ($first: Int, $after: String) {
            trendingVideos(region: "${region}", first: $first, after: $after${step}) { pageInfo { endCursor } edges { rank } }
          }`,
          { first, after },
        );
        const { pageInfo, edges } = result.data?.trendingVideos ?? {
          pageInfo: { endCursor: null },
          edges: [],
        };
        after = pageInfo.endCursor;
        ranks.push(edges.at(-1)?.rank ?? 0);
      }
      return ranks;
    };
    expect(await walk('US', ', last: 1')).toEqual([100, 200, 250]);
    expect(app.pagesBought()).toEqual([5, 10, 13]);
    expect(app.emulator.counts.credits).toBe(6);
    await walk('GB', '');
    expect(app.emulator.counts.credits).toBe(6 + 26);

    const tail = await app.query<Walked>(
      '{ trendingVideos(region: "DE", last: 51) { pageInfo { endCursor } edges { rank } } }',
    );
    expect(tail.data?.trendingVideos.edges.map(({ rank }) => rank)).toEqual(range(450, 500));
    expect(tail.extensions.upstream.credits).toBe(8);
    await app.close();
  });
});

interface Walked {
  readonly trendingVideos: {
    readonly pageInfo: { readonly endCursor: string | null };
    readonly edges: readonly { readonly rank: number }[];
  };
}

describe('docs/trusted-documents.md', () => {
  it('shows the responses of a server with its settings', async () => {
    const page = await readFile('docs/trusted-documents.md', 'utf8');
    const [start = '', requests = '', shown = ''] = findBlocks(page).map(({ text }) => text);
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

  it('begins with a README of at most 200 lines', async () => {
    expect((await read('README.md')).trimEnd().split('\n').length).toBeLessThanOrEqual(200);
  });

  it('names only scripts that package.json has', async () => {
    const { scripts } = JSON.parse(await read('package.json'));
    for (const page of PAGES) {
      const commands = [...(await read(page)).matchAll(/\bnpm (?:run )?(?:--silent )?(start|test|[\w:]+)/g)];
      const missing = commands
        .map(([, name = '']) => name)
        .filter((name) => !(name in scripts) && name !== 'ci');
      expect([page, missing]).toEqual([page, []]);
    }
  });

  it('ends everything that its commands start in the background', async () => {
    for (const [page, text] of await readPages()) {
      for (const { language, text: commands } of findBlocks(text)) {
        const started = language === 'sh' ? (commands.match(/ &(?: |$)/gm) ?? []) : [];
        const ended = /^kill (.*); wait$/m.exec(commands)?.[1]?.split(' ') ?? [];
        const endedBefore = commands.match(/^kill \$\w+$/gm) ?? [];
        expect([page, ended.length + endedBefore.length]).toEqual([page, started.length]);
      }
    }
  });

  it('has a changelog whose newest version is that of the packages', async () => {
    const [, version, date = ''] = /^## (\S+)(?: - (\S+))?$/m.exec(await read('CHANGELOG.md')) ?? [];
    expect(date).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    for (const file of ['package.json', 'package-lock.json'])
      expect(JSON.parse(await read(file)).version).toBe(version);
    expect(JSON.parse(await read('package-lock.json')).packages[''].version).toBe(version);
  });

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

  it.each(PAGES)('are all that %s names, beside error codes', async (page) => {
    const errors = await readFile('docs/errors.md', 'utf8');
    const text = await readFile(page, 'utf8');
    const named = [...text.matchAll(/`([A-Z]+(?:_[A-Z]+)+)(?:=\S+)?`/g)].map(([, name = '']) => name);
    const others = named.filter((name) => !(name in SETTINGS));
    expect(others.filter((name) => !errors.includes(name))).toEqual([]);
    // Those that commands set.
    const commands = findBlocks(text).filter(({ language }) => language === 'sh');
    const set = commands.flatMap((block) =>
      [...block.text.matchAll(/(?:^|-e |\s)([A-Z]+(?:_[A-Z]+)*)=/g)].map(([, name = '']) => name),
    );
    expect(set.filter((name) => !(name in SETTINGS))).toEqual([]);
  });

  it('have the defaults that the README shows', async () => {
    const readme = await readFile('README.md', 'utf8');
    const table = /^## Settings\n(.*?)^## /ms.exec(readme)?.[1] ?? '';
    const rows = [...table.matchAll(/^\| `([A-Z_]+)` +\| (.*?) +\|/gm)];
    expect(rows).toHaveLength(8);
    const configuration = await readFile('docs/configuration.md', 'utf8');
    for (const [, name, shown] of rows) expect(configuration).toContain(`| \`${name}\` | ${shown} |`);
  });
});

describe('schema/operations/README.md', () => {
  const PAGE = 'schema/operations/README.md';
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

  it('opens each document in Apollo Sandbox (npm run docs writes the links)', async () => {
    const definitions = (await Promise.all(Object.entries(OPERATIONS).map(toLink))).join('');
    const page = await readFile(PAGE, 'utf8');
    if (process.env.WRITE_DOCS) await writeFile(PAGE, page.replace(DEFINITIONS, definitions));
    else expect(DEFINITIONS.exec(page)?.[0]).toBe(definitions);
    for (const file of Object.keys(OPERATIONS)) {
      const name = file.replace('.graphql', '');
      expect(page).toContain(`| [\`${name}\`](${file}) `);
      expect(page).toContain(`| [open in Sandbox][${name}] `);
    }
  });
});
