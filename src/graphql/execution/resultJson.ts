import type { GraphQLFormattedError } from 'graphql';
import { type ByteText, toByteText } from './byteText.ts';

/** A result as it is sent: its errors are formatted, and lists in its data may be `JsonList`s. */
export interface FormattedResult {
  readonly errors?: readonly GraphQLFormattedError[] | undefined;
  /** Undefined when nothing was executed. */
  readonly data?: Readonly<Record<string, unknown>> | null | undefined;
}

/** A list in a result as JSON that is already serialised, without the brackets around it. */
export class JsonList {
  constructor(readonly json: ByteText) {}
}

/** Serialises `errors` and `data` to members of a JSON object, without its braces. */
export function toMembers({ errors, data }: FormattedResult): ByteText {
  let members: ByteText = '';
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
    members += `${toByteText(text)}[${list.json}`;
    text = ']';
  }

  if (data !== undefined) {
    text += errors ? ',"data":' : '"data":';
    write(data);
  }
  return members + toByteText(text);
}

/** True for the objects of a result: graphql-js creates them without a prototype. */
function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
