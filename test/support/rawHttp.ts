import { connect } from 'node:net';

/** What a server sent on a connection. */
export interface RawResponses {
  readonly text: string;
  /** The status of each response, in order. */
  readonly statuses: readonly number[];
  /** Whether the server ended the connection. */
  readonly isClosed: boolean;
}

/** See `sendRaw`. */
interface RawOptions {
  /** How many responses to wait for; absent: until the server closes the connection. */
  readonly responses?: number;
  /** Awaited after each text. */
  readonly between?: () => Promise<unknown>;
}

/** Its 404 marks the end: on an open connection, all responses to earlier requests arrive before it. */
const PROBE = 'GET /no-such-path HTTP/1.1\r\nHost: a\r\n\r\n';

/**
 * Sends texts over one connection, byte for byte. Returns what the server sent until it closed the connection, or until
 * `responses` responses had arrived.
 */
export async function sendRaw(
  port: number,
  texts: Iterable<string | Buffer>,
  { responses = Number.POSITIVE_INFINITY, between }: RawOptions = {},
): Promise<RawResponses> {
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
  /** Resolves when `isDone()` is true, or the connection is closed. */
  const waitFor = (isDone: () => boolean): Promise<void> => {
    const done = new Promise<void>((resolve) => {
      socket.on('data', () => isDone() && resolve());
      if (isDone()) resolve();
    });
    return Promise.race([done, closed]);
  };

  for (const part of texts) {
    if (isClosed) break;
    socket.write(part);
    await Promise.race([between?.(), closed]);
  }
  await waitFor(() => statuses().length >= responses);
  if (!isClosed) socket.write(PROBE);
  await waitFor(() => statuses().includes(404));
  socket.destroy();
  const [received = ''] = text.split('HTTP/1.1 404');
  return { text: received, statuses: readStatuses(received), isClosed };
}

function readStatuses(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
}

/** A POST request to `/graphql`, with these header lines added to the usual ones. */
export function rawPost(lines: readonly string[], body: string): string {
  const head = ['POST /graphql HTTP/1.1', 'Host: a', 'Content-Type: application/json', ...lines];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
