/// <reference path="../../graphql/execution/negotiator.d.ts" />
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { LRUCache } from 'lru-cache';
import Negotiator from 'negotiator';
import { type Bytes, copyBytes } from '../../graphql/execution/byteText.ts';

/** A content coding that responses may be sent in. */
export type Encoding = 'br' | 'gzip';

/** Smaller bodies are not compressed: they fit into one packet either way. */
const MIN_BYTES = 1024;

/** Where a client accepts both equally, the one that compresses better. */
const PREFERRED = ['br', 'gzip'];

const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };

const toBrotli = promisify(brotliCompress);
const toGzip = promisify(gzip);

// Browsers send a handful of different headers. Bounded, because a client may send any number.
const chosen = new LRUCache<string, Encoding | 'identity'>({ max: 100, memoMethod: negotiate });

/** The coding to send `body` in, by the request's `Accept-Encoding`; undefined for none. */
export function chooseEncoding(body: Bytes, acceptEncoding: string | undefined): Encoding | undefined {
  if (acceptEncoding === undefined || body.length < MIN_BYTES) return undefined;
  const encoding = chosen.memo(acceptEncoding);
  return encoding === 'identity' ? undefined : encoding;
}

function negotiate(acceptEncoding: string): Encoding | 'identity' {
  // The same coding by its old name (RFC 9110, section 8.4.1.3).
  const headers = { 'accept-encoding': acceptEncoding.replace(/\bx-gzip\b/gi, 'gzip') };
  const [best] = new Negotiator({ headers }).encodings([...PREFERRED, 'identity'], { preferred: PREFERRED });
  return best === 'br' || best === 'gzip' ? best : 'identity';
}

/** Compresses off the main thread. Brotli at a level that takes about as long as gzip's default. */
export async function compress(body: Bytes, encoding: Encoding): Promise<Buffer> {
  const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : body;
  // Node gives a part of a buffer of 16 kB.
  return copyBytes(await (encoding === 'gzip' ? toGzip(bytes) : toBrotli(bytes, BROTLI)));
}
