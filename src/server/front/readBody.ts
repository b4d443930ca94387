import type { IncomingMessage } from 'node:http';
import { toRequestError } from '../../graphql/execution/formatError.ts';
import { Refusal } from '../errors/refusal.ts';

/** A media type with or without parameters, such as a charset. */
const JSON_TYPE = /^\s*application\/json\s*(?:;|$)/i;

const OTHER_TYPE = new Refusal(
  415,
  toRequestError(
    'Expected a body of content-type application/json, but got one of another type or none',
    'BAD_REQUEST',
  ),
);

/** A client might go on sending the rest. */
const CLOSE = { connection: 'close' };

const BROKEN_OFF = new Refusal(
  400,
  toRequestError('Expected the whole body, but the connection was closed', 'BAD_REQUEST'),
  CLOSE,
);

/** See `readBody`. */
interface BodyReader {
  /** Receives the body; undefined when there is none. */
  readonly onBody: (body: Buffer | undefined) => void;
  /** Receives why there is none to read: it is too large (413), of another type (415), or broken off (400). */
  readonly onRefusal: (refusal: Refusal) => void;
}

/**
 * Reads the body of a POST, as bytes: a cached response is found by them, without parsing.
 *
 * @param maxBytes Of a larger body, no more is read.
 */
export function readBody(
  request: IncomingMessage,
  maxBytes: number,
  { onBody, onRefusal }: BodyReader,
): void {
  const { 'content-type': type, 'content-length': length } = request.headers;
  if (type === undefined && hasNoBody(request)) onBody(undefined);
  else if (type === undefined || !JSON_TYPE.test(type)) onRefusal(OTHER_TYPE);
  else if (Number(length) > maxBytes) onRefusal(tooLarge(maxBytes));
  else collect();

  function collect(): void {
    const chunks: Buffer[] = [];
    let received = 0;
    let isDone = false;
    const refuse = (refusal: Refusal): void => {
      if (!isDone) onRefusal(refusal);
      isDone = true;
    };
    request.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received > maxBytes) refuse(tooLarge(maxBytes));
      else chunks.push(chunk);
    });
    request.on('end', () => {
      if (!isDone) onBody(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
      isDone = true;
    });
    request.on('error', () => refuse(BROKEN_OFF));
  }
}

function tooLarge(maxBytes: number): Refusal {
  const message = `Expected a body of at most ${maxBytes / 1000} kB (MAX_BODY_KB), but got more`;
  return new Refusal(413, toRequestError(message, 'BAD_REQUEST'), CLOSE);
}

function hasNoBody({ headers }: IncomingMessage): boolean {
  const { 'content-length': length, 'transfer-encoding': transferEncoding } = headers;
  return transferEncoding === undefined && (length === undefined || length === '0');
}
