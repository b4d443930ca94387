const MAX_LENGTH = 80;

/** A client's text for an error message: JSON-escaped, and cut off after 80 characters. */
export function quote(text: string): string {
  return JSON.stringify(text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text);
}
