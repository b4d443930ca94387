import { createRequire } from 'node:module';
import type { FastifyInstance } from 'fastify';
import { EXAMPLES } from './examples.ts';
import { TRUSTED_ONLY_PAGE } from './trustedOnlyPage.ts';

/** See `registerExplorerRoutes`. */
export interface ExplorerOptions {
  /** Whether only trusted documents are executed: then the page says so. */
  readonly trustedOnly: boolean;
}

/** Where GraphiQL is. */
export const GRAPHIQL_PATH = '/graphiql';

const HTML = 'text/html; charset=utf-8';

/**
 * GraphiQL's page has inline scripts and styles, and starts workers from texts in it. Except for images, such as covers, it
 * loads everything from this server. Nothing that a request sends becomes a part of the page.
 */
const GRAPHIQL_POLICY = [
  "default-src 'none'",
  "script-src 'unsafe-inline' blob:",
  "style-src 'unsafe-inline'",
  'img-src data: http: https:',
  'font-src data:',
  'worker-src blob:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join(';');

/** Whether GraphiQL can be rendered: its package is large, for development only, and not part of the build. */
export function isGraphiqlInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve('@graphql-yoga/render-graphiql');
    return true;
  } catch {
    return false;
  }
}

/** Serves GraphiQL, for free, and redirects visitors of `/` to it. For development. */
export function registerExplorerRoutes(server: FastifyInstance, { trustedOnly }: ExplorerOptions): void {
  server.get('/', (_request, reply) => reply.redirect(GRAPHIQL_PATH));
  if (trustedOnly) {
    server.get(GRAPHIQL_PATH, (_request, reply) => reply.type(HTML).send(TRUSTED_ONLY_PAGE));
    return;
  }
  let page: Promise<string> | undefined;
  server.get(GRAPHIQL_PATH, async (_request, reply) => {
    page ??= renderGraphiql();
    return reply
      .type(HTML)
      .header('content-security-policy', GRAPHIQL_POLICY)
      .send(await page);
  });
}

/** Renders GraphiQL with a tab for each example. All of it is in the page: it needs no internet. */
async function renderGraphiql(): Promise<string> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  return renderGraphiQL({
    title: 'trending-graphql',
    endpoint: '/graphql',
    defaultTabs: EXAMPLES.map(({ document, variables }) => ({
      query: document,
      variables: JSON.stringify(variables, null, 2),
    })),
    schemaDescription: true,
  });
}
