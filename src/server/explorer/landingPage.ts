import type { ApolloServerPlugin, LandingPage } from '@apollo/server';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { ApolloServerPluginLandingPageLocalDefault } from '@apollo/server/plugin/landingPage/default';
import { GRAPHIQL_PATH } from './explorerRoutes.ts';
import { TRUSTED_ONLY_PAGE } from './trustedOnlyPage.ts';

/** What browsers that visit `/graphql` get. */
export interface LandingPageOptions {
  /** Apollo Sandbox; otherwise the response that any client gets. */
  readonly sandbox: boolean;
  /** Whether GraphiQL is served too. */
  readonly graphiql: boolean;
  /** Whether only trusted documents are executed. */
  readonly trustedOnly: boolean;
}

/** Creates the plugin that renders the page at `/graphql`. */
export function createLandingPage({
  sandbox,
  graphiql,
  trustedOnly,
}: LandingPageOptions): ApolloServerPlugin {
  if (!sandbox) return ApolloServerPluginLandingPageDisabled();
  const plugin = ApolloServerPluginLandingPageLocalDefault();
  if (trustedOnly) return withPage(plugin, () => TRUSTED_ONLY_PAGE);
  return graphiql ? withPage(plugin, addLink) : plugin;
}

/** Replaces the page that a plugin renders. */
function withPage(plugin: ApolloServerPlugin, replace: (page: string) => string): ApolloServerPlugin {
  return {
    async serverWillStart(service) {
      const listener = (await plugin.serverWillStart?.(service)) ?? undefined;
      const page = await listener?.renderLandingPage?.();
      return { renderLandingPage: async () => ({ html: async () => replace(await toHtml(page)) }) };
    },
  };
}

async function toHtml(page: LandingPage | undefined): Promise<string> {
  const { html = '' } = page ?? {};
  return typeof html === 'string' ? html : html();
}

/**
 * Adds a link to GraphiQL to what Sandbox's page shows where Sandbox cannot be loaded from the internet. The element that
 * waits for Sandbox would cover the link.
 */
function addLink(page: string): string {
  return page
    .replace('.fallback {', '#embeddableSandbox:empty { display: none; }\n        .fallback {')
    .replace(
      /(you might be offline\.)(<\/p>)/,
      `$1 <a href="${GRAPHIQL_PATH}">GraphiQL at ${GRAPHIQL_PATH}</a> works without the internet.$2`,
    );
}
