import { hostAndPort } from '../domain/hostAndPort.ts';
import { explainConnection } from './explainConnection.ts';
import type { Finding } from './finding.ts';

/** Explains why there is no connection to KeyAPI itself. */
export function explainKeyapi(baseUrl: URL, error: unknown): Finding {
  const unknown = { found: `${baseUrl.origin} cannot be reached: ${(error as Error).message}` };
  const destination = { variable: 'KEYAPI_BASE_URL', ...hostAndPort(baseUrl) };
  return { part: 'KeyAPI', state: 'fix', ...(explainConnection(error, destination) ?? unknown) };
}
