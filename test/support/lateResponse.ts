import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { TestClock } from './clock.ts';
import type { Handler } from './upstream.ts';

/** Published by undici when it has read the head of a response. */
const HEAD_READ = 'undici:request:headers';

/**
 * As `handler`, but deadlines of up to `ms` expire before its response is complete: once its head has been read, or at
 * once if it sends none.
 */
export function makeLate(handler: Handler, clock: TestClock, ms: number): Handler {
  return (request, response) => {
    const expire = (): void => clock.expireDeadlines(ms);
    const onHead = (): void => {
      unsubscribe(HEAD_READ, onHead);
      setImmediate(expire);
    };
    subscribe(HEAD_READ, onHead);
    handler(request, response);
    if (response.headersSent) return;
    unsubscribe(HEAD_READ, onHead);
    expire();
  };
}
