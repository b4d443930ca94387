import type { Config } from '../config/loadConfig.ts';
import type { Clock } from '../domain/clock.ts';
import { createKeyapiClient } from '../keyapi/client.ts';
import { checkNumbers } from './checkNumbers.ts';
import { checkToken } from './checkToken.ts';
import type { Finding } from './finding.ts';

const NO_VIDEO: Finding = {
  part: 'Numbers',
  state: 'skipped',
  found: 'not checked: no video to request numbers for',
};

/**
 * Makes one call to each endpoint, without a retry: a page for 2 credits, and numbers on one of its videos for 1. They
 * are spent only when the operator asks for it, and do not count in the servers' daily budget.
 */
export async function checkCalls(baseUrl: URL, settings: Config['keyapi'], clock: Clock): Promise<Finding[]> {
  const { proxy, token, timeoutMs, qps } = settings;
  const client = createKeyapiClient({
    baseUrl,
    proxy: proxy?.url,
    token,
    timeoutMs,
    connections: 1,
    clock,
    onEvent: () => undefined,
  });
  try {
    const { finding, itemId } = await checkToken(client, settings, clock);
    if (itemId === undefined) return [finding, NO_VIDEO];
    // Two calls at once may be more than the plan allows.
    await clock.sleep(1000 / qps);
    return [finding, await checkNumbers(client, settings, itemId)];
  } finally {
    await client.close();
  }
}
