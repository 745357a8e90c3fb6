/** Lets one at a time work, in the order in which they come. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `work` when all that came before has ended, however it ended. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn;
    // Whoever took the turn hears of its failure.
    turn.catch(() => undefined);
    return turn;
  }
}
