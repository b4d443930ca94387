/**
 * The promise, rejected when it takes longer than `ms`. When the event loop was blocked, responses that have arrived
 * meanwhile are read first: our own pauses must not count against the other side.
 */
export function limitTime<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timeOut = (): void => reject(new Error(`no response within ${ms} ms`));
    const timer = setTimeout(() => setImmediate(timeOut), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
