import { progress } from '../progress.ts';
import { fillQueue } from './fill-queue.ts';
import { freshName } from './store-rows.ts';

/**
 * A queue of ActiveMQ on which so many messages lie at the begin of every round, one for all who drain: they take turns, and each finds
 * what the other one found.
 */
export class Backlog {
  readonly size: number;
  readonly #stompPort: number;
  #queue = freshName();
  #lacking: number;

  constructor(stompPort: number, size: number) {
    this.#stompPort = stompPort;
    this.size = size;
    this.#lacking = size;
  }

  get queue(): string {
    return this.#queue;
  }

  /** So many are no longer on it. */
  taken(count: number): void {
    this.#lacking += count;
  }

  /** Nobody knows any more how many there are: the next one begins with a new queue. */
  forget(): void {
    this.#queue = freshName();
    this.#lacking = this.size;
  }

  /** Puts as many as are lacking. @throws StalledError when the broker takes no more */
  async refill(): Promise<void> {
    const count = this.#lacking;
    if (count === 0) return;
    const shown = progress('fill', count);
    await fillQueue(this.#stompPort, this.#queue, count, shown.update);
    shown.end();
    this.#lacking -= count;
  }
}
