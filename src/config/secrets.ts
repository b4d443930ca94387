import { quote } from '../domain/quote.ts';
import type { Variables } from './environment.ts';
import { SETTINGS, type Setting } from './settings.ts';
import { isPem } from './settingTypes.ts';
import { canDecode, isUrlHost } from './urlParts.ts';
import { variablesOf } from './variableNames.ts';

/** Completes a problem with the value that was set, without secrets. */
export function describeValue({ secret, type }: Setting, text: string): string {
  if (secret || isPem(text)) return '';
  const shown = type.isUrl || /@|:\/\//.test(text) ? maskUrl(text) : text;
  if (shown === undefined) return ', but got a value that is not shown: it may contain a password';
  return `, but got: ${quote(shown)}`;
}

/** Texts in the values of settings that no line of the log may contain. */
export function collectSecrets(variables: Variables): string[] {
  return Object.entries<Setting>(SETTINGS).flatMap(([name, { secret, type }]) => {
    const texts = variablesOf(name).flatMap((variable) => variables[variable]?.trim() || []);
    const parts = texts.flatMap((text) => type.parts(text));
    return secret ? parts : parts.flatMap(secretsIn);
  });
}

/** An address whose credentials, if it has any, are replaced by stars. */
export function maskCredentials({ protocol, username, password, host }: URL): string {
  return `${protocol}//${username || password ? '***@' : ''}${host}`;
}

/**
 * An address, perhaps in quotes, with stars in place of its secret parts; undefined if the secret parts cannot be
 * identified.
 */
function maskUrl(text: string): string | undefined {
  const [, before = '', address = '', after = ''] = /^(["'`]?)(.*?)(["'`]?)$/s.exec(text) ?? [];
  if (!URL.canParse(address)) return undefined;
  const url = new URL(address);
  if (!isPlain(address, url)) return undefined;
  const isSecret = `${url.username}${url.password}${url.search}${url.hash}` !== '';
  if (url.username || url.password) {
    url.username = '***';
    url.password = '';
  }
  if (url.search) url.search = '***';
  if (url.hash) url.hash = '***';
  return isSecret ? `${before}${url.href}${after}` : text;
}

/** Whether the URL was parsed as intended. A password with a slash, for example, would end up in the path. */
function isPlain(address: string, url: URL): boolean {
  const hasCredentials = `${url.username}${url.password}` !== '';
  if (address.split('@').length > (hasCredentials ? 2 : 1)) return false;
  if (!/^(https?|rediss?|socks\w*):\/\//i.test(address) || !isUrlHost(url.hostname)) return false;
  if (/^http/.test(url.protocol)) return true;
  return `${url.search}${url.hash}` === '' && /^(\/\d*)?$/.test(url.pathname);
}

/** The secret parts of an address, as written and decoded. A user name is secret only if there is no password. */
function secretsIn(text: string): string[] {
  if (!URL.canParse(text)) return [];
  const { username, password, search, hash, searchParams } = new URL(text);
  const written = [password || username, search.slice(1), hash.slice(1)];
  return [...written, ...written.map(decode), ...searchParams.values()].filter((secret) => secret !== '');
}

function decode(encoded: string): string {
  return canDecode(encoded) ? decodeURIComponent(encoded) : encoded;
}
