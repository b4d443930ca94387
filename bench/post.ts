import { Pool } from 'undici';

/** Posts JSON to a server over keep-alive connections. */
export interface Client {
  post(body: string): Promise<{ readonly status: number; readonly text: string }>;
  close(): Promise<void>;
}

/** A client with up to `connections` connections. */
export function createClient(url: string, connections = 1): Client {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections, headersTimeout: 30_000 });
  return {
    post: async (text) => {
      const { statusCode, body } = await pool.request({
        method: 'POST',
        path: pathname,
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: text,
      });
      return { status: statusCode, text: await body.text() };
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
  check: (text: string) => void = () => {},
): Promise<void> {
  const client = createClient(url, concurrency);
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
