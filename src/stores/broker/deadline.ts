/** There is no answer yet. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/**
 * The promise, but at most for `ms`.
 * @throws DeadlineError when it is not settled by then; it may still be later, and is then ignored
 */
export function within<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new DeadlineError(`waited ${ms} ms for ${what}`)), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(late));
  });
}
