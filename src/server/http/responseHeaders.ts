import { SECURITY_HEADERS } from './securityHeaders.ts';

/** Headers of every response, unless it has others of these names. */
export const RESPONSE_HEADERS = {
  ...SECURITY_HEADERS,
  // Without it, a cache in front may store a health check or a 404: Varnish does, for two minutes.
  'cache-control': 'no-store',
};
