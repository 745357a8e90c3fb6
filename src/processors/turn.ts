/** Somebody who waits for the turn. */
interface Waiting {
  readonly urgent: boolean;
  readonly given: () => void;
}

/**
 * One holder at a time, the others in a queue. Who is urgent goes before those who are not, and is made known to the holder, who
 * may have nothing to do at the moment and can then give the turn up.
 */
export class Turn {
  #held = false;
  readonly #waiting: Waiting[] = [];
  #onUrgent: (() => void) | undefined;

  /** True when it is ours, false when the signal was aborted before; without a signal it waits for as long as it takes. */
  async take({ signal, urgent = false }: { signal?: AbortSignal; urgent?: boolean } = {}): Promise<boolean> {
    if (signal?.aborted) return false;
    if (!this.#held) {
      this.#held = true;
      return true;
    }
    return new Promise((resolve) => {
      const end = (mine: boolean) => {
        signal?.removeEventListener('abort', giveUp);
        resolve(mine);
      };
      const giveUp = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        end(false);
      };
      const waiting: Waiting = { urgent, given: () => end(true) };
      this.#queue(waiting);
      signal?.addEventListener('abort', giveUp);
    });
  }

  /** The holder hears of those who are urgent, those who wait already included, until it is told otherwise. */
  whenUrgent(listener: (() => void) | undefined): void {
    this.#onUrgent = listener;
    if (this.#waiting[0]?.urgent) listener?.();
  }

  /** Hands it on. */
  release(): void {
    this.#onUrgent = undefined;
    const next = this.#waiting.shift();
    if (next) next.given();
    else this.#held = false;
  }

  #queue(waiting: Waiting): void {
    const before = waiting.urgent ? this.#waiting.findIndex(({ urgent }) => !urgent) : -1;
    this.#waiting.splice(before === -1 ? this.#waiting.length : before, 0, waiting);
    if (waiting.urgent) this.#onUrgent?.();
  }
}
