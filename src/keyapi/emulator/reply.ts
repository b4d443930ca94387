import { randomUUID } from 'node:crypto';

/** Status and JSON body of a response. */
export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/** When a reply is made, and the charts that it has to fit. */
export interface Moment {
  /** In Unix milliseconds. */
  readonly now: number;
  /** The UTC day whose charts are served. */
  readonly day: number;
}

export function success(data: unknown): Reply {
  return { status: 200, body: { code: 0, message: 'success', data, requestId: randomUUID() } };
}

/** A failure, with a message that KeyAPI sends for its code. */
export function failure(code: number, message = MESSAGES[code] ?? ''): Reply {
  return { status: code, body: { code, data: null, message } };
}

const MESSAGES: Readonly<Record<number, string>> = {
  401: 'apiKey is null',
  402: 'apiKey quota is not enough',
  429: 'qps limit exceeded',
  500: 'Internal server error',
};
