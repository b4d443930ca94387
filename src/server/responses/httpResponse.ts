import type { AnswerAccount } from '../events.ts';
import { compress, type Encoding } from './encoding.ts';

/** An answer to a request, to be sent in the form that the request takes. */
export class Answer {
  #compressed: Map<Encoding, Promise<Buffer>> | undefined;

  /** @param account Absent when it answers no operation. */
  constructor(
    readonly status: number,
    readonly headers: Readonly<Record<string, string>>,
    readonly body: Buffer,
    readonly account?: AnswerAccount,
  ) {}

  /** The body in a content coding: made once, on demand. */
  compressed(encoding: Encoding): Promise<Buffer> {
    this.#compressed ??= new Map();
    const held = this.#compressed.get(encoding);
    if (held !== undefined) return held;
    const made = compress(this.body, encoding);
    this.#compressed.set(encoding, made);
    return made;
  }
}
