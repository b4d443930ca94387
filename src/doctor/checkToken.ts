import type { Config } from '../config/loadConfig.ts';
import { TrendingOrder, TrendingPeriod } from '../domain/chart.ts';
import type { Clock } from '../domain/clock.ts';
import { ApiError } from '../domain/errors.ts';
import { createKeyapiClient } from '../keyapi/client.ts';
import { trendingVideos } from '../keyapi/endpoints/trendingVideos.ts';
import { explainRefusal } from './explainRefusal.ts';
import type { Finding } from './finding.ts';

const CHART = { region: 'US', period: TrendingPeriod.LAST_7_DAYS, orderBy: TrendingOrder.VIEWS };

const NO_VIDEOS: Finding = {
  part: 'Token',
  state: 'fix',
  found: 'accepted, but the US chart came without videos: its source at KeyAPI may have dried up',
  advice: 'Ask KeyAPI whether its trending charts still have a source. Servers go on with cached pages',
};

/**
 * Buys the first page of a chart, without a retry: 2 credits, which are spent only when the operator asks for it. They
 * do not count in the servers' daily budget.
 */
export async function checkToken(baseUrl: URL, settings: Config['keyapi'], clock: Clock): Promise<Finding> {
  const { token, timeoutMs } = settings;
  const client = createKeyapiClient({
    baseUrl,
    token,
    timeoutMs,
    connections: 1,
    clock,
    onEvent: () => undefined,
  });
  const startedAt = clock.monotonic();
  try {
    const fetchPage = client.source(trendingVideos);
    const { rows, totalCount } = await fetchPage(
      { chart: CHART, number: 1 },
      { deadline: () => Number.POSITIVE_INFINITY, background: false, onSent: () => undefined },
    );
    const ms = Math.round(clock.monotonic() - startedAt);
    if (rows.length === 0) return NO_VIDEOS;
    const videos = rows.filter((row) => row !== null).length;
    const found = `accepted: ${videos} of ${totalCount} videos of the US chart arrived in ${ms} ms`;
    return { part: 'Token', state: 'ok', found };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { part: 'Token', state: 'fix', ...explainRefusal(error, settings) };
  } finally {
    await client.close();
  }
}
