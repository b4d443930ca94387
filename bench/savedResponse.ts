import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createClient } from './post.ts';
import { startServer } from './runServer.ts';
import { ours } from './servers.ts';
import type { Upstream } from './upstream.ts';

/** A response of this server, for the servers that always send its bytes. */
export interface SavedResponse {
  readonly file: string;
  /** The content coding of its bytes; undefined for none. */
  readonly encoding: string | undefined;
}

/** Saves this server's response to a request as `<name>.response` in `folder`. */
export async function saveResponse(
  upstream: Upstream,
  folder: string,
  name: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<SavedResponse> {
  const server = await startServer(ours(folder), upstream, body);
  const client = createClient(server.url, 1, headers);
  const { bytes, encoding } = await client.post(body);
  await client.close();
  await server.close();
  const file = path.join(folder, `${name}.response`);
  await writeFile(file, bytes);
  return { file, encoding };
}
