import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import {
  type ChartRanks,
  chartId,
  parseChartId,
  parseRegion,
  TrendingOrder,
  TrendingPeriod,
} from '../domain/chart.ts';
import { FULL_CHART } from '../domain/page.ts';
import { splitHosts, toRedisAddress } from './redisAddress.ts';
import { canDecode, isUrlHost } from './urlParts.ts';

/** The values of a setting: described, and as a schema that parses its text. */
export interface SettingType<T extends z.ZodType> {
  /** Completes "expected …". Shown for a value that is not valid, and in the documentation. */
  readonly expected: string;
  readonly schema: T;
  /** The items of a list, in the order in which its schema counts them; none of anything else. */
  readonly items: (text: string) => readonly string[];
  /**
   * All texts that may be in quotes by mistake, and may contain a secret: the items, their parts, and the whole text.
   */
  readonly parts: (text: string) => readonly string[];
  /** Whether it is an address, which may have a password. */
  readonly isUrl: boolean;
}

/** @param toSchema Creates the schema, with the message for a value that is not valid. */
function settingType<T extends z.ZodType>(
  expected: string,
  toSchema: (error: string) => T,
  {
    items = () => [],
    parts = (text) => [...items(text), text],
    isUrl = false,
  }: Partial<Omit<SettingType<z.ZodType>, 'expected' | 'schema'>> = {},
): SettingType<T> {
  return { expected, schema: toSchema(`expected ${expected}`), items, parts, isUrl };
}

/** A whole number within bounds, both included. */
export function integer(min: number, max: number) {
  return settingType(`a whole number from ${min} to ${max}`, (error) =>
    z
      .string()
      .regex(/^\d{1,12}$/, error)
      .transform(Number)
      .refine((value) => value >= min && value <= max, error),
  );
}

/** `true`, `false`, `1` or `0`. */
export const boolean = settingType('true or false', (error) =>
  z.stringbool({ truthy: ['true', '1'], falsy: ['false', '0'], error }),
);

/** One of several words. */
export function oneOf<const T extends readonly string[]>(words: T) {
  return settingType(`one of ${words.join(', ')}`, (error) => z.enum(words, error));
}

/** Any text that is not empty. */
export function text(expected: string) {
  return settingType(expected, () => z.string());
}

/** A text that matches a pattern. */
export function pattern(expected: string, regex: RegExp) {
  return settingType(expected, (error) => z.string().regex(regex, error));
}

/** The path of a file with a key or a certificate. */
export const pemFile = settingType('the path of a PEM file', (error) =>
  z.string().refine((text) => !isPem(text), `${error}, not its content`),
);

/** Whether a text is such a file itself, perhaps in base64. */
export function isPem(text: string): boolean {
  return /-----BEGIN|^LS0tLS1CRUdJTi/.test(text);
}

/** An address, or a host name, to listen on: no URL, no port, no brackets. */
export const host = settingType('an address or a host name', (error) =>
  z.string().refine((text) => isIP(text) !== 0 || /^[a-z0-9]([\w.-]*[a-z0-9])?$/i.test(text), error),
);

/** The address of an HTTP API; it may have a path. */
export const httpUrl = settingType(
  'an http or https address without credentials, query or fragment',
  (error) => z.string().refine(isHttpUrl, error).transform(toUrl),
  { isUrl: true },
);

/** The address of an HTTP proxy; without a scheme it is http, as in curl. */
export const proxyUrl = settingType(
  'an http or https address of a proxy, such as http://user:password@proxy:3128, without a path, and with user and ' +
    'password percent-encoded',
  (error) => z.string().transform(withScheme).refine(isProxyUrl, error).transform(toUrl),
  { isUrl: true, parts: (text) => [text, withScheme(text)] },
);

/** Hosts that are reached without a proxy. Nothing is refused: other programs read the same variable. */
export const hosts = settingType(
  'hosts, separated by commas or spaces',
  () => z.string().transform(toHosts),
  {
    items: toHosts,
  },
);

/** The address of a Redis, or those of several servers. */
export const redisUrl = settingType(
  'redis:// or rediss://, with user:password@ where needed, a host (or several, separated by commas), and a /database',
  toRedisAddress,
  { isUrl: true, parts: (text) => [text, ...splitHosts(text)] },
);

/** Origins of web pages. */
export const origins = settingType(
  'origins such as https://app.example.com, separated by commas',
  (error) =>
    z
      .string()
      .transform(toList)
      .pipe(z.array(z.string().refine(isOrigin, error))),
  { items: toList },
);

