import type { ChartWindow } from '../../data/windows/cutInSteps.ts';
import type { Chart } from '../../domain/chart.ts';
import { toUtcDay } from '../../domain/utcDay.ts';
import type { OperationContext } from '../context.ts';
import { ConnectionHistory } from './connectionHistory.ts';
import type { HistoryNeed } from './historyNeed.ts';

/** Reads what is needed of the days before those of a window's pages; undefined for an empty window. Never rejects. */
export async function readHistory(
  chart: Chart,
  { videos, facts }: ChartWindow,
  need: HistoryNeed,
  { history }: OperationContext,
): Promise<ConnectionHistory | undefined> {
  if (!facts) return undefined;
  const fetched = [facts.fetchedAt, ...videos.map(({ page }) => page.fetchedAt)];
  const days = await history.daysBefore(chart, toUtcDay(Math.max(...fetched)));
  return new ConnectionHistory(days, facts.fetchedAt, need);
}
