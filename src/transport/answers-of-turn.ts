/**
 * Writes what is ready to be written at the end of the turn of the event loop in which it became so. A write wakes its client up, on another
 * core mostly; of clients that are answered one after the other, with the work for the next one in between, each has gone to sleep again by then,
 * and to wake it takes longer than all that this process does for its message. Of 64 clients whose answers go out together most are awake.
 *
 * ```
 * EMPTY ──add──► WAITING ──add──► WAITING ──the turn ends──► EMPTY      all are written, in order
 * ```
 */
export class AnswersOfTurn {
  #waiting: Array<() => void> = [];
  readonly #writeAll = () => {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const write of waiting) write();
  };

  /** @param write must not throw */
  add(write: () => void): void {
    if (this.#waiting.push(write) === 1) setImmediate(this.#writeAll);
  }
}
