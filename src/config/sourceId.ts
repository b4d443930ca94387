import type { Config } from './loadConfig.ts';

/** Identifies where pages come from, so that demo data and the pages of different upstreams never mix. */
export function sourceId({ keyapi }: Pick<Config, 'keyapi'>): string {
  return keyapi.emulator ? 'emulator' : keyapi.baseUrl.href.replace(/\/+$/, '');
}
