import { isIP } from 'node:net';
import { z } from 'zod';

/** The values of a setting: described, and as a schema that parses its text. */
export interface SettingType<T extends z.ZodType> {
  /** Completes "expected …". Shown for a value that is not valid, and in the documentation. */
  readonly expected: string;
  readonly schema: T;
}

/** A whole number within bounds, both included. */
export function integer(min: number, max: number) {
  const expected = `a whole number from ${min} to ${max}`;
  const schema = z
    .string()
    .regex(/^\d{1,12}$/, `expected ${expected}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `expected ${expected}`);
  return { expected, schema } satisfies SettingType<z.ZodType>;
}

/** `true`, `false`, `1` or `0`. */
export const boolean = {
  expected: 'true or false',
  schema: z.stringbool({ truthy: ['true', '1'], falsy: ['false', '0'], error: 'expected true or false' }),
};

/** One of several words. */
export function oneOf<const T extends readonly string[]>(words: T) {
  const expected = `one of ${words.join(', ')}`;
  return { expected, schema: z.enum(words, `expected ${expected}`) };
}

/** Any text that is not empty. */
export function text(expected: string) {
  return { expected, schema: z.string() };
}

/** A text that matches a pattern. */
export function pattern(expected: string, regex: RegExp) {
  return { expected, schema: z.string().regex(regex, `expected ${expected}`) };
}

const HTTP_URL = 'an http or https address without credentials, query or fragment';
/** The address of an HTTP API; it may have a path. */
export const httpUrl = {
  expected: HTTP_URL,
  schema: z
    .string()
    .refine(isHttpUrl, `expected ${HTTP_URL}`)
    .transform((address) => new URL(address)),
};

const REDIS_URL = 'redis:// or rediss://, with user:password@ where needed, a host, and a /database';
/** The address of a Redis. */
export const redisUrl = {
  expected: REDIS_URL,
  schema: z
    .string()
    .refine(isRedisUrl, `expected ${REDIS_URL}`)
    .transform((address) => new URL(address)),
};

const ORIGINS = 'origins such as https://app.example.com, separated by commas';
/** Origins of web pages. */
export const origins = {
  expected: ORIGINS,
  schema: z
    .string()
    .transform(toList)
    .pipe(z.array(z.string().refine(isOrigin, `expected ${ORIGINS}`))),
};

const API_KEYS = 'keys of 8 characters or more, each bare or as name:key, separated by commas';
/** Keys that callers may send, each with its name. */
export const apiKeys = {
  expected: API_KEYS,
  schema: z
    .string()
    .transform(toList)
    .pipe(z.array(z.string().regex(/^([\w-]+:)?[^\s:,]{8,}$/, `expected ${API_KEYS}`)))
    .transform((list) => list.map(toApiKey)),
};

const PROXIES =
  'true, false, a number of proxies up to 10, or addresses such as 10.0.0.0/8, separated by commas';
/** Proxies whose `X-Forwarded-For` is trusted. */
export const proxies = {
  expected: PROXIES,
  schema: z
    .string()
    .transform(toProxies)
    .refine((trusted) => !Array.isArray(trusted) || trusted.every(isAddress), `expected ${PROXIES}`),
};

function toList(list: string): string[] {
  return list.split(',').map((item) => item.trim());
}

function isHttpUrl(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, username, password, search, hash } = new URL(address);
  return /^https?:$/.test(protocol) && `${username}${password}${search}${hash}` === '';
}

/** Credentials must decode here: decoding them later would throw an error that contains the password. */
function isRedisUrl(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname, pathname, username, password, search, hash } = new URL(address);
  const isWhole = /^rediss?:$/.test(protocol) && hostname !== '' && /^(\/\d{0,4})?$/.test(pathname);
  return isWhole && `${search}${hash}` === '' && [username, password].every(canDecode);
}

function canDecode(encoded: string): boolean {
  try {
    decodeURIComponent(encoded);
    return true;
  } catch {
    return false;
  }
}

function isOrigin(address: string): boolean {
  return isHttpUrl(address) && new URL(address).origin === address;
}

function toApiKey(item: string): { key: string; name: string | undefined } {
  const end = item.indexOf(':');
  return { key: item.slice(end + 1), name: end < 0 ? undefined : item.slice(0, end) };
}

function toProxies(value: string): boolean | number | string[] {
  if (value === 'true' || value === 'false') return value === 'true';
  if (/^(\d|10)$/.test(value)) return Number(value);
  return toList(value);
}

/** An address, a network such as 10.0.0.0/8, or one of Fastify's names for networks. */
function isAddress(item: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(item)) return true;
  const [address = '', bits, ...others] = item.split('/');
  const version = isIP(address);
  if (version === 0 || others.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}
