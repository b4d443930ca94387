import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import negotiate from '@fastify/accept-negotiator';
import { LRUCache } from 'lru-cache';

/** A content coding that answers may be sent in. */
export type Encoding = 'br' | 'gzip';

/** Below this many bytes a compressed answer saves nothing: it is one packet either way. */
const MIN_BYTES = 1024;

/** The negotiator takes `*` for the first coding, also beside a refusal of that one. */
const REFUSALS = { br: toRefusal('br'), gzip: toRefusal('gzip') };

const toBrotli = promisify(brotliCompress);
const toGzip = promisify(gzip);

// Browsers send a handful of different headers; whoever sends more must not fill the memory.
const cache = new LRUCache<string, string>({ max: 100 });
const negotiator = new negotiate.Negotiator({ supportedValues: ['br', 'gzip', 'identity'], cache });

/** The coding to send `body` in, by the request's `Accept-Encoding`; undefined for none. */
export function chooseEncoding(body: Buffer, acceptEncoding: string | undefined): Encoding | undefined {
  if (acceptEncoding === undefined || body.length < MIN_BYTES) return undefined;
  const chosen = negotiator.negotiate(acceptEncoding);
  if (chosen !== 'br' && chosen !== 'gzip') return undefined;
  return REFUSALS[chosen].test(acceptEncoding) ? undefined : chosen;
}

function toRefusal(encoding: Encoding): RegExp {
  return new RegExp(`(?:^|,)\\s*${encoding}\\s*;\\s*q=0(?:\\.0*)?\\s*(?:,|$)`);
}

/** Compresses, off the main thread. Brotli at a level that costs about as much as gzip's default. */
export function compress(body: Buffer, encoding: Encoding): Promise<Buffer> {
  if (encoding === 'gzip') return toGzip(body);
  return toBrotli(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } });
}