/** A token that is sent in a header. Any other character would break it, and Node's error would show the token. */
export const token = settingType('printable ASCII without spaces', (error) =>
  z
    .string()
    .refine((text) => !/\s/.test(text), { error: `${error}, but it contains a space`, abort: true })
    .regex(/^[\x21-\x7e]+$/, `${error}, but it contains another character`),
);

/** Keys that callers may send, each with its name. */
export const apiKeys = settingType(
  'keys of 8 characters or more, each as key or name:key, separated by commas',
  (error) =>
    z
      .string()
      .transform(toList)
      .superRefine((list, { addIssue }) => {
        for (const [index, item] of list.entries()) {
          const fault = findKeyFault(item);
          if (fault) addIssue(`${error}, but key ${index + 1} ${fault}`);
        }
      })
      .transform((list) => list.map(toApiKey)),
  {
    items: toList,
    parts: (text) => [...toList(text), ...toList(text).map((item) => toApiKey(item).key), text],
  },
);

/** Proxies whose `X-Forwarded-For` is trusted. */
export const proxies = settingType(
  'true, false, a number of proxies up to 10, or addresses such as 10.0.0.0/8, separated by commas',
  (error) =>
    z
      .string()
      .transform(toProxies)
      .refine((trusted) => !Array.isArray(trusted) || trusted.every(isAddress), error),
  { items: toList },
);

/** Charts, each once, and how many of their ranks. */
export const chartRanks = settingType(
  `charts such as US:LAST_7_DAYS:VIEWS:100, separated by commas, each chart once (a country code, ${Object.keys(TrendingPeriod).join(' or ')}, ` +
    `${Object.keys(TrendingOrder).join(' or ')}, and 1 to ${FULL_CHART} ranks)`,
  (error) =>
    z
      .string()
      .transform(toList)
      .pipe(z.array(z.string().transform(toChartRanks).pipe(z.custom<ChartRanks>(Boolean, error))))
      .superRefine((list, { addIssue }) => {
        const ids = list.map(({ chart }) => chartId(chart));
        for (const [index, id] of ids.entries()) {
          if (ids.indexOf(id) < index) addIssue({ code: 'custom', message: error, path: [index] });
        }
      }),
  { items: toList },
);

function toUrl(address: string): URL {
  return new URL(address);
}

function toList(list: string): string[] {
  return list.split(',').map((item) => item.trim());
}

function toHosts(list: string): string[] {
  return list.split(/[\s,]+/).filter((item) => item !== '');
}

function withScheme(address: string): string {
  return /^[a-z][a-z\d+.-]*:\/\//i.test(address) ? address : `http://${address}`;
}

function isHttpUrl(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, username, password, search, hash } = new URL(address);
  return /^https?:$/.test(protocol) && `${username}${password}${search}${hash}` === '';
}

/** Credentials must decode here, for the same reason as those of Redis: see `redisAddress.ts`. */
function isProxyUrl(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname, pathname, username, password, search, hash } = new URL(address);
  const isWhole = /^https?:$/.test(protocol) && isUrlHost(hostname) && pathname === '/';
  return isWhole && `${search}${hash}` === '' && [username, password].every(canDecode);
}

function isOrigin(address: string): boolean {
  return isHttpUrl(address) && new URL(address).origin === address;
}

/** What is wrong with a key, without showing it; undefined for a valid one. */
function findKeyFault(item: string): string | undefined {
  if (/^([\w-]+:)?[^\s:,]{8,}$/.test(item)) return undefined;
  const { key, name = '' } = toApiKey(item);
  if (item === '') return 'is missing';
  if (/\s/.test(item)) return 'contains a space';
  if (key.includes(':')) return 'contains a second colon';
  if (!/^[\w-]*$/.test(name)) return 'has a name with other characters than letters, digits, - and _';
  return key.length < 8 ? 'has fewer than 8 characters' : 'has an empty name';
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
  // ipaddr.js compares addresses with it, and cannot read a zone such as `br-lan`.
  if (version === 0 || !ipaddr.isValid(address) || others.length > 0) return false;
  return bits === undefined || (/^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

/** The chart and the ranks of a text such as `US:LAST_7_DAYS:VIEWS:100`; undefined for any other text. */
function toChartRanks(item: string): ChartRanks | undefined {
  const [region = '', period, orderBy, ranks = '', ...others] = item.split(':');
  if (!/^[1-9]\d{0,2}$/.test(ranks) || others.length > 0) return undefined;
  const days = Object.entries(TrendingPeriod).find(([name]) => name === period)?.[1];
  const chart = parseChartId(`${parseRegion(region)}:${days}:${orderBy}`);
  return chart && Number(ranks) <= FULL_CHART ? { chart, ranks: Number(ranks) } : undefined;
}
