import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { getComposedSchemaFromConfig } from '@graphql-mesh/compose-cli';
import { loadOpenAPISubgraph } from '@omnigraph/openapi';
import { openApi } from './peers/openApi.ts';

type Logger = Parameters<typeof getComposedSchemaFromConfig>[1];

/** Composes Hive Gateway's supergraph from KeyAPI's OpenAPI document, as `mesh-compose` does; returns its file. */
export async function composeSupergraph(folder: string): Promise<string> {
  const source = path.join(folder, 'keyapi.json');
  const file = path.join(folder, 'supergraph.graphql');
  await writeFile(source, JSON.stringify(openApi));
  const sourceHandler = loadOpenAPISubgraph('KeyAPI', {
    source,
    // The gateway inserts the URL at run time: the emulator's port differs in each scenario.
    endpoint: '{env.KEYAPI_BASE_URL}',
    operationHeaders: { authorization: 'Bearer bench' },
  });
  await writeFile(file, await getComposedSchemaFromConfig({ subgraphs: [{ sourceHandler }] }, SILENT));
  return file;
}

const ignore = (): void => {};
const SILENT: Logger = {
  log: ignore,
  warn: ignore,
  info: ignore,
  error: ignore,
  debug: ignore,
  child: () => SILENT,
};
