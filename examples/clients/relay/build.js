// Bundles the example for Node in the same way as an app for browsers: babel-plugin-relay replaces graphql`...` with
// the compiler's artifacts, esbuild does the rest.
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
