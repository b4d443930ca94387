import { History } from '../data/history/history.ts';
import { HistoryStore } from '../data/history/historyStore.ts';
import type { AppContext } from './appContext.ts';

/** The ranks of the last days, and where they are stored. */
export interface HistoryParts {
  readonly history: History;
  readonly store: HistoryStore;
}

/** Creates the ranks of the last days. */
export function createHistory({ config, clock }: AppContext): HistoryParts {
  const { days, maxBytes } = config.history;
  const store = new HistoryStore({ clock, days, maxBytes });
  return { history: new History(store), store };
}
