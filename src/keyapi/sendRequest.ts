import type { Dispatcher } from 'undici';
import type { RawResponse } from './envelope.ts';

/** A request, and callbacks for its progress. */
interface SentRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Aborts the request on its connection; a request that is still waiting for one is not sent any more. */
  readonly signal: AbortSignal;
  /** Called when the connection is open and the first byte is about to be written; throwing stops the request. */
  readonly onSent: () => void;
  readonly onHead: (head: Omit<RawResponse, 'body'>) => void;
}

/**
 * Sends a GET request and reads the complete response. Uses `dispatch` because `request` does not report when a request
 * is sent: it may have to wait for a connection first.
 */
export function sendRequest(dispatcher: Dispatcher, request: SentRequest): Promise<RawResponse> {
  const { path, headers, signal, onSent, onHead } = request;
  return new Promise((resolve, reject) => {
    let head: Omit<RawResponse, 'body'> | undefined;
    const chunks: Buffer[] = [];
    dispatcher.dispatch(
      { method: 'GET', path, headers },
      {
        onRequestStart: (controller) => {
          const abort = (): void => controller.abort(new Error('The request was aborted'));
          if (signal.aborted) return abort();
          signal.addEventListener('abort', abort, { once: true });
          try {
            onSent();
          } catch (error) {
            controller.abort(error as Error);
          }
        },
        onResponseStart: (_controller, status, { 'retry-after': retryAfter, date }) => {
          // More headers follow an informational response.
          if (status < 200) return;
          head = { status, retryAfter: toFirst(retryAfter), date: toFirst(date) };
          onHead(head);
        },
        onResponseData: (_controller, chunk) => void chunks.push(chunk),
        onResponseEnd: () => head && resolve({ ...head, body: Buffer.concat(chunks) }),
        onResponseError: (_controller, error) => reject(error),
      },
    );
  });
}

/** The value of a header, which may have been sent several times. */
function toFirst(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
