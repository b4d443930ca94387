import { sourceId } from '../config/sourceId.ts';
import { History } from '../data/history/history.ts';
import { createHistoryFile, type HistoryFile } from '../data/history/historyFile.ts';
import { HistoryStore } from '../data/history/historyStore.ts';
import type { AppContext } from './appContext.ts';

/** The ranks of the last days, and where they are stored. */
export interface HistoryParts {
  readonly history: History;
  readonly store: HistoryStore;
  /** Undefined when ranks do not survive the process. */
  readonly file: HistoryFile | undefined;
}

/** Creates the ranks of the last days, with those of the history file. */
export async function createHistory(context: AppContext): Promise<HistoryParts> {
  const { config, clock } = context;
  const { days, maxBytes } = config.history;
  const store = new HistoryStore({ clock, days, maxBytes });
  const history = new History(store);
  const file = await openHistoryFile(context, store);
  if (file) history.onNoted(file.scheduleWrite);
  return { history, store, file };
}

async function openHistoryFile(
  { config, clock, onEvent }: AppContext,
  store: HistoryStore,
): Promise<HistoryFile | undefined> {
  const { file } = config.history;
  if (file === undefined) return undefined;
  const historyFile = createHistoryFile({ file, sourceId: sourceId(config), store, clock, onEvent });
  await historyFile.read();
  return historyFile;
}
