/**
 * The promise, rejected when it takes longer than `ms`. An event loop that was held up reads what has come meanwhile
 * before it gives up: our own pauses are no fault of the other side.
 */
export function limitTime<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(new Error(`no response within ${ms} ms`));
    const timer = setTimeout(() => setImmediate(giveUp), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
