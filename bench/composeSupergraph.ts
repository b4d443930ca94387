import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { getComposedSchemaFromConfig } from '@graphql-mesh/compose-cli';
import { loadOpenAPISubgraph } from '@omnigraph/openapi';
import { openApi } from './peers/openApi.ts';

type Logger = Parameters<typeof getComposedSchemaFromConfig>[1];

/** Composes Hive Gateway's supergraph from KeyAPI's OpenAPI document, as `mesh-compose` does; gives its file. */
export async function composeSupergraph(folder: string): Promise<string> {
  const source = path.join(folder, 'keyapi.json');
  const file = path.join(folder, 'supergraph.graphql');
  await writeFile(source, JSON.stringify(openApi));
  const sourceHandler = loadOpenAPISubgraph('KeyAPI', {
    source,
    // The gateway puts it in: the emulator's port is another one in each scenario.
    endpoint: '{env.KEYAPI_BASE_URL}',
    operationHeaders: { authorization: 'Bearer bench' },
  });
  await writeFile(file, await getComposedSchemaFromConfig({ subgraphs: [{ sourceHandler }] }, SILENT));
  return file;
}

const say = (): void => {};
const SILENT: Logger = { log: say, warn: say, info: say, error: say, debug: say, child: () => SILENT };
