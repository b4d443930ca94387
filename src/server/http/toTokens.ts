/** The elements of a header that is a list of tokens, in lower case (RFC 9110, section 5.6.1); empty ones are left out. */
export function toTokens(header = ''): string[] {
  return header
    .split(',')
    .map((token) => token.trim().toLowerCase())
    .filter((token) => token !== '');
}
