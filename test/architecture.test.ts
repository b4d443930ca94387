import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';

/**
 * The modules of src, and what each may import. A module is a folder; a file that lies directly in a folder of modules
 * (`data/`, `graphql/`, `server/`, `observe/`) is one by itself, and so is each file at the top. Lower modules come first.
 */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  'domain/window': ['domain'],
  config: ['domain'],

  'keyapi/emulator': ['domain'],
  keyapi: ['domain'],
  'keyapi/endpoints': ['domain', 'keyapi'],

  'data/events.ts': ['domain'],
  'data/storedFile.ts': ['domain', 'data/events.ts'],
  'data/storedFields.ts': ['domain'],
  'data/pages': ['domain', 'data/events.ts'],
  'data/upstream': ['domain', 'data/events.ts'],
  'data/stats': ['domain', 'data/events.ts', 'data/upstream'],
  'data/history': ['domain', 'domain/window', 'data/events.ts', 'data/storedFile.ts', 'data/pages'],
  'data/cacheFile.ts': [
    'domain',
    'data/events.ts',
    'data/storedFile.ts',
    'data/storedFields.ts',
    'data/pages',
    'data/stats',
  ],
  'data/windows': ['domain', 'domain/window', 'data/pages', 'data/stats', 'data/history'],
  'data/redis/scripts': ['domain', 'data/upstream'],
  'data/redis/connection': ['domain', 'data/events.ts', 'data/redis/scripts'],
  'data/redis': [
    'domain',
    'data/events.ts',
    'data/storedFields.ts',
    'data/pages',
    'data/upstream',
    'data/stats',
    'data/history',
    'data/redis/scripts',
    'data/redis/connection',
  ],

  'graphql/upstreamExtension.ts': ['domain'],
  'graphql/selection.ts': [],
  'graphql/context.ts': ['domain', 'data/stats', 'data/history', 'data/windows'],
  'graphql/stats': ['domain', 'data/stats', 'graphql/selection.ts', 'graphql/context.ts'],
  'graphql/types': ['domain'],
  'graphql/history': [
    'domain',
    'domain/window',
    'data/windows',
    'graphql/selection.ts',
    'graphql/context.ts',
    'graphql/types',
  ],
  'graphql/connection': [
    'domain',
    'domain/window',
    'data/windows',
    'graphql/selection.ts',
    'graphql/context.ts',
    'graphql/stats',
    'graphql/types',
    'graphql/history',
  ],
  'graphql/limits': [
    'domain',
    'domain/window',
    'graphql/selection.ts',
    'graphql/context.ts',
    'graphql/stats',
    'graphql/connection',
  ],
  'graphql/resolvers': [
    'domain',
    'data/pages',
    'graphql/context.ts',
    'graphql/stats',
    'graphql/types',
    'graphql/connection',
    'graphql/limits',
  ],
  'graphql/schema': ['graphql/types', 'graphql/resolvers'],
  'graphql/execution': [
    'domain',
    'domain/window',
    'data/windows',
    'graphql/context.ts',
    'graphql/stats',
    'graphql/types',
    'graphql/connection',
    'graphql/limits',
  ],

  'server/http': [],
  'server/events.ts': ['graphql/upstreamExtension.ts', 'graphql/execution', 'server/http'],
  'server/errors': ['graphql/upstreamExtension.ts', 'graphql/execution', 'server/http', 'server/events.ts'],
  'server/protection': ['domain', 'graphql/execution', 'server/http', 'server/events.ts', 'server/errors'],
  'server/trustedDocuments': ['domain', 'graphql/execution'],
  'server/responses': [
    'domain',
    'graphql/upstreamExtension.ts',
    'graphql/execution',
    'server/http',
    'server/events.ts',
    'server/errors',
    'server/protection',
  ],
  'server/front': [
    'graphql/upstreamExtension.ts',
    'graphql/execution',
    'server/http',
    'server/events.ts',
    'server/errors',
    'server/protection',
    'server/trustedDocuments',
    'server/responses',
  ],
  'server/routes': [],
  'server/explorer': ['../schema/operations', 'domain'],
  'server/drainOnClose.ts': ['server/http'],
  'server/createListener.ts': ['graphql/upstreamExtension.ts', 'server/http', 'server/errors'],
  'server/createServer.ts': [
    'server/events.ts',
    'server/protection',
    'server/front',
    'server/routes',
    'server/explorer',
    'server/createListener.ts',
    'server/drainOnClose.ts',
  ],
  'server/serveMetricsSeparately.ts': ['server/routes', 'server/createListener.ts'],

  'observe/appEvent.ts': ['keyapi', 'data/events.ts', 'server/events.ts'],
  'observe/readableName.ts': [],
  'observe/readiness.ts': ['domain', 'data/upstream'],
  'observe/log': ['domain', 'server/events.ts', 'observe/appEvent.ts', 'observe/readableName.ts'],
  'observe/metrics': ['domain', 'data/upstream', 'server/routes', 'observe/appEvent.ts'],
  'observe/tracing': [
    'domain',
    'keyapi',
    'data/windows',
    'server/events.ts',
    'server/responses',
    'observe/appEvent.ts',
    'observe/readableName.ts',
  ],

  doctor: [
    'domain',
    'config',
    'keyapi',
    'keyapi/emulator',
    'keyapi/endpoints',
    'data/events.ts',
    'data/pages',
    'data/stats',
    'data/history',
    'data/cacheFile.ts',
    'data/redis/scripts',
    'data/redis/connection',
    'server/trustedDocuments',
  ],
  compose: [
    'domain',
    'config',
    'keyapi',
    'keyapi/emulator',
    'keyapi/endpoints',
    'data/events.ts',
    'data/pages',
    'data/upstream',
    'data/stats',
    'data/history',
    'data/cacheFile.ts',
    'data/windows',
    'data/redis',
    'data/redis/scripts',
    'data/redis/connection',
    'graphql/context.ts',
    'graphql/upstreamExtension.ts',
    'graphql/schema',
    'graphql/execution',
    'server/createServer.ts',
    'server/explorer',
    'server/protection',
    'server/responses',
    'server/serveMetricsSeparately.ts',
    'server/trustedDocuments',
    'observe/appEvent.ts',
    'observe/readiness.ts',
    'observe/log',
    'observe/metrics',
    'observe/tracing',
  ],
  bin: ['domain', 'config', 'keyapi/emulator', 'graphql/schema', 'doctor', 'compose'],
  'endProcess.ts': [],
  'startFailure.ts': ['config', 'observe/log'],
  'main.ts': [
    'config',
    'server/explorer',
    'server/drainOnClose.ts',
    'observe/log',
    'compose',
    'endProcess.ts',
    'startFailure.ts',
  ],
};

