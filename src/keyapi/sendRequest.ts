import type { Dispatcher } from 'undici';
import type { RawResponse } from './envelope.ts';

/** What is sent, and who is told how far it got. */
export interface SentRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Ends it, once it is on a connection; one that never got there is not sent any more. */
  readonly signal: AbortSignal;
  /** Called when its connection is there and its first byte is about to be written; what it throws stops it. */
  readonly onSent: () => void;
  readonly onHead: (head: Omit<RawResponse, 'body'>) => void;
}

/**
 * Sends a GET request and reads its answer whole. Below `dispatcher.request`, which does not say when a request
 * leaves: it may wait for its connection first.
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
          const abort = (): void => controller.abort(new Error('The request was given up'));
          if (signal.aborted) return abort();
          signal.addEventListener('abort', abort, { once: true });
          try {
            onSent();
          } catch (error) {
            controller.abort(error as Error);
          }
        },
        onResponseStart: (_controller, status, { 'retry-after': retryAfter }) => {
          // More headers follow an informational answer.
          if (status < 200) return;
          head = { status, retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter };
          onHead(head);
        },
        onResponseData: (_controller, chunk) => void chunks.push(chunk),
        onResponseEnd: () => head && resolve({ ...head, body: Buffer.concat(chunks) }),
        onResponseError: (_controller, error) => reject(error),
      },
    );
  });
}
