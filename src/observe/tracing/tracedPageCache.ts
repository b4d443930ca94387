import type { Tracer } from '@opentelemetry/api';
import { PageCache, type PageCacheOptions, type ReadPage } from '../../data/pages/pageCache.ts';
import { chartId } from '../../domain/chart.ts';
import type { Operation } from '../../domain/operation.ts';
import type { PageKey } from '../../domain/page.ts';
import { inSpan } from './inSpan.ts';

/** A page cache that has a span for each page that an operation may have to wait for. */
export class TracedPageCache extends PageCache {
  readonly #tracer: Tracer;

  constructor(tracer: Tracer, options: PageCacheOptions) {
    super(options);
    this.#tracer = tracer;
  }

  override fetch(key: PageKey, operation: Operation): Promise<ReadPage> {
    const attributes = { 'trending.chart': chartId(key.chart), 'trending.page': key.number };
    const span = this.#tracer.startSpan('page', { attributes });
    return inSpan(span, async () => {
      const read = await super.fetch(key, operation);
      span.setAttribute('trending.origin', read.origin);
      return read;
    });
  }
}
