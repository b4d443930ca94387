import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { Pool } from 'undici';

/** A response to a POST. */
export interface Posted {
  readonly status: number;
  /** The body as it was sent. */
  readonly bytes: Buffer;
  /** The content coding of `bytes`; undefined for none. */
  readonly encoding: string | undefined;
  /** The decoded body. */
  readonly text: string;
}

/** Posts JSON to a server over keep-alive connections. */
export interface Client {
  post(body: string): Promise<Posted>;
  close(): Promise<void>;
}

/** See `postAll`. */
interface PostOptions {
  /** Sent besides those of a POST of JSON. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Called with the text of every response. */
  readonly check?: (text: string) => void;
}

const DECODERS = new Map([
  ['br', brotliDecompressSync],
  ['gzip', gunzipSync],
]);

/** A client with up to `connections` connections, which sends these headers besides those of a POST of JSON. */
export function createClient(
  url: string,
  connections = 1,
  headers: Readonly<Record<string, string>> = {},
): Client {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections, headersTimeout: 30_000 });
  return {
    post: async (body) => {
      const response = await pool.request({
        method: 'POST',
        path: pathname,
        headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
        body,
      });
      const bytes = Buffer.from(await response.body.arrayBuffer());
      const encoding = response.headers['content-encoding']?.toString();
      const decode = DECODERS.get(encoding ?? '');
      const text = (decode ? decode(bytes) : bytes).toString();
      return { status: response.statusCode, bytes, encoding, text };
    },
    close: () => pool.destroy(),
  };
}

/**
 * Posts every body once, `concurrency` at a time.
 *
 * @throws When a status is not 200, or `check` throws.
 */
export async function postAll(
  url: string,
  bodies: Iterable<string>,
  concurrency: number,
  { headers, check = () => {} }: PostOptions = {},
): Promise<void> {
  const client = createClient(url, concurrency, headers);
  // All workers share one iterator: each takes the next body.
  const rest = bodies[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = rest.next(); !next.done; next = rest.next()) {
      const { status, text } = await client.post(next.value);
      if (status !== 200)
        throw new Error(`${url}: expected status 200, but got: ${status} ${text.slice(0, 500)}`);
      check(text);
    }
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, worker));
  } finally {
    await client.close();
  }
}
