import { sourceId } from '../config/sourceId.ts';
import { History } from '../data/history/history.ts';
import { createHistoryFile, type HistoryFile } from '../data/history/historyFile.ts';
import { HistoryStore } from '../data/history/historyStore.ts';
import { createSharedHistory } from '../data/redis/sharedHistory.ts';
import type { AppContext } from './appContext.ts';
import { createDemoLookUp } from './demoHistory.ts';
import type { Upstream } from './keyapi.ts';
import type { Redis } from './redis.ts';

/** Where else ranks of the last days are known. */
interface HistoryOptions {
  readonly upstream: Upstream;
  /** Undefined without Redis. */
  readonly redis: Redis | undefined;
}

/** The ranks of the last days, and where they are stored. */
export interface HistoryParts {
  readonly history: History;
  readonly store: HistoryStore;
  /** Waits until the recorded ranks are stored for other replicas. */
  settle(): Promise<void>;
  /** Writes what the file does not have yet. */
  close(): Promise<void>;
}

/**
 * Creates the store of the ranks of the last days: in memory, loaded from the history file, and shared through Redis if
 * it is configured.
 */
export async function createHistory(context: AppContext, options: HistoryOptions): Promise<HistoryParts> {
  const { config, clock } = context;
  const { upstream, redis } = options;
  const { days, maxBytes } = config.history;
  const store = new HistoryStore({ clock, days, maxBytes });
  const history = new History(store);
  const file = await openHistoryFile(context, store);
  if (file) history.onNoted(file.scheduleWrite);
  if (upstream.itemIdsOn) history.addLookUp(createDemoLookUp(upstream.itemIdsOn, clock));
  const shared =
    redis && createSharedHistory({ redis, changeFeed: redis.changeFeed, history, store, clock, days });
  return { history, store, settle: async () => shared?.settle(), close: async () => file?.close() };
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
