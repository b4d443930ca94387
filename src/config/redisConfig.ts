import { hostAndPort } from '../domain/hostAndPort.ts';
import type { RedisServer } from '../domain/redisServer.ts';
import type { ConfigProblem } from './configError.ts';
import type { Variables } from './environment.ts';
import type { SettingValues } from './settings.ts';

/** A Redis, and how long a command may take before it counts as down. */
export interface RedisConfig extends RedisServer {
  readonly timeoutMs: number;
}

const SENTINEL_PORT = 26_379;

/** How Redis is reached; undefined without `REDIS_URL`. */
export function toRedisConfig(values: SettingValues): RedisConfig | undefined {
  const address = values.REDIS_URL;
  const mode = values.REDIS_MODE;
  if (!address) return undefined;
  return {
    mode,
    addresses: address.urls.map((url) => ({
      ...hostAndPort(url),
      ...(mode === 'sentinel' && url.port === '' && { port: SENTINEL_PORT }),
    })),
    username: address.username,
    password: address.password,
    database: address.database,
    tls: address.isTls
      ? { ca: values.REDIS_TLS_CA, cert: values.REDIS_TLS_CERT, key: values.REDIS_TLS_KEY }
      : undefined,
    sentinel:
      mode === 'sentinel'
        ? { name: values.REDIS_SENTINEL_NAME ?? '', password: values.REDIS_SENTINEL_PASSWORD }
        : undefined,
    prefix: mode === 'cluster' ? withHashTag(values.REDIS_PREFIX) : values.REDIS_PREFIX,
    timeoutMs: values.REDIS_TIMEOUT_MS,
  };
}

/** Settings for Redis that others require, or exclude. */
export function findRedisProblems(set: Variables, values: Partial<SettingValues>): ConfigProblem[] {
  const { REDIS_URL: address, REDIS_MODE: mode, REDIS_PREFIX: prefix } = values;
  const { REDIS_TLS_CERT: cert, REDIS_TLS_KEY: key } = values;
  const problems: ConfigProblem[] = [];
  const expect = (setting: keyof SettingValues, text: string): void =>
    void problems.push({ setting, text: `expected ${text}` });

  if ((mode === 'cluster' || mode === 'sentinel') && set.REDIS_URL === undefined) {
    expect('REDIS_URL', `the addresses that REDIS_MODE=${mode} requires`);
  }
  if (mode === 'sentinel' && set.REDIS_SENTINEL_NAME === undefined) {
    expect(
      'REDIS_SENTINEL_NAME',
      'the name by which the sentinels know the primary, which REDIS_MODE=sentinel requires',
    );
  }
  if (mode === 'single' && address && address.urls.length > 1) {
    expect('REDIS_MODE', 'cluster or sentinel, because REDIS_URL has several hosts');
  }
  if (mode === 'cluster' && address && address.database > 0) {
    expect('REDIS_URL', 'no /database with REDIS_MODE=cluster: a cluster has none but 0');
  }
  if (mode === 'cluster' && prefix !== undefined && !hasHashTag(withHashTag(prefix))) {
    expect('REDIS_PREFIX', 'a prefix that does not begin with } with REDIS_MODE=cluster');
  }
  if (cert !== undefined && key === undefined) expect('REDIS_TLS_KEY', 'the key of REDIS_TLS_CERT');
  if (key !== undefined && cert === undefined) expect('REDIS_TLS_CERT', 'the certificate of REDIS_TLS_KEY');
  const file = (['REDIS_TLS_CA', 'REDIS_TLS_CERT', 'REDIS_TLS_KEY'] as const).find((name) => values[name]);
  if (file && address && !address.isTls) expect('REDIS_URL', `rediss://, which ${file} is for`);
  return problems;
}

/** A cluster stores keys that have the same text in braces, the hash tag, in the same slot. */
function withHashTag(prefix: string): string {
  return hasHashTag(prefix) ? prefix : `{${prefix}}`;
}

/** Only the first pair of braces counts, and only if something is in it. */
function hasHashTag(prefix: string): boolean {
  return /^[^{]*\{[^}]+\}/.test(prefix);
}
