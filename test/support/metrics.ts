import type { FastifyInstance } from 'fastify';

/** One scrape, parsed. */
export interface Scrape {
  /** The value of a series, named as in the scrape, with its labels in the same order; 0 when absent. */
  value(series: string): number;
  /** All series of a metric, named as in the scrape. */
  series(name: string): string[];
  /** Each metric's type. */
  readonly types: ReadonlyMap<string, string>;
  readonly text: string;
}

/** Scrapes a server's `/metrics`. */
export async function scrape(server: FastifyInstance): Promise<Scrape> {
  const response = await server.inject('/metrics');
  return parseMetrics(response.body);
}

/** Parses Prometheus's text format; throws on a line that is not valid. */
export function parseMetrics(text: string): Scrape {
  const values = new Map<string, number>();
  const types = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, name, type] = /^# TYPE (\w+) (counter|gauge|histogram|summary)$/.exec(line) ?? [];
    if (name && type) types.set(name, type);
    if (line === '' || line.startsWith('# ')) continue;
    const [, series, value] = /^(\w+(?:\{(?:\w+="[^"\\]*",?)+\})?) (\S+)$/.exec(line) ?? [];
    if (series === undefined || Number.isNaN(Number(value))) throw new TypeError(`not a metric: ${line}`);
    values.set(series, Number(value));
  }
  return {
    value: (series) => values.get(series) ?? 0,
    series: (name) => [...values.keys()].filter((series) => series.split('{')[0] === name),
    types,
    text,
  };
}
