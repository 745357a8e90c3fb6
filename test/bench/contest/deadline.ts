/** Something did not come to its end in time; the message says what was waited for, and how long. */
export class StalledError extends Error {
  override readonly name = 'StalledError';
}

/**
 * What `work` comes to, if it does so in time. The work itself goes on after the deadline: whoever owns it ends it.
 * @throws StalledError at the deadline
 */
export async function within<T>(work: Promise<T>, deadlineMs: number, what: string): Promise<T> {
  let late: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    late = setTimeout(
      () => reject(new StalledError(`waited ${(deadlineMs / 1000).toFixed(deadlineMs < 1000 ? 2 : 0)} s for ${what}`)),
      deadlineMs,
    );
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(late);
  }
}
