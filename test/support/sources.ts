import type { DataEvent } from '../../src/data/events.ts';
import { ApiError, type ErrorCode } from '../../src/domain/errors.ts';
import type { Page, PageKey } from '../../src/domain/page.ts';
import type { Source } from '../../src/domain/source.ts';
import { makePage, makeVideos, US_VIEWS } from './charts.ts';

/** The first page of a chart. */
export const page = makePage(makeVideos(1, 20), 1, 20);

/** The key of a page of that chart. */
export function key(number = 1): PageKey {
  return { chart: US_VIEWS, number };
}

/** A source of pages. */
export type PageSource = Source<PageKey, Page>;

type Outcome = Page | ApiError;

/** The same error, of a call that was sent. */
export function sent(error: ApiError): ApiError {
  return new ApiError(error.code, { ...error, message: error.message, wasSent: true });
}

/** Marks the errors of calls that were sent, as KeyAPI's client does. */
export function withSentErrors<Key, Value>(source: Source<Key, Value>): Source<Key, Value> {
  return async (key, call) => {
    let isSent = false;
    const onSent = (): void => {
      call.onSent();
      isSent = true;
    };
    return source(key, { ...call, onSent }).catch((error: unknown) => {
      throw isSent && error instanceof ApiError ? sent(error) : error;
    });
  };
}

/** A source with these outcomes, one per call; the last one repeats. `bill` lists the pages that were fetched. */
export function createScript(...outcomes: Outcome[]) {
  const bill: number[] = [];
  const source: PageSource = async ({ number }, { onSent }) => {
    onSent();
    bill.push(number);
    const outcome = outcomes[Math.min(bill.length, outcomes.length) - 1] ?? page;
    if (outcome instanceof ApiError) throw sent(outcome);
    return outcome;
  };
  return { source, bill, outcomes };
}

/** A source whose calls wait until the test settles them. */
export function createHeldSource() {
  const started: number[] = [];
  const calls: { background: boolean; resolve(page: Page): void; reject(error: ApiError): void }[] = [];
  const source: PageSource = async ({ number }, { onSent, background }) => {
    onSent();
    started.push(number);
    return new Promise((resolve, reject) => {
      calls.push({ background, resolve, reject: (error) => reject(sent(error)) });
    });
  };
  return { source, started, calls };
}

/** A listener that records all events. */
export function createEvents() {
  const events: DataEvent[] = [];
  const onEvent = (event: DataEvent): void => void events.push(event);
  return { events, onEvent };
}

/** The outcome of a fetch: `ok`, the code of its `ApiError`, or `other`. */
export async function codeOf(outcome: Promise<unknown>): Promise<ErrorCode | 'ok' | 'other'> {
  return outcome.then(
    () => 'ok',
    (error) => (error instanceof ApiError ? error.code : 'other'),
  );
}
