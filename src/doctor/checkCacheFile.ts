import path from 'node:path';
import type { Config } from '../config/loadConfig.ts';
import { sourceId } from '../config/sourceId.ts';
import { createCacheFile } from '../data/cacheFile.ts';
import type { DataEvent } from '../data/events.ts';
import { PageStore } from '../data/pages/pageStore.ts';
import { StatsStore } from '../data/stats/statsStore.ts';
import type { Clock } from '../domain/clock.ts';
import type { Finding } from './finding.ts';

/** Reads the cache file as the server does at its start, and checks that it can be written. */
export async function checkCacheFile(config: Config, file: string, clock: Clock): Promise<Finding> {
  const { staleMs, pageBytes, statsBytes, ttlMs, statsTtlMs } = config.cache;
  const events: DataEvent[] = [];
  const cacheFile = createCacheFile({
    file,
    sourceId: sourceId(config),
    pages: new PageStore({ clock, staleMs, maxBytes: pageBytes }),
    stats: new StatsStore({ clock, staleMs, maxBytes: statsBytes }),
    ttlMs,
    statsTtlMs,
    clock,
    onEvent: (event) => void events.push(event),
  });
  await cacheFile.read();
  const findings = events.map((event) => toFinding(event, file));
  return findings.find(({ state }) => state === 'fix') ?? findings[0] ?? toFinding(undefined, file);
}

function toFinding(event: DataEvent | undefined, file: string): Finding {
  const part = 'Cache file';
  switch (event?.type) {
    case 'fileFailed':
      return {
        part,
        state: 'fix',
        found: `cannot be written: ${event.reason}`,
        advice: `Create the folder ${path.dirname(path.resolve(file))}, and let this user (${userName()}) write to it`,
      };
    case 'fileIgnored':
      if (event.isReplaced) {
        const advice =
          'The server starts without its content, and renames it to .ignored when it writes a new one';
        return { part, state: 'note', found: `${file}: ${event.reason}`, advice };
      }
      return {
        part,
        state: 'fix',
        found: `${file} is not used: ${event.reason}`,
        advice: 'Set CACHE_FILE to another file',
      };
    case 'cacheFileRead':
      return {
        part,
        state: 'ok',
        found: `${file} has ${toContent(event)}, and can be written`,
      };
    default:
      return { part, state: 'ok', found: `${file} can be written` };
  }
}

function toContent({ pages, stats }: { readonly pages: number; readonly stats: number }): string {
  const numbers = stats === 0 ? '' : ` and the numbers on ${stats} videos`;
  return `${pages === 0 ? 'no pages yet' : `${pages} pages`}${numbers}`;
}

function userName(): string {
  return `uid ${process.getuid?.() ?? 'unknown'}`;
}
