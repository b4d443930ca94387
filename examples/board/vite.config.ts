import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** The API's address. The page sends its requests to its own origin, from where they are proxied. */
const api = process.env.API_URL ?? 'http://localhost:4000';
/** The origins of covers: the embedded emulator or TikTok's servers. */
const covers =
  'http://127.0.0.1:* https://*.tiktokcdn.com https://*.tiktokcdn-us.com https://*.tiktokcdn-eu.com';

const proxy = { '/graphql': api };

/**
 * Moves the styles into the HTML: with the frame of the page in it, the first response is enough to show the frame. On a
 * slow network the styles would otherwise arrive together with the scripts.
 */
const inlineStyles: Plugin = {
  name: 'inline-styles',
  apply: 'build',
  transformIndexHtml: {
    order: 'post',
    handler: (html, { bundle = {} }) =>
      html.replace(/<link rel="stylesheet"[^>]* href="\/([^"]+)">/, (link, file: string) => {
        const asset = bundle[file];
        if (asset?.type !== 'asset') return link;
        delete bundle[file];
        return `<style>${String(asset.source)}</style>`;
      }),
  },
};

/** The styles in the built page, as a source of the policy. */
function hashStyles(): string {
  const page = new URL('dist/index.html', import.meta.url);
  const html = existsSync(page) ? readFileSync(page, 'utf8') : '';
  const [, styles = ''] = /<style>(.*?)<\/style>/s.exec(html) ?? [];
  return `'sha256-${createHash('sha256').update(styles).digest('base64')}'`;
}

/** Allows only what is built here, the API and covers. */
function createPolicy(): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src ${hashStyles()}`,
    `img-src 'self' ${covers}`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join(';');
}

export default defineConfig(({ isPreview }) => ({
  // Only one page: any other path is a 404.
  appType: 'mpa',
  plugins: [react(), inlineStyles],
  build: {
    // Inlined files would need a policy that allows data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The libraries are in files of their own: they load side by side, and stay cached when only the page changes.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'react', test: /node_modules\/(react|react-dom|scheduler)\// },
            {
              name: 'apollo',
              test: /node_modules\/(@apollo|@wry|graphql|graphql-tag|optimism|rxjs|tslib)\//,
            },
          ],
        },
      },
    },
  },
  server: { proxy },
  preview: {
    proxy,
    headers: {
      ...(isPreview && { 'content-security-policy': createPolicy() }),
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    },
  },
}));
