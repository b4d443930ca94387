/**
 * The promise, rejected when it takes longer than `ms`. After the event loop was blocked, responses that have already
 * arrived are read first: pauses of this process must not count as slowness of Redis.
 */
export function limitTime<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timeOut = (): void => reject(new Error(`no response within ${ms} ms`));
    const timer = setTimeout(() => setImmediate(timeOut), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
