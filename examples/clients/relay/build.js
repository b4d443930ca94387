// Bundles the example for Node as an app is bundled for browsers: babel-plugin-relay puts the compiler's
// artifacts in the place of graphql`...`, esbuild does the rest.
import { transformFileAsync } from '@babel/core';
import { build } from 'esbuild';

const relay = {
  name: 'relay',
  setup({ onLoad }) {
    onLoad({ filter: /\.tsx$/ }, async ({ path }) => {
      const options = { plugins: ['relay'], parserOpts: { plugins: ['typescript', 'jsx'] } };
      return { contents: (await transformFileAsync(path, options)).code, loader: 'tsx' };
    });
  },
};

await build({
  entryPoints: ['relay/main.tsx'],
  outfile: 'relay/dist/main.js',
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  plugins: [relay],
});
