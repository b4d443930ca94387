import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The API's address. The page sends its requests to its own origin, from where they are proxied. */
const api = process.env.API_URL ?? 'http://localhost:4000';
/** The origins of covers: the embedded emulator or TikTok's servers. */
const covers =
  'http://127.0.0.1:* https://*.tiktokcdn.com https://*.tiktokcdn-us.com https://*.tiktokcdn-eu.com';

const proxy = { '/graphql': api };

/** Allows only the files built here, the API and covers. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  `img-src 'self' ${covers}`,
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join(';');

export default defineConfig({
  // Only one page: any other path is a 404.
  appType: 'mpa',
  plugins: [react()],
  build: {
    // Inlined files would need a policy that allows data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy },
  preview: {
    proxy,
    headers: {
      'content-security-policy': contentSecurityPolicy,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    },
  },
});
