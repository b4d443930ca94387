import type { Logger } from 'pino';
import { ConfigError } from '../config/configError.ts';
import type { Config } from '../config/loadConfig.ts';
import { readManifest } from '../server/trustedDocuments/manifest.ts';
import type { TrustedDocuments } from '../server/trustedDocuments/trustedDocuments.ts';

/**
 * The documents that clients may name by hash; undefined when there is no manifest.
 *
 * @throws {ConfigError} When the manifest cannot be read.
 */
export async function readTrustedDocuments(
  { persistedDocuments }: Config,
  log: Logger,
): Promise<TrustedDocuments | undefined> {
  if (!persistedDocuments) return undefined;
  const { file, only } = persistedDocuments;
  try {
    const texts = await readManifest(file);
    log.info({ documents: texts.size, only }, 'Trusted documents read');
    return { texts, only };
  } catch (error) {
    const { message } = error as Error;
    const text = `expected a manifest of trusted documents: ${message}`;
    throw new ConfigError([{ setting: 'PERSISTED_DOCUMENTS', text }]);
  }
}
