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

/**
 * Sends texts over a connection, byte by byte as they are, with pauses of `pauseMs`; gives what came back until the
 * server has closed it, or `waitMs` after the last text.
 */
export async function sendRaw(
  port: number,
  texts: readonly (string | Buffer)[],
  { waitMs = 300, pauseMs = 0 } = {},
): Promise<RawAnswer> {
  const startedAt = performance.now();
  const socket = connect(port, '127.0.0.1').setEncoding('latin1');
  let text = '';
  let isClosed = false;
  const closed = new Promise<void>((resolve) => {
    socket.on('data', (part: string) => {
      text += part;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      isClosed = true;
      resolve();
    });
  });
  for (const part of texts) {
    if (!isClosed) socket.write(part);
    if (pauseMs > 0) await Promise.race([sleep(pauseMs), closed]);
  }
  await Promise.race([sleep(waitMs), closed]);
  const answer = {
    text,
    statuses: [...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status)),
    isClosed,
    ms: performance.now() - startedAt,
  };
  socket.destroy();
  return answer;
}

/** A request for an operation, with these lines in its head beside what each has. */
export function rawPost(lines: readonly string[], body: string): string {
  const head = ['POST /graphql HTTP/1.1', 'Host: a', 'Content-Type: application/json', ...lines];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
