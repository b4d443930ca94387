import { type Chart, TrendingPeriod } from '../../src/domain/chart.ts';
import {
  createCachedPages,
  createFetchedPages,
  type Edge,
  PAGE_SIZE,
  type Page,
  type Video,
} from './pages.ts';
import type { PeerSettings } from './settings.ts';

/** The arguments of the peers' one field, as GraphQL coerces them. */
export interface WindowArguments {
  readonly region: string;
  readonly period: keyof typeof TrendingPeriod;
  readonly orderBy: Chart['orderBy'];
  readonly first?: number | null;
  readonly after?: string | null;
  readonly last?: number | null;
  readonly before?: string | null;
}

/** The object that the peers' default resolvers read. */
export interface Connection {
  readonly edges: readonly Edge[];
  readonly nodes: readonly Video[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
  readonly totalCount: number;
  readonly fetchedAt: string;
  readonly stale: boolean;
}

/** The peers' one resolver. */
export type TrendingVideos = (arguments_: WindowArguments) => Connection | Promise<Connection>;

const CHART_LENGTH = 500;

/**
 * The resolver of all peers: ranks to pages, pages to a slice. It does less than the product's (no validation of
 * cursors, no charts that change or shrink, no ages, no costs), which favours the peers, and returns a result
 * without a promise if all pages are cached.
 */
export function createTrendingVideos({ keyapiUrl, pageCache }: PeerSettings): TrendingVideos {
  const fetched = createFetchedPages(keyapiUrl);
  const pages = pageCache ? createCachedPages(fetched) : fetched;
  return (window) => {
    const chart = { region: window.region, period: TrendingPeriod[window.period], orderBy: window.orderBy };
    const [from, to] = toRanks(window);
    const wanted: (Page | Promise<Page>)[] = [];
    for (let number = pageOf(from); number <= pageOf(to); number++) wanted.push(pages(chart, number));
    return wanted.every(isCached)
      ? cut(wanted, from, to)
      : Promise.all(wanted).then((all) => cut(all, from, to));
  };
}

/** The first and the last rank of a window: the cursors first, then `first`, then `last`. */
function toRanks({ first, after, last, before }: WindowArguments): [from: number, to: number] {
  let from = after ? rankOf(after) + 1 : 1;
  let to = before ? rankOf(before) - 1 : CHART_LENGTH;
  const size = first ?? (last == null ? PAGE_SIZE : null);
  if (size !== null) to = Math.min(to, from + size - 1);
  if (last != null) from = Math.max(from, to - last + 1);
  return [from, to];
}

function rankOf(cursor: string): number {
  return Number(Buffer.from(cursor, 'base64url').toString('latin1').split('|')[2]);
}

function pageOf(rank: number): number {
  return Math.ceil(rank / PAGE_SIZE);
}

function isCached(page: Page | Promise<Page>): page is Page {
  return 'edges' in page;
}

function cut(pages: readonly Page[], from: number, to: number): Connection {
  const start = (from - 1) % PAGE_SIZE;
  const [only] = pages;
  const all = pages.length === 1 && only ? only.edges : pages.flatMap((page) => page.edges);
  const edges = all.slice(start, start + to - from + 1);
  const totalCount = only?.totalCount ?? 0;
  return {
    edges,
    nodes: edges.map((edge) => edge.node),
    pageInfo: {
      hasNextPage: to < totalCount,
      hasPreviousPage: from > 1,
      startCursor: edges.at(0)?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    totalCount,
    fetchedAt: pages.reduce((oldest, { fetchedAt }) => (fetchedAt < oldest ? fetchedAt : oldest), '9'),
    stale: false,
  };
}
