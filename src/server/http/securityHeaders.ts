import { type HeaderList, toHeaderList } from './headerList.ts';

type Headers = Readonly<Record<string, string>>;

/**
 * Security headers of every response: what helmet sends for an API, which a test compares them with. Responses are data
 * that no browser should run, frame, guess the type of, or read from another site.
 */
export const SECURITY_HEADERS: Headers = {
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/** The same as a list. */
export const SECURITY_LIST: HeaderList = toHeaderList(SECURITY_HEADERS);

/**
 * Those of the page of Apollo Sandbox. The page itself says which scripts, styles and frames it loads, by a nonce; a second
 * policy could only forbid them. These are the directives that a page cannot set, or does not.
 */
export const SANDBOX_LIST: HeaderList = toHeaderList({
  ...SECURITY_HEADERS,
  'content-security-policy': "base-uri 'none';form-action 'none';frame-ancestors 'none';object-src 'none'",
  'referrer-policy': 'strict-origin-when-cross-origin',
});
