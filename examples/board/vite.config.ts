import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Where the API is; the page asks for it under its own address. */
const api = process.env.API_URL ?? 'http://localhost:4000';
/** Where covers come from: the embedded emulator's own port, or TikTok's servers. */
const covers =
  'http://127.0.0.1:* https://*.tiktokcdn.com https://*.tiktokcdn-us.com https://*.tiktokcdn-eu.com';

const proxy = { '/graphql': api };

/** Nothing runs, and nothing is asked for, but what is built here, the API and covers. */
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
  // One page: any other path is a 404.
  appType: 'mpa',
  plugins: [react()],
  build: {
    // An inlined file would need a policy that allows data: addresses.
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
