import { quote } from '../domain/quote.ts';
import type { Variables } from './environment.ts';
import { SETTINGS, type Setting } from './settings.ts';

/** Completes a problem with the value that came: all of it, or as much as is no secret. */
export function describeValue({ secret, type }: Setting, text: string): string {
  if (secret) return '';
  const shown = type.isUrl || /@|:\/\//.test(text) ? maskUrl(text) : text;
  if (shown === undefined) return ', but got a value that is not shown: it may contain a password';
  return `, but got: ${quote(shown)}`;
}

/** Texts in the values of settings that no line of the log may contain. */
export function collectSecrets(variables: Variables): string[] {
  return Object.entries<Setting>(SETTINGS).flatMap(([name, { secret, type }]) => {
    const text = variables[name]?.trim();
    if (!text) return [];
    return secret ? [...type.parts(text)] : passwordsIn(text);
  });
}

/** An address with stars in place of what may be secret; undefined when that cannot be told. */
function maskUrl(text: string): string | undefined {
  const [, before = '', address = '', after = ''] = /^(["']?)(.*?)(["']?)$/s.exec(text) ?? [];
  if (!URL.canParse(address)) return undefined;
  const url = new URL(address);
  const isSecret = `${url.username}${url.password}${url.search}${url.hash}` !== '';
  if (url.username || url.password) {
    url.username = '***';
    url.password = '';
  }
  if (url.search) url.search = '***';
  if (url.hash) url.hash = '***';
  // A password with a slash, for example, ends up in the path.
  if (url.href.replace('***@', '').includes('@')) return undefined;
  return isSecret ? `${before}${url.href}${after}` : text;
}

function passwordsIn(text: string): string[] {
  if (!URL.canParse(text)) return [];
  const { password } = new URL(text);
  return password === '' ? [] : [password, decode(password)];
}

function decode(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}
