import { randomBytes } from 'node:crypto';
import { type Chart, TrendingOrder, TrendingPeriod } from '../src/domain/chart.ts';
import { encodeCursor } from '../src/domain/cursor.ts';

const PERIODS = Object.keys(TrendingPeriod) as (keyof typeof TrendingPeriod)[];
/** A dozen charts: four countries, three periods. */
const REGIONS = ['US', 'GB', 'DE', 'JP'];
const CHART_LENGTH = 500;
/** How many ids from recent responses to remember, for lookups. */
const MAX_SEEN = 200;

/** Creates operations that were never sent before: names, aliases, windows and ids are random. */
export interface Operations {
  next(): string;
  /** Remembers the ids in a response's text for lookups. */
  see(text: string): void;
}

export function createOperations(): Operations {
  let seen = ['7310871003254096742'];

  function next(): string {
    const kind = Math.random();
    if (kind < 0.7) return `query ${name()} { ${name()}: ${window()} }`;
    if (kind < 0.8) return `query ${name()} { ${name()}: ${window(20)} ${name()}: ${window(20)} }`;
    if (kind < 0.97) return `query ${name()} { ${name()}: ${lookup()} }`;
    // An invalid argument beside a valid field.
    return `query ${name()} { ${name()}: trendingVideos(region: "ZZ") { totalCount } ${name()}: ${window(20)} }`;
  }

  function lookup(): string {
    const ids = Array.from({ length: between(1, 20) }, () => `"${pick(seen)}"`);
    return `trendingVideosByItemId(itemIds: [${ids}, "${between(1, 1e9)}"]) { itemId title creator { handle } ${stats()} }`;
  }

  return {
    next,
    see: (text) => {
      const found = Array.from(text.matchAll(/"itemId":"(\d+)"/g), ([, id = '']) => id);
      seen = [...found, ...seen].slice(0, MAX_SEEN);
    },
  };
}

/** A field with a random window of a random chart, in either direction. */
function window(maxSize = 100): string {
  const period = pick(PERIODS);
  const chart: Chart = {
    region: pick(REGIONS),
    period: TrendingPeriod[period],
    orderBy: TrendingOrder.VIEWS,
  };
  const cursor = encodeCursor(chart, { rank: between(1, CHART_LENGTH), itemId: null });
  const size = between(1, maxSize);
  const slice = pick([
    `first: ${size}`,
    `last: ${size}`,
    `first: ${size}, after: "${cursor}"`,
    `last: ${size}, before: "${cursor}"`,
  ]);
  return `trendingVideos(region: "${chart.region}", period: ${period}, ${slice}) { totalCount stale edges { rank cursor node { itemId title cover ${stats()} } } pageInfo { hasNextPage endCursor } }`;
}

/** The numbers of every second window and lookup. */
const stats = (): string => pick(['', 'stats { views likes fetchedAt stale }']);
const name = (): string => `q${randomBytes(6).toString('hex')}`;
const between = (from: number, to: number): number => from + Math.floor(Math.random() * (to - from + 1));
const pick = <T>(values: readonly T[]): T => values[between(0, values.length - 1)] as T;
