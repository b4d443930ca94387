import type { GraphQLResolveInfo } from 'graphql';
import type { ChartWindow } from '../../data/windows/cutInSteps.ts';
import { type Chart, toChart } from '../../domain/chart.ts';
import { decodeCursor } from '../../domain/cursor.ts';
import { ApiError } from '../../domain/errors.ts';
import { MAX_WINDOW, type WindowArguments } from '../../domain/window/index.ts';
import type { OperationContext } from '../context.ts';
import { type HistoryNeed, mentionsHistory, toHistoryNeed } from '../history/historyNeed.ts';
import { readHistory } from '../history/readHistory.ts';
import { readStats } from '../stats/readStats.ts';
import { mentionsStats, toStatsNeed } from '../stats/statsNeed.ts';
import type { TrendingVideosArgs } from '../types/trendingVideos.args.ts';
import { WindowConnection } from './windowConnection.ts';
import { toWindowNeed, videoFields } from './windowNeed.ts';

/** Resolves `Query.trendingVideos`: reads what is selected of the connection, at once if all of it is cached. */
export function readConnection(
  args: TrendingVideosArgs,
  context: OperationContext,
  info: GraphQLResolveInfo,
): WindowConnection | object | Promise<WindowConnection> {
  try {
    return readSelected(args, context, info);
  } catch (error) {
    // Errors that are thrown here would precede those of the arguments of fields that follow.
    return Promise.reject(error);
  }
}

function readSelected(
  args: TrendingVideosArgs,
  context: OperationContext,
  info: GraphQLResolveInfo,
): WindowConnection | object | Promise<WindowConnection> {
  const chart = toChart(args.region, args.period, args.orderBy);
  const window = toWindowArguments(chart, args);
  const need = toWindowNeed(info.fieldNodes, info);
  // Only `__typename` is selected, of the connection or of its page info.
  if (!need.rows && !need.facts) return { pageInfo: {} };
  // Checked before anything is paid for.
  const historyNeed = mentionsHistory(info) ? toHistoryNeed(info.fieldNodes, info) : undefined;
  const read = context.charts.readWindow(chart, window, need);
  if (!historyNeed && !mentionsStats(info) && !(read instanceof Promise))
    return new WindowConnection(chart, read);
  return readMore(chart, read, historyNeed, context, info);
}

/** Reads what is selected beside the window. */
async function readMore(
  chart: Chart,
  reading: ChartWindow | Promise<ChartWindow>,
  historyNeed: HistoryNeed | undefined,
  context: OperationContext,
  info: GraphQLResolveInfo,
): Promise<WindowConnection> {
  const read = await reading;
  const history = historyNeed && (await readHistory(chart, read, historyNeed, context));
  if (!mentionsStats(info)) return new WindowConnection(chart, read, { history });
  const statsNeed = toStatsNeed(videoFields(info.fieldNodes, info), info);
  const stats = await readStats(read.videos, statsNeed, context);
  return new WindowConnection(chart, read, { stats, history });
}

/**
 * Checks the pagination arguments; null and an empty cursor count as absent.
 *
 * @throws {ApiError} `BAD_USER_INPUT`, which names the argument.
 */
function toWindowArguments(chart: Chart, args: TrendingVideosArgs): WindowArguments {
  return {
    first: toSize(args.first, 'first'),
    last: toSize(args.last, 'last'),
    after: args.after ? decodeCursor(chart, args.after, 'after') : undefined,
    before: args.before ? decodeCursor(chart, args.before, 'before') : undefined,
  };
}

function toSize(value: number | null | undefined, argument: string): number | undefined {
  if (value === null || value === undefined) return undefined;
  if (value < 0 || value > MAX_WINDOW) {
    throw new ApiError('BAD_USER_INPUT', {
      message: `Argument "${argument}": expected 0 to ${MAX_WINDOW}, but got: ${value}`,
    });
  }
  return value;
}
