import { makeRow, makeSuccess, reply, startUpstream, type Upstream } from './upstream.ts';

export interface MovingChart extends Upstream {
  /** By chart (`US`), the item ids of its rows, top first; null for a row that cannot be read. May be replaced. */
  readonly rows: Record<string, readonly (number | null)[]>;
  /** The most rows that a page has. */
  pageSize: number;
  /** While true, every request fails. */
  isFailing: boolean;
  /** Called with each page that is sent. */
  onPage: (page: {
    readonly chart: string;
    readonly number: number;
    readonly pageSize: number;
    readonly ids: readonly (number | null)[];
  }) => void;
  /** The pages that were requested, as `US:1`. */
  readonly pagesBought: () => string[];
}

/** An upstream whose charts, one for each region, the test moves by hand. */
export async function startMovingChart(): Promise<MovingChart> {
  const rows: Record<string, readonly (number | null)[]> = {};
  const upstream = await startUpstream((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://upstream');
    if (chart.isFailing) return reply('{}', 500)(request, response);
    const [region, page, limit] = ['region', 'page', 'limit'].map((name) => searchParams.get(name) ?? '');
    const size = Math.min(Number(limit), chart.pageSize);
    const all = rows[region ?? ''] ?? [];
    const start = (Number(page) - 1) * size;
    const ids = all.slice(start, start + size);
    chart.onPage({ chart: region ?? '', number: Number(page), pageSize: size, ids });
    const videos = ids.map((id) => (id === null ? { title: 'without an id' } : makeRow(String(id))));
    const pagination = {
      has_more: start + size < all.length,
      limit: size,
      page: Number(page),
      total_count: all.length,
    };
    reply(makeSuccess(videos, pagination))(request, response);
  });
  const chart: MovingChart = {
    ...upstream,
    rows,
    pageSize: 20,
    isFailing: false,
    onPage: () => undefined,
    pagesBought: () =>
      upstream.requests.map((request) => {
        const { searchParams } = new URL(request, 'http://upstream');
        return `${searchParams.get('region')}:${searchParams.get('page')}`;
      }),
  };
  return chart;
}
