import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What came back on a connection. */
export interface RawAnswer {
  readonly text: string;
  /** Of each answer, in order. */
  readonly statuses: readonly number[];
  /** Whether the server ended the connection. */
  readonly isClosed: boolean;
  readonly ms: number;
}

/** See `sendRaw`. */
export interface RawOptions {
  /** How many answers are to come on a connection that stays open; absent where the server is to close it. */
  readonly answers?: number;
  /** Between one text and the next. */
  readonly pauseMs?: number;
}

/** Longer than a busy machine takes for whatever is waited for. */
const WAIT_MS = 10_000;
/** A server that means to close a connection has done so by then. */
const OPEN_MS = 300;

/**
 * Sends texts over a connection, byte by byte as they are; gives what came back until the server has closed it, or until
 * a moment after so many `answers`.
 */
export async function sendRaw(
  port: number,
  texts: readonly (string | Buffer)[],
  { answers = Number.POSITIVE_INFINITY, pauseMs = 0 }: RawOptions = {},
): Promise<RawAnswer> {
  const startedAt = performance.now();
  const socket = connect(port, '127.0.0.1').setEncoding('latin1');
  let text = '';
  let isClosed = false;
  const statuses = () => [...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status));
  const closed = new Promise<void>((resolve) => {
    socket.on('error', () => undefined);
    socket.on('close', () => {
      isClosed = true;
      resolve();
    });
  });
  const answered = new Promise<void>((resolve) => {
    socket.on('data', (part: string) => {
      text += part;
      if (statuses().length >= answers) resolve();
    });
  });
  for (const part of texts) {
    if (!isClosed) socket.write(part);
    if (pauseMs > 0) await Promise.race([sleep(pauseMs), closed]);
  }
  await Promise.race([sleep(WAIT_MS, undefined, { ref: false }), closed, answered]);
  if (!isClosed) await Promise.race([sleep(OPEN_MS), closed]);
  const answer = { text, statuses: statuses(), isClosed, ms: performance.now() - startedAt };
  socket.destroy();
  return answer;
}

/** A request for an operation, with these lines in its head beside what each has. */
export function rawPost(lines: readonly string[], body: string): string {
  const head = ['POST /graphql HTTP/1.1', 'Host: a', 'Content-Type: application/json', ...lines];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
