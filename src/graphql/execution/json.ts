/** A list in a result whose items' JSON is already made: each in UTF-8, with a comma before it. */
export class JsonList {
  constructor(readonly items: readonly Buffer[]) {}
}

/** An item of a `JsonList`. In memory of its own: Node's pool would be held on to as a whole. */
export function toJsonItem(value: unknown): Buffer {
  const text = `,${JSON.stringify(value)}`;
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}

/** `JSON.stringify`, in UTF-8, for results that may have a `JsonList` as a field of an object. */
export function toJson(result: object): Buffer {
  const chunks: Buffer[] = [];
  let text = '';

  function write(value: unknown): void {
    if (value instanceof JsonList) writeList(value);
    else if (isPlainObject(value)) writeObject(value);
    else text += JSON.stringify(value);
  }

  function writeObject(object: object): void {
    let separator = '{';
    for (const [name, value] of Object.entries(object)) {
      if (value === undefined) continue;
      text += `${separator}"${name}":`;
      write(value);
      separator = ',';
    }
    text += separator === '{' ? '{}' : '}';
  }

  function writeList({ items: [first, ...others] }: JsonList): void {
    chunks.push(Buffer.from(`${text}[`));
    if (first) chunks.push(first.subarray(1), ...others);
    text = ']';
  }

  write(result);
  return Buffer.concat([...chunks, Buffer.from(text)]);
}

/** graphql-js makes objects without a prototype. */
function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
