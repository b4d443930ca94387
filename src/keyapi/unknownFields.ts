import { isJsonObject } from '../domain/json.ts';

/** Bounds the memory, should upstream send ever new field names. */
const MAX_FIELDS = 100;
const MAX_FIELD_LENGTH = 100;

/**
 * Creates a function that reports the fields of a row that are not `documented`, each once: KeyAPI may have added them.
 *
 * @param onUnknown Receives the name, cut off after 100 characters.
 * @param redact Removes secrets from upstream's texts.
 */
export function createFieldReporter(
  onUnknown: (field: string) => void,
  redact: (text: string) => string,
): (row: unknown, documented: ReadonlySet<string>) => void {
  const unknown = new Set<string>();
  return (row, documented) => {
    if (!isJsonObject(row)) return;
    for (const field of Object.keys(row)) {
      if (documented.has(field) || unknown.has(field)) continue;
      if (unknown.size >= MAX_FIELDS) return;
      unknown.add(field);
      onUnknown(redact(field).slice(0, MAX_FIELD_LENGTH));
    }
  };
}
