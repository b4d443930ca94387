import { Gauge, type Registry } from 'prom-client';

/** How much a cache holds, and may hold. */
export interface CacheSize {
  readonly bytes: () => number;
  readonly maxBytes: number;
}

/** What is read when metrics are. */
export interface Parts {
  /** By name. */
  readonly caches: ReadonlyMap<string, CacheSize>;
  /** Absent without Redis. */
  readonly isRedisUp?: (() => boolean) | undefined;
}

/** Has these parts read with every scrape. */
export function watchParts(registry: Registry, { caches, isRedisUp }: Parts): void {
  const registers = [registry];
  new Gauge({
    name: 'trending_cache_bytes',
    help: 'What caches hold, by their own reckoning',
    labelNames: ['cache'],
    registers,
    collect() {
      for (const [cache, { bytes }] of caches) this.set({ cache }, bytes());
    },
  });
  new Gauge({
    name: 'trending_cache_max_bytes',
    help: 'What caches may hold',
    labelNames: ['cache'],
    registers,
    collect() {
      for (const [cache, { maxBytes }] of caches) this.set({ cache }, maxBytes);
    },
  });
  if (!isRedisUp) return;
  new Gauge({
    name: 'trending_redis_up',
    help: '1 while Redis answers',
    registers,
    collect() {
      this.set(isRedisUp() ? 1 : 0);
    },
  });
}
