import { hash } from './random.ts';
import { makeHandle, makeTitle } from './titles.ts';

/** A row as KeyAPI sends it. */
export interface Row {
  readonly country_code: string;
  readonly cover: string;
  readonly duration: number;
  readonly id: string;
  readonly item_id: string;
  readonly item_url: string;
  readonly region: string;
  readonly title: string;
}

/** Identifies a chart by KeyAPI's parameters. */
interface ChartParameters {
  readonly region: string;
  readonly period: string;
  readonly order_by: string;
}

/** Videos on a full chart. */
export const CHART_LENGTH = 500;

/** The number of videos that a region's charts are made of, and of those that trend everywhere. */
const REGIONAL_VIDEOS = 900;
const WORLDWIDE_VIDEOS = 100;

/**
 * The seeds of a chart's videos, top first: the same on every machine, and different for each region, period and
 * `order_by`. A region's charts overlap, and all regions share some worldwide hits.
 */
export function makeChart({ region, period, order_by }: ChartParameters): string[] {
  const seeds = [
    ...Array.from({ length: REGIONAL_VIDEOS }, (_, index) => `${region}/${index}`),
    ...Array.from({ length: WORLDWIDE_VIDEOS }, (_, index) => `world/${index}`),
  ];
  return seeds
    .map((seed) => ({ seed, score: hash(`${region}/${period}/${order_by}/${seed}`) }))
    .sort((a, b) => a.score - b.score || (a.seed < b.seed ? -1 : 1))
    .slice(0, CHART_LENGTH)
    .map(({ seed }) => seed);
}

/**
 * The row of a video on a region's chart.
 *
 * @param coverUrl Signs the link to the cover of an item.
 */
export function makeRow(seed: string, region: string, coverUrl: (itemId: string) => string): Row {
  const itemId = `7${digits(`${seed}/high`)}${digits(`${seed}/low`)}`;
  return {
    country_code: region,
    cover: coverUrl(itemId),
    duration: 5 + (hash(`${seed}/duration`) % 175),
    id: itemId,
    item_id: itemId,
    item_url: `https://www.tiktok.com/@${makeHandle(seed)}/video/${itemId}`,
    region: regionNames.of(region) ?? region,
    title: makeTitle(seed),
  };
}

const regionNames = new Intl.DisplayNames(['en'], { type: 'region' });

function digits(seed: string): string {
  return String(hash(seed) % 1e9).padStart(9, '0');
}