const MODULES = Object.keys(ARROWS);
const GRAPHQL_PACKAGES = /^(graphql|type-graphql|@apollo|@as-integrations)/;

interface Import {
  readonly file: string;
  readonly module: string;
  /** As written: a package, or a path from the file. */
  readonly target: string;
}

let files: readonly string[];
let imports: readonly Import[];

async function readImports(file: string): Promise<Import[]> {
  const text = await readFile(path.join('src', file), 'utf8');
  const targets = [...text.matchAll(/\bfrom '([^']+)'|\bimport[ (]'([^']+)'/g)];
  return targets.map(([, from, imported]) => ({
    file,
    module: moduleOf(file),
    target: from ?? imported ?? '',
  }));
}

/** The module of a file of src: the file itself if it is named above, else its folder. */
function moduleOf(file: string): string {
  return MODULES.includes(file) ? file : path.dirname(file);
}

function importedModule({ file, target }: Import): string {
  return moduleOf(path.join(path.dirname(file), target));
}

beforeAll(async () => {
  files = (await readdir('src', { recursive: true })).filter((file) => file.endsWith('.ts'));
  imports = (await Promise.all(files.map(readImports))).flat();
});

describe('the modules of src', () => {
  it('are all named here', () => {
    expect([...new Set(files.map(moduleOf))].sort()).toEqual([...MODULES].sort());
  });

  it('import only lower modules, and only those named here', () => {
    const wrong = imports.filter((found) => {
      if (!found.target.startsWith('.')) return false;
      const imported = importedModule(found);
      return imported !== found.module && !ARROWS[found.module]?.includes(imported);
    });
    expect(wrong).toEqual([]);
  });

  it('have no arrow that is not used', () => {
    const used = new Set(
      imports
        .filter(({ target }) => target.startsWith('.'))
        .map((found) => `${found.module} -> ${importedModule(found)}`),
    );
    const arrows = MODULES.flatMap(
      (module) => ARROWS[module]?.map((imported) => `${module} -> ${imported}`) ?? [],
    );
    expect(arrows.filter((arrow) => !used.has(arrow))).toEqual([]);
  });

  it('have no circle: each imports only modules that are named before it', () => {
    const upward = MODULES.flatMap((module, index) =>
      (ARROWS[module] ?? [])
        .filter((imported) => MODULES.indexOf(imported) >= index)
        .map((imported) => [module, imported]),
    );
    expect(upward).toEqual([]);
  });

  it('know nothing of GraphQL below graphql/', () => {
    const wrong = imports.filter(
      ({ module, target }) => /^(domain|data|keyapi|config)\b/.test(module) && GRAPHQL_PACKAGES.test(target),
    );
    expect(wrong).toEqual([]);
  });

  it('have each a README of a few lines in their folder', async () => {
    const folders = [
      ...new Set([
        ...MODULES.filter((module) => !module.endsWith('.ts')),
        'data',
        'graphql',
        'server',
        'observe',
      ]),
    ];
    for (const folder of folders) {
      const text = await readFile(path.join('src', folder, 'README.md'), 'utf8');
      expect(text.trim().split('\n').length).toBeLessThanOrEqual(8);
    }
  });

  it.each([
    ['README.md', /./],
    // The README has these three as a row each.
    ['docs/architecture.md', /^(?:data|graphql|server)\//],
  ])('are all in the table of %s, lower ones first', async (page, listed) => {
    const rows = [...(await readFile(page, 'utf8')).matchAll(/^\| `src\/([\w/]+)\/`/gm)].map(
      ([, row = '']) => row,
    );
    const isOf = (row: string) => (module: string) => module === row || module.startsWith(`${row}/`);
    const folders = MODULES.filter((module) => !module.endsWith('.ts') && listed.test(module));
    expect(folders.filter((folder) => !rows.some((row) => isOf(row)(folder)))).toEqual([]);
    const positions = rows.map((row) => MODULES.findIndex(isOf(row)));
    expect(positions).not.toContain(-1);
    expect(positions).toEqual([...positions].sort((one, other) => one - other));
  });
});

describe('docs/architecture.md', () => {
  it('links only to files that exist', async () => {
    const text = await readFile('docs/architecture.md', 'utf8');
    const links = [...text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, link = '']) => link);
    expect(links.length).toBeGreaterThan(30);
    const missing = await Promise.all(
      links.map((link) =>
        stat(path.join('docs', link)).then(
          () => [],
          () => [link],
        ),
      ),
    );
    expect(missing.flat()).toEqual([]);
  });
});

describe('the domain', () => {
  it('has no packages, no I/O and no clock', async () => {
    const ofDomain = imports.filter(({ module }) => module.startsWith('domain'));
    expect(ofDomain.filter(({ target }) => !target.startsWith('.'))).toEqual([]);
    for (const file of new Set(ofDomain.map((found) => found.file))) {
      const text = await readFile(path.join('src', file), 'utf8');
      expect(text).not.toMatch(
        /Date\.now|new Date\(\)|performance\.|\bset(?:Timeout|Interval)\(|Math\.random|\bprocess\./,
      );
    }
  });
});
