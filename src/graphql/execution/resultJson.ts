/** A list in a result whose JSON is already made, in UTF-8 and in pieces: each item with a comma before it. */
export class JsonList {
  constructor(readonly pieces: readonly Buffer[]) {}
}

/** The JSON of a result in UTF-8, in pieces; a field of it, or of an object in it, may be a `JsonList`. */
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

/** True for the objects of a result: graphql-js makes them without a prototype. */
function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
