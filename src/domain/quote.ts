const MAX_LENGTH = 80;

/** A caller's text as it may stand in an error message: JSON-escaped, at most 80 characters of it. */
export function quote(text: string): string {
  return JSON.stringify(text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text);
}
