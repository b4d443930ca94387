import type { Server } from './runServer.ts';

/** The responses of this product so far that came from its response cache (`kept`), or for which it executed an operation. */
export async function countResponses({ metricsUrl }: Server, origin: 'kept' | 'made'): Promise<number> {
  const text = await (await fetch(metricsUrl)).text();
  const value = new RegExp(`^trending_answers_total\\{origin="${origin}"\\} (\\d+)$`, 'm').exec(text)?.[1];
  if (value === undefined) throw new Error(`${metricsUrl}: expected a count of responses, but got: ${text}`);
  return Number(value);
}

/**
 * Runs `use`, in which this product must send no response of this origin.
 *
 * @throws When it has sent some.
 */
export async function withoutResponses<T>(
  server: Server,
  origin: 'kept' | 'made',
  use: () => Promise<T>,
): Promise<T> {
  const before = await countResponses(server, origin);
  const result = await use();
  const count = (await countResponses(server, origin)) - before;
  if (count > 0)
    throw new Error(`${server.spec.name}: expected no response of origin ${origin}, but got: ${count}`);
  return result;
}
