import { isJsonObject } from './json.ts';

const MAX_LENGTH = 80;
/** The first half of a surrogate pair that was cut in two. */
const HALF_PAIR = /[\ud800-\udbff]$/;

/** A client's text for an error message: JSON-escaped, and cut off after 80 characters. */
export function quote(text: string): string {
  return JSON.stringify(text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text);
}

/** A client's JSON value for an error message: as JSON, cut off after 80 characters, whatever its depth and size. */
export function quoteJson(value: unknown): string {
  let json = '';
  for (const piece of toPieces(value)) {
    json += piece;
    // The rest is never visited. Each level adds a character, so that this also bounds the recursion.
    if (json.length > MAX_LENGTH) return `${json.slice(0, MAX_LENGTH).replace(HALF_PAIR, '')}…`;
  }
  return json;
}

function* toPieces(value: unknown): Generator<string> {
  if (Array.isArray(value)) {
    yield '[';
    for (const [index, item] of value.entries()) {
      if (index > 0) yield ',';
      yield* toPieces(item ?? null);
    }
    yield ']';
  } else if (isJsonObject(value)) {
    yield '{';
    let separator = '';
    for (const name of Object.keys(value)) {
      if (value[name] === undefined) continue;
      yield `${separator}${toJsonString(name)}:`;
      yield* toPieces(value[name]);
      separator = ',';
    }
    yield '}';
  } else yield typeof value === 'string' ? toJsonString(value) : String(value);
}

/** Text beyond the maximal length is never shown. */
function toJsonString(text: string): string {
  return JSON.stringify(text.slice(0, MAX_LENGTH));
}
