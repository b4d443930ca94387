import dns from 'node:dns';
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { startApp, type TestApp, type TestAppOptions } from '../../support/app.ts';
import { findFreePort } from '../../support/freePort.ts';
import { until } from '../../support/until.ts';

interface Address {
  readonly address: string;
  readonly port: number;
}

/** Some callers leave the options out. */
type LookupArguments = [name: string, options: dns.LookupAllOptions, callback: () => void];

let app: TestApp;
const { lookup } = dns;

afterEach(async () => {
  dns.lookup = lookup;
  await app.close();
});

/** A host with several addresses, on a machine that may have only one: Fastify starts a server for each of them. */
function addAddresses(host: string): void {
  const addresses = ['127.0.0.1', '127.0.0.2', '::1'].map((address, index) => ({
    address,
    family: index < 2 ? 4 : 6,
  }));
  dns.lookup = ((...args: LookupArguments) => {
    const [name, options] = args;
    if (name !== host) return lookup(...args);
    const callback = args.at(-1) as (error: null, ...found: unknown[]) => void;
    const isAll = typeof options === 'object' && options.all === true;
    setImmediate(() => (isAll ? callback(null, addresses) : callback(null, '127.0.0.1', 4)));
  }) as typeof dns.lookup;
}

/** Starts the program with a separate listener for metrics. Returns where it listens. */
async function start(variables: Record<string, string>, options: TestAppOptions = {}): Promise<Address[]> {
  const metricsPort = await findFreePort();
  app = await startApp(
    new URL('http://127.0.0.1:9'),
    { METRICS_PORT: String(metricsPort), ...variables },
    options,
  );
  addAddresses('localhost');
  await app.server.listen({ host: 'localhost', port: 0 });
  const addresses = app.server.addresses() as AddressInfo[];
  expect(addresses.length).toBeGreaterThan(1);
  return [...addresses, { address: '127.0.0.1', port: metricsPort }];
}

/** Sends a request; returns the socket and what has arrived on it. */
async function sendRequest(
  { address, port }: Address,
  path: string,
): Promise<{ socket: Socket; text: string }> {
  const socket = connect(port, address).setEncoding('latin1');
  let text = '';
  socket.on('data', (part: string) => {
    text += part;
  });
  socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  await until(() => /\r\n\r\n/.test(text));
  return { socket, text };
}

describe('an idle connection', () => {
  it.each([
    [{}, '72'],
    [{ KEEP_ALIVE_SECONDS: '620' }, '620'],
  ])(
    'stays open with %j for %s seconds, which the server says, at all addresses and for metrics',
    async (variables, seconds) => {
      for (const address of await start(variables)) {
        const { socket, text } = await sendRequest(address, '/livez');
        expect(text.toLowerCase()).toContain(`\r\nkeep-alive: timeout=${seconds}\r\n`);
        socket.destroy();
      }
    },
  );

  it('is closed by the server after that time', async () => {
    const addresses = await start({}, { keepAliveMs: 1 });
    await Promise.all(
      addresses.map(async (address) => {
        const { socket } = await sendRequest(address, '/livez');
        if (!socket.readableEnded) await once(socket, 'end');
      }),
    );
  });
});
