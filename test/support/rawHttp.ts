import { connect } from 'node:net';

/** What came back on a connection. */
export interface RawAnswer {
  readonly text: string;
  /** Of each answer, in order. */
  readonly statuses: readonly number[];
  /** Whether the server ended the connection. */
  readonly isClosed: boolean;
}

/** See `sendRaw`. */
export interface RawOptions {
  /** How many answers are to come on a connection that stays open; absent where the server is to close it. */
  readonly answers?: number;
  /** Awaited between one text and the next. */
  readonly between?: () => Promise<unknown>;
}

/** Whatever else is still to come on a connection that is open comes before the 404 of this. */
const PROBE = 'GET /no-such-path HTTP/1.1\r\nHost: a\r\n\r\n';

/**
 * Sends texts over a connection, byte by byte as they are, until the server closes it; gives what came back by then, or with so
 * many `answers`.
 */
export async function sendRaw(
  port: number,
  texts: Iterable<string | Buffer>,
  { answers = Number.POSITIVE_INFINITY, between }: RawOptions = {},
): Promise<RawAnswer> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1');
  let text = '';
  let isClosed = false;
  const statuses = () => readStatuses(text);
  const closed = new Promise<void>((resolve) => {
    socket.on('error', () => undefined);
    socket.on('close', () => {
      isClosed = true;
      resolve();
    });
  });
  socket.on('data', (part: string) => {
    text += part;
  });
  /** Resolves when what came is so, or nothing more can come. */
  const see = (isSo: () => boolean): Promise<void> => {
    const seen = new Promise<void>((resolve) => {
      socket.on('data', () => isSo() && resolve());
      if (isSo()) resolve();
    });
    return Promise.race([seen, closed]);
  };

  for (const part of texts) {
    if (isClosed) break;
    socket.write(part);
    await Promise.race([between?.(), closed]);
  }
  await see(() => statuses().length >= answers);
  if (!isClosed) socket.write(PROBE);
  await see(() => statuses().includes(404));
  socket.destroy();
  const [answer = ''] = text.split('HTTP/1.1 404');
  return { text: answer, statuses: readStatuses(answer), isClosed };
}

function readStatuses(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
}

/** A request for an operation, with these lines in its head beside what each has. */
export function rawPost(lines: readonly string[], body: string): string {
  const head = ['POST /graphql HTTP/1.1', 'Host: a', 'Content-Type: application/json', ...lines];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
