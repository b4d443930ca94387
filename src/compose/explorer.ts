import type { Config } from '../config/loadConfig.ts';
import { isGraphiqlInstalled } from '../server/explorer/explorerRoutes.ts';
import type { LandingPageOptions } from '../server/explorer/landingPage.ts';

/** What browsers that visit the API get: GraphiQL only where it is installed. */
export function chooseExplorer({ explorer }: Config): LandingPageOptions {
  return { ...explorer, graphiql: explorer.graphiql && isGraphiqlInstalled() };
}
