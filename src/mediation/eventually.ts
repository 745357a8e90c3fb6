/**
 * What a part of a message's way gives: at once where nothing is waited for, so that there the message costs no promise and no turn of the
 * microtask queue. Promises are those of the language, not any thenable.
 */
export type Eventually<T> = T | Promise<T>;

/** Goes on with a value when it is there: right now, or when its promise has resolved. */
export function whenThere<T, U>(value: Eventually<T>, goOn: (value: T) => Eventually<U>): Eventually<U> {
  return value instanceof Promise ? value.then(goOn) : goOn(value);
}
