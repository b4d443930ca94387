// Bundles each program with the packages it uses: to start, it reads a few files instead of a thousand.
import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

const OUT = 'dist';

/**
 * graphql comes as CommonJS and as ES modules in one package, and refuses what another copy of it made: whoever
 * asks for it, or for a part of it, gets the ES modules.
 */
const oneGraphql = {
  name: 'one graphql',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^graphql(\/|$)/ }, async ({ path: wanted, pluginData, ...options }) => {
      if (pluginData === oneGraphql) return undefined;
      const found = await resolve(wanted, { ...options, pluginData: oneGraphql });
      return { ...found, path: found.path.replace(/\.js$/, '.mjs') };
    });
  },
};

/** The licences of the packages in a bundle, which go where copies of them go. */
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
  entryPoints: ['src/main.ts', 'src/bin/*.ts'],
  outdir: OUT,
  chunkNames: 'parts/[name]-[hash]',
  bundle: true,
  // What is imported only when it is needed stays in files of its own.
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  // type-graphql would import it for a way to validate arguments that is not used.
  external: ['class-validator'],
  plugins: [oneGraphql],
  banner: {
    // Packages in CommonJS get Node's own modules by it.
    js: "import { createRequire as createRequireHere } from 'node:module';\nconst require = createRequireHere(import.meta.url);",
  },
  legalComments: 'inline',
  logLevel: 'warning',
  metafile: true,
  write: false,
});

const files = new Map(outputFiles.map(({ path: file, contents }) => [path.relative(OUT, file), contents]));
files.set('LICENCES.txt', Buffer.from(await readLicences(metafile)));
for (const [name, contents] of files) {
  const file = path.join(OUT, name);
  // One that is as it was is left alone: a program that starts just now may read it.
  if ((await readFile(file).catch(() => undefined))?.equals(contents)) continue;
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, contents);
}

// What earlier builds left: the names of parts change with what is in them.
for (const entry of await readdir(OUT, { recursive: true, withFileTypes: true })) {
  const file = path.join(entry.parentPath, entry.name);
  if (entry.isFile() && !files.has(path.relative(OUT, file))) await rm(file);
}

// When this build was made, for whoever asks whether the sources are newer.
const now = new Date();
await utimes(path.join(OUT, 'main.js'), now, now);
