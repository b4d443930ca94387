/** A part of a result whose JSON is already made. */
export class JsonText {
  constructor(readonly text: string) {}
}

/** `JSON.stringify` for results that have such parts; they are never inside of lists. */
export function stringify(value: unknown): string {
  if (value instanceof JsonText) return value.text;
  if (!isPlainObject(value)) return JSON.stringify(value);
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${stringify(field)}`).join(',')}}`;
}

/** graphql-js makes objects without a prototype. */
function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
