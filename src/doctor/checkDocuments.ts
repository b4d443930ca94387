import { readManifest } from '../server/trustedDocuments/manifest.ts';
import type { Finding } from './finding.ts';

/** Reads the manifest of trusted documents as the server does at its start. */
export async function checkDocuments(file: string): Promise<Finding> {
  const part = 'Documents';
  try {
    const { size } = await readManifest(file);
    return { part, state: 'ok', found: `${file} has ${size} trusted documents` };
  } catch (error) {
    const found = `PERSISTED_DOCUMENTS cannot be read: ${(error as Error).message}`;
    const advice = `Write a manifest to ${file} (npm run codegen creates one), and let this user read it`;
    return { part, state: 'fix', found, advice };
  }
}
