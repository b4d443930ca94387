import type { GraphQLFormattedError } from 'graphql';

/** A result as it is sent: its errors are formatted, and lists in its data may be `JsonList`s. */
export interface FormattedResult {
  readonly errors?: readonly GraphQLFormattedError[] | undefined;
  /** Undefined when nothing was executed. */
  readonly data?: Readonly<Record<string, unknown>> | null | undefined;
}

/** A list in a result as JSON that is already serialised: pieces in UTF-8, without the brackets around them. */
export class JsonList {
  constructor(readonly pieces: readonly Buffer[]) {}
}

/** Serialises `errors` and `data` to members of a JSON object, without its braces, in pieces of UTF-8. */
export function toMembers({ errors, data }: FormattedResult): Buffer[] {
  const pieces: Buffer[] = [];
  let text = errors ? `"errors":${JSON.stringify(errors)}` : '';

  function write(value: unknown): void {
    if (value instanceof JsonList) writeList(value);
    else if (isPlainObject(value)) writeObject(value);
    else text += typeof value === 'boolean' || typeof value === 'number' ? value : JSON.stringify(value);
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

  function writeList(list: JsonList): void {
    pieces.push(Buffer.from(`${text}[`), ...list.pieces);
    text = ']';
  }

  if (data !== undefined) {
    text += errors ? ',"data":' : '"data":';
    write(data);
  }
  pieces.push(Buffer.from(text));
  return pieces;
}

/** True for the objects of a result: graphql-js creates them without a prototype. */
function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
