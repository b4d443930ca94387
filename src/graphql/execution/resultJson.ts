/** A list in a result as JSON that is already serialised: pieces in UTF-8, in which each item has a comma before it. */
export class JsonList {
  constructor(readonly pieces: readonly Buffer[]) {}
}

/** Serialises a result to JSON, in pieces of UTF-8. Its fields, and those of objects in it, may be `JsonList`s. */
export function toJson(result: object): Buffer[] {
  const pieces: Buffer[] = [];
  let text = '';

  function write(value: unknown): void {
    if (value instanceof JsonList) writeList(value);
    else if (isPlainObject(value)) writeObject(value);
    else text += JSON.stringify(value);
  }

  function writeObject(object: Readonly<Record<string, unknown>>): void {
    let separator = '{';
    for (const name in object) {
      text += `${separator}"${name}":`;
      write(object[name]);
      separator = ',';
    }
    text += separator === '{' ? '{}' : '}';
  }

  function writeList({ pieces: [first, ...others] }: JsonList): void {
    pieces.push(Buffer.from(`${text}[`));
    if (first) pieces.push(first.subarray(1), ...others);
    text = ']';
  }

  write(result);
  pieces.push(Buffer.from(text));
  return pieces;
}

/** True for the objects of a result: graphql-js creates them without a prototype. */
function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
