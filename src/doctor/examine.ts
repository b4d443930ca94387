import type { Variables } from '../config/environment.ts';
import type { Config } from '../config/loadConfig.ts';
import type { Clock } from '../domain/clock.ts';
import { createEmulator } from '../keyapi/emulator/emulator.ts';
import { checkCacheFiles } from './checkCacheFiles.ts';
import { checkCalls } from './checkCalls.ts';
import { checkDocuments } from './checkDocuments.ts';
import { checkKeyapi } from './checkKeyapi.ts';
import { checkListening } from './checkListening.ts';
import { checkSettings } from './checkSettings.ts';
import type { Finding } from './finding.ts';

/** What the doctor checks, and may do. */
interface ExamineOptions {
  /** The environment. */
  readonly variables: Variables;
  /** The server's working folder. */
  readonly folder: string;
  /** Whether it may spend the credits of one call to each endpoint. */
  readonly call: boolean;
  /** Called before the first of these calls. */
  readonly onCall: (origin: string) => void;
  readonly clock: Clock;
}

/** Checks everything that the server needs, as the server itself would find it. */
export async function examine(options: ExamineOptions): Promise<readonly Finding[]> {
  const { config, findings } = checkSettings(options.variables, options.folder);
  if (!config) return [...findings, NOTHING_ELSE];
  return [
    ...findings,
    ...(await checkListening(config)),
    ...(config.keyapi.emulator
      ? await examineEmulator(config, options)
      : await examineKeyapi(config, options)),
    await examineRedis(config, options),
    ...(config.cache.file === undefined
      ? [unused('Cache file', 'CACHE_FILE')]
      : await checkCacheFiles(config, options.clock)),
    config.persistedDocuments
      ? await checkDocuments(config.persistedDocuments.file)
      : unused('Documents', 'PERSISTED_DOCUMENTS'),
  ];
}

const NOTHING_ELSE: Finding = {
  part: 'Other parts',
  state: 'skipped',
  found: 'not checked: the settings are not valid',
};
const NOT_TRIED: Finding = {
  part: 'Token',
  state: 'skipped',
  found: 'not checked: two calls cost 3 credits',
  advice: 'npm run doctor -- --call',
};

async function examineKeyapi(
  { keyapi }: Config,
  { call, onCall, clock }: ExamineOptions,
): Promise<Finding[]> {
  const reached = await checkKeyapi(keyapi);
  if (reached.some(({ state }) => state === 'fix')) {
    return [...reached, { part: 'Token', state: 'skipped', found: 'not checked: KeyAPI cannot be reached' }];
  }
  if (!call) return [...reached, NOT_TRIED];
  onCall(keyapi.baseUrl.origin);
  return [...reached, ...(await checkCalls(keyapi.baseUrl, keyapi, clock))];
}

/** The embedded emulator needs no token and costs nothing: it is always called. */
async function examineEmulator({ keyapi }: Config, { clock }: ExamineOptions): Promise<Finding[]> {
  const emulator = createEmulator();
  const demo: Finding = {
    part: 'KeyAPI',
    state: 'note',
    found: 'demo data: the server uses the embedded emulator instead of KeyAPI',
    advice: keyapi.token
      ? 'Unset KEYAPI_EMULATOR to get charts from KeyAPI'
      : 'Set KEYAPI_TOKEN to get charts from KeyAPI',
  };
  try {
    const findings = await checkCalls(await emulator.listen(), { ...keyapi, token: undefined }, clock);
    return [
      demo,
      ...findings.map((finding) => (finding.part === 'Token' ? { ...finding, part: 'Emulator' } : finding)),
    ];
  } finally {
    await emulator.close();
  }
}

async function examineRedis({ redis }: Config, { clock }: ExamineOptions): Promise<Finding> {
  if (!redis) return unused('Redis', 'REDIS_URL');
  // Imported on demand: ioredis takes time to load.
  const { checkRedis } = await import('./checkRedis.ts');
  return checkRedis(redis, clock);
}

function unused(part: string, variable: string): Finding {
  return { part, state: 'ok', found: `not used (${variable} is not set)` };
}
