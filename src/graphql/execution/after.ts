/** What `next` makes of a value: at once, unless the value has to be waited for. Promises take processor time. */
export function after<T, U>(value: T | Promise<T>, next: (value: T) => U | Promise<U>): U | Promise<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
