// Bundles each program with the packages it uses, so that it reads a few files at the start instead of a thousand.
import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

const OUT = 'dist';

/**
 * The package graphql contains both CommonJS and ES modules, and rejects objects created by another copy of itself. All
 * imports of it, or of a part of it, are resolved to its CommonJS modules, since packages `require` it: see `conditions`.
 */
const oneGraphql = {
  name: 'one graphql',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^graphql(\/|$)/ }, async ({ path: requested, pluginData, ...options }) => {
      if (pluginData === oneGraphql) return undefined;
      const found = await resolve(requested, { ...options, pluginData: oneGraphql });
      return { ...found, path: found.path.replace(/\.mjs$/, '.js') };
    });
  },
};

/**
 * Of undici only its pool of connections. Its own entry also loads `fetch`, WebSockets and more, which use Node's copies of the
 * same: together an eighth of the time until the server is ready.
 */
const onlyPool = {
  name: 'only the pool of undici',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^undici$/ }, () => ({ path: 'pool', namespace: 'undici' }));
    onLoad({ filter: /^pool$/, namespace: 'undici' }, () => ({
      contents: `
        Object.assign(require('undici/lib/dispatcher/dispatcher.js').prototype, require('undici/lib/api'));
        exports.Pool = require('undici/lib/dispatcher/pool.js');
        exports.buildConnector = require('undici/lib/core/connect.js');
      `,
      resolveDir: '.',
    }));
  },
};

/**
 * Apollo Server's hashes by Node's crypto: in a bundle the package does not find it, and takes one written in JavaScript, which
 * is a twentieth of the time until the server is ready.
 */
const nativeHash = {
  name: 'hashes by crypto',
  setup({ onLoad }) {
    onLoad({ filter: /@apollo\/utils\.createhash\/dist\/index\.js$/ }, () => ({
      contents: "exports.createHash = require('node:crypto').createHash;",
    }));
  },
};

/** graphql-jit can also compile the writing of a result as JSON: that is not used, and what it needs is large. */
const noJsonCompiler = {
  name: 'no compiler of JSON',
  setup({ onLoad }) {
    onLoad({ filter: /\/fast-json-stringify\/index\.js$/ }, () => ({ contents: '' }));
  },
};

/** zod's messages in English alone, of 60 languages. */
const onlyEnglish = {
  name: 'messages in English',
  setup({ onLoad }) {
    onLoad({ filter: /\/zod\/v4\/locales\/index\.(js|cjs)$/ }, ({ path: file }) => ({
      contents: "export { default as en } from './en.js';",
      resolveDir: path.dirname(file),
    }));
  },
};

/** The licences of the packages in a bundle, which must accompany every copy of them. */
async function readLicences({ inputs }) {
  const folders = Object.keys(inputs).flatMap(
    (file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file) ?? [],
  );
  const texts = [...new Set(folders)].sort().map(async (folder) => {
    const { name, version, license } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'));
    const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
    const parts = await Promise.all(files.map((file) => readFile(path.join(folder, file), 'utf8')));
    return [`${name} ${version}: ${license}`, ...parts].map((part) => part.trim()).join('\n\n');
  });
  return `${(await Promise.all(texts)).join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}

const { outputFiles, metafile } = await build({
  // The programs, and what the board's start.js imports.
  entryPoints: ['src/main.ts', 'src/bin/*.ts', 'src/config/environment.ts'],
  outdir: OUT,
  chunkNames: 'parts/[name]-[hash]',
  bundle: true,
  // Dynamically imported modules stay in separate files.
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  // Without esbuild's own condition `module`, a package with both kinds of modules gives the same one to `import` and
  // `require`. An ES module that is required would be initialised when it is first used, and OpenTelemetry's loader
  // hook copies the exports of each file before that.
  conditions: [],
  // type-graphql imports it only for a kind of validation that is not used.
  // GraphiQL is for development alone, and large.
  // No route has a schema: Fastify needs no compiler of schemas (`createListener`).
  external: [
    'class-validator',
    '@graphql-yoga/render-graphiql',
    '@fastify/ajv-compiler',
    '@fastify/fast-json-stringify-compiler',
  ],
  // Redis's scripts, and the documents in GraphiQL's tabs.
  loader: { '.lua': 'text', '.graphql': 'text' },
  plugins: [oneGraphql, onlyPool, nativeHash, noJsonCompiler, onlyEnglish],
  banner: {
    // Bundled CommonJS packages call it to load Node's built-in modules.
    js: "import { createRequire as createRequireHere } from 'node:module';\nconst require = createRequireHere(import.meta.url);",
  },
  legalComments: 'inline',
  logLevel: 'warning',
  metafile: true,
  write: false,
}).catch(() => {
  // It has printed what is wrong in which file.
  process.exit(1);
});

// See `conditions`: a package that has no CommonJS modules was required.
const lazy = outputFiles.filter(({ text }) => text.includes('__esm('));
if (lazy.length > 0) {
  const names = lazy.map(({ path: file }) => path.relative(OUT, file));
  process.stderr.write(
    `Expected no ES module that is initialised lazily, but got some in: ${names.join(', ')}\n`,
  );
  process.exit(1);
}

const files = new Map(outputFiles.map(({ path: file, contents }) => [path.relative(OUT, file), contents]));
files.set('LICENCES.txt', Buffer.from(await readLicences(metafile)));
for (const [name, contents] of files) {
  const file = path.join(OUT, name);
  // Unchanged files are not rewritten: a program that is just starting may be reading them.
  if ((await readFile(file).catch(() => undefined))?.equals(contents)) continue;
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, contents);
}

// Removes files of earlier builds: the names of parts contain a hash of their contents.
for (const entry of await readdir(OUT, { recursive: true, withFileTypes: true })) {
  const file = path.join(entry.parentPath, entry.name);
  if (entry.isFile() && !files.has(path.relative(OUT, file))) await rm(file);
}

// The time of this build: system tests compare it with the sources.
const now = new Date();
await utimes(path.join(OUT, 'main.js'), now, now);
