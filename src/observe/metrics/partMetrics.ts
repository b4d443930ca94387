import { Gauge, type Registry } from 'prom-client';
import type { LimitsState } from '../../data/upstream/limitsState.ts';
import { watchLimits } from './limitMetrics.ts';

/** The size of a cache. */
interface CacheSize {
  readonly bytes: () => number;
  readonly maxBytes: number;
}

/** Parts of the program that are read with every scrape. */
export interface Parts {
  /** By the metrics' label; undefined for a cache that is off. */
  readonly caches: Readonly<Record<string, CacheSize | undefined>>;
  readonly limits: LimitsState;
  /** Undefined without Redis. */
  readonly isRedisUp: (() => boolean) | undefined;
}

/** Reads these parts with every scrape. */
export function watchParts(registry: Registry, { caches, limits, isRedisUp }: Parts): void {
  watchLimits(registry, limits);
  const registers = [registry];
  const sizes = Object.entries(caches).flatMap(([cache, size]) => (size ? [{ cache, ...size }] : []));
  new Gauge({
    name: 'trending_cache_bytes',
    help: 'Estimated size of a cache',
    labelNames: ['cache'],
    registers,
    collect() {
      for (const { cache, bytes } of sizes) this.set({ cache }, bytes());
    },
  });
  new Gauge({
    name: 'trending_cache_max_bytes',
    help: 'Maximum size of a cache',
    labelNames: ['cache'],
    registers,
    collect() {
      for (const { cache, maxBytes } of sizes) this.set({ cache }, maxBytes);
    },
  });
  if (!isRedisUp) return;
  new Gauge({
    name: 'trending_redis_up',
    help: '1 while Redis is up',
    registers,
    collect() {
      this.set(isRedisUp() ? 1 : 0);
    },
  });
}
