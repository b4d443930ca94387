// For the image's HEALTHCHECK: exits with 0 if the server in this container responds, else with 1 and the reason.
import { get, type IncomingMessage } from 'node:http';
import { readEnvironment } from '../config/environment.ts';

/** Docker ends the check after 3 seconds, without a reason. */
const TIMEOUT_MS = 2000;

/** The addresses at which a server that listens at this one may be reached, the most likely first. */
function toAddresses(host: string): readonly string[] {
  if (host === '0.0.0.0') return ['127.0.0.1'];
  // Both kinds of connections arrive there; a container may have no IPv6 loopback.
  if (host === '::') return ['::1', '127.0.0.1'];
  return [host];
}

function request(host: string, port: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // Not the global agent, nor fetch, which may use a proxy (NODE_USE_ENV_PROXY).
    get({ host, port, path: '/livez', agent: false }, resolve).on('error', reject);
  });
}

/** Why the server is not healthy at this address; undefined when it is. */
async function findFault(host: string, port: string): Promise<string | undefined> {
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}/livez`;
  try {
    const { statusCode } = await request(host, port);
    return statusCode === 200 ? undefined : `${url}: expected HTTP 200, but got: ${statusCode}`;
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    // The error of a name with several addresses has no message.
    return `${url}: ${message || code}`;
  }
}

function end(fault: string | undefined): never {
  if (fault !== undefined) process.stdout.write(`Not healthy: ${fault}\n`);
  process.exit(fault === undefined ? 0 : 1);
}

const { HOST, PORT } = readEnvironment(process.env).variables;
const host = HOST?.trim() || '127.0.0.1';
const port = PORT?.trim() || '4000';
setTimeout(() => end(`no response from ${host}, port ${port}, within ${TIMEOUT_MS / 1000} s`), TIMEOUT_MS);
const faults: string[] = [];
for (const address of toAddresses(host)) {
  const fault = await findFault(address, port);
  if (fault === undefined) end(undefined);
  faults.push(fault);
}
end(faults.join('; '));
