import { describeProxy, type KeyapiProxy } from '../config/chooseProxy.ts';
import type { Config } from '../config/loadConfig.ts';
import { checkProxy } from './checkProxy.ts';
import { explainKeyapi } from './explainKeyapi.ts';
import type { Finding } from './finding.ts';
import { openConnection, withinTime } from './openConnection.ts';

/** Opens a connection to KeyAPI and closes it again: no request is made, so nothing is paid for. */
export async function checkKeyapi({
  baseUrl,
  timeoutMs,
  proxy,
  bypassedProxy,
}: Config['keyapi']): Promise<readonly Finding[]> {
  if (proxy) return withinTime(timeoutMs, (signal) => checkProxy(baseUrl, proxy, signal));
  const direct = await withinTime(timeoutMs, (signal) => checkDirectly(baseUrl, signal));
  return bypassedProxy ? [describeBypass(baseUrl, bypassedProxy), direct] : [direct];
}

async function checkDirectly(baseUrl: URL, signal: AbortSignal): Promise<Finding> {
  try {
    (await openConnection(baseUrl, signal)).destroy();
    const over = baseUrl.protocol === 'https:' ? ' over TLS' : '';
    return { part: 'KeyAPI', state: 'ok', found: `${baseUrl.origin} can be reached${over}` };
  } catch (error) {
    return explainKeyapi(baseUrl, error);
  }
}

function describeBypass({ hostname }: URL, proxy: KeyapiProxy): Finding {
  const found = `${describeProxy(proxy)} is not used: NO_PROXY includes ${hostname}`;
  return { part: 'Proxy', state: 'ok', found };
}
