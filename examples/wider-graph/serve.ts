import type { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';

/** Serves on `PORT`, or on `port` if that is not set, and prints the URL. */
export async function serve(name: string, server: ApolloServer, port: number): Promise<void> {
  const listen = { host: '127.0.0.1', port: Number(process.env.PORT ?? port) };
  const { url } = await startStandaloneServer(server, { listen });
  process.stdout.write(`${name} at ${url}\n`);
}
