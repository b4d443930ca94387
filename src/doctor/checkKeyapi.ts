import { once } from 'node:events';
import { isIP, connect as openTcp } from 'node:net';
import { connect as openTls } from 'node:tls';
import type { Config } from '../config/loadConfig.ts';
import { type Destination, explainConnection } from './explainConnection.ts';
import type { Finding } from './finding.ts';

/** Opens a connection to KeyAPI and closes it again: no request is made, so nothing is paid for. */
export async function checkKeyapi({ baseUrl, timeoutMs }: Config['keyapi']): Promise<Finding> {
  const isTls = baseUrl.protocol === 'https:';
  const host = baseUrl.hostname.replace(/^\[|\]$/g, '');
  const port = Number(baseUrl.port || (isTls ? 443 : 80));
  const destination: Destination = { variable: 'KEYAPI_BASE_URL', host, port };
  // A name is sent to a server that has several certificates; an address must not be.
  const socket = isTls
    ? openTls({ host, port, ...(isIP(host) === 0 && { servername: host }) })
    : openTcp({ host, port });
  const timer = setTimeout(() => {
    socket.destroy(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' }));
  }, timeoutMs);
  try {
    await once(socket, isTls ? 'secureConnect' : 'connect');
    return {
      part: 'KeyAPI',
      state: 'ok',
      found: `${baseUrl.origin} can be reached${isTls ? ' over TLS' : ''}`,
    };
  } catch (error) {
    const unknown = { found: `${baseUrl.origin} cannot be reached: ${(error as Error).message}` };
    return { part: 'KeyAPI', state: 'fix', ...(explainConnection(error, destination) ?? unknown) };
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}
