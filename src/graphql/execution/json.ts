/** A list in a result whose items' JSON is already made: each in UTF-8, with a comma before it. */
export class JsonList {
  constructor(readonly items: readonly Buffer[]) {}
}

/** An item of a `JsonList`. In memory of its own: a slice of Node's pool would hold on to all of it. */
export function toJsonItem(value: unknown): Buffer {
  const text = `,${JSON.stringify(value)}`;
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
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

  function writeList({ items }: JsonList): void {
    pieces.push(Buffer.from(`${text}[`));
    for (const [index, item] of items.entries()) pieces.push(index === 0 ? item.subarray(1) : item);
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
