import type { Config } from './loadConfig.ts';

/** Names where pages come from: demo data must not pass for real data, nor one upstream's pages for another's. */
export function sourceId({ keyapi }: Pick<Config, 'keyapi'>): string {
  return keyapi.emulator ? 'emulator' : keyapi.baseUrl.href.replace(/\/+$/, '');
}
