/** An error that says whether it is one of {@link isBusy}. */
export interface MayBeBusy {
  readonly busy: boolean;
}

/**
 * Whether a store did not take a message, or not in time, because too many others were on their way to its medium (OP-100): the same
 * message may be taken a moment later.
 */
export function isBusy(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if ((cause as Partial<MayBeBusy>).busy === true) return true;
  return false;
}
