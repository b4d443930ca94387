import type { Config } from '../config/loadConfig.ts';
import { TrendingOrder, TrendingPeriod } from '../domain/chart.ts';
import type { Clock } from '../domain/clock.ts';
import { ApiError } from '../domain/errors.ts';
import type { Call } from '../domain/source.ts';
import type { KeyapiClient } from '../keyapi/client.ts';
import { trendingVideos } from '../keyapi/endpoints/trendingVideos.ts';
import { explainRefusal } from './explainRefusal.ts';
import type { Finding } from './finding.ts';

const CHART = { region: 'US', period: TrendingPeriod.LAST_7_DAYS, orderBy: TrendingOrder.VIEWS };

const NO_VIDEOS: Finding = {
  part: 'Token',
  state: 'fix',
  found: 'accepted, but KeyAPI sent no videos for the US chart: its source may have dried up',
  advice: 'Ask KeyAPI whether its trending charts still have a source. Servers still serve cached pages',
};

/** A call without a deadline of its own: the client has one. */
export const CALL: Call = {
  deadline: () => Number.POSITIVE_INFINITY,
  background: false,
  onSent: () => undefined,
};

/** What the first call found, and the id of a video on its page. */
interface TokenCheck {
  readonly finding: Finding;
  readonly itemId?: string | undefined;
}

/** Buys the first page of a chart: 2 credits. */
export async function checkToken(
  client: KeyapiClient,
  settings: Config['keyapi'],
  clock: Clock,
): Promise<TokenCheck> {
  const startedAt = clock.monotonic();
  try {
    const { rows, totalCount } = await client.source(trendingVideos)({ chart: CHART, number: 1 }, CALL);
    const ms = Math.round(clock.monotonic() - startedAt);
    if (rows.length === 0) return { finding: NO_VIDEOS };
    const videos = rows.filter((row) => row !== null);
    const found = `accepted: ${videos.length} of ${totalCount} videos of the US chart arrived in ${ms} ms`;
    return { finding: { part: 'Token', state: 'ok', found }, itemId: videos[0]?.itemId };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { finding: { part: 'Token', state: 'fix', ...explainRefusal(error, settings) } };
  }
}
