import type { Config } from '../config/loadConfig.ts';
import type { Clock } from '../domain/clock.ts';
import { createEmulator } from '../keyapi/emulator/emulator.ts';
import { checkCacheFile } from './checkCacheFile.ts';
import { checkDocuments } from './checkDocuments.ts';
import { checkKeyapi } from './checkKeyapi.ts';
import { checkSettings } from './checkSettings.ts';
import { checkToken } from './checkToken.ts';
import type { Finding } from './finding.ts';

/** What the doctor looks at, and may do. */
export interface ExamineOptions {
  /** The environment. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Whether one call may be paid for. */
  readonly call: boolean;
  /** Told of that call before it is made. */
  readonly onCall: (origin: string) => void;
  readonly clock: Clock;
}

/** Looks at everything that the server needs, as the server would find it. */
export async function examine(options: ExamineOptions): Promise<readonly Finding[]> {
  const { config, findings } = checkSettings(options.variables);
  if (!config) return [...findings, NOTHING_ELSE];
  return [
    ...findings,
    ...(config.keyapi.emulator
      ? await examineEmulator(config, options)
      : await examineKeyapi(config, options)),
    await examineRedis(config, options),
    config.cache.file === undefined
      ? unused('Cache file', 'CACHE_FILE')
      : await checkCacheFile(config, config.cache.file, options.clock),
    config.persistedDocuments
      ? await checkDocuments(config.persistedDocuments.file)
      : unused('Documents', 'PERSISTED_DOCUMENTS'),
  ];
}

const NOTHING_ELSE: Finding = {
  part: 'All else',
  state: 'skipped',
  found: 'it is looked at when the settings are valid',
};
const NOT_TRIED: Finding = {
  part: 'Token',
  state: 'skipped',
  found: 'not tried: one call costs 2 credits',
  advice: 'npm run doctor -- --call',
};

async function examineKeyapi(
  { keyapi }: Config,
  { call, onCall, clock }: ExamineOptions,
): Promise<Finding[]> {
  const reached = await checkKeyapi(keyapi);
  if (reached.state === 'fix') {
    return [reached, { part: 'Token', state: 'skipped', found: 'not tried: KeyAPI cannot be reached' }];
  }
  if (!call) return [reached, NOT_TRIED];
  onCall(keyapi.baseUrl.origin);
  return [reached, await checkToken(keyapi.baseUrl, keyapi, clock)];
}

/** The embedded emulator takes no token, and costs nothing: it is asked in any case. */
async function examineEmulator({ keyapi }: Config, { clock }: ExamineOptions): Promise<Finding[]> {
  const emulator = createEmulator();
  const demo: Finding = {
    part: 'KeyAPI',
    state: 'note',
    found: 'demo data: the embedded emulator stands in for KeyAPI',
    advice: keyapi.token
      ? "Take KEYAPI_EMULATOR away for KeyAPI's own charts"
      : "Set KEYAPI_TOKEN for KeyAPI's own charts",
  };
  try {
    const answer = await checkToken(await emulator.listen(), { ...keyapi, token: undefined }, clock);
    return [demo, { ...answer, part: 'Emulator' }];
  } finally {
    await emulator.close();
  }
}

async function examineRedis({ redis }: Config, { clock }: ExamineOptions): Promise<Finding> {
  if (!redis) return unused('Redis', 'REDIS_URL');
  // Loaded only where it is used: its client takes time to start.
  const { checkRedis } = await import('./checkRedis.ts');
  return checkRedis(redis, clock);
}

function unused(part: string, variable: string): Finding {
  return { part, state: 'ok', found: `not used (${variable})` };
}
