import { DeadlineError, within } from '../broker/deadline.ts';

/** How an attempt to store ended: the id of the message that is stored under the key; undefined: it failed. */
type Ended = Promise<string | undefined>;

/**
 * Of messages with one key that come at the same time one is being stored, and the others wait for it:
 *
 *     (nobody) ──first──► being stored ──stored──► (nobody): those who wait are repetitions
 *         ▲                    └──failed──┐
 *         └── nobody waits ───────────────┴── who has waited longest ──► being stored
 */
export class FirstOnes {
  readonly #trying = new Map<string, Ended>();

  /**
   * @param attempt stores the message, or finds the id of the one that was stored before
   * @param waitMs how long another one is waited for
   * @returns the id of the message that was stored before; undefined when `attempt` has stored this one
   * @throws DeadlineError, and what `attempt` throws
   */
  async put(
    key: string,
    id: string,
    waitMs: number,
    attempt: () => Promise<string | undefined>,
  ): Promise<string | undefined> {
    const deadline = performance.now() + waitMs;
    for (let other = this.#trying.get(key); other; other = this.#trying.get(key)) {
      const left = deadline - performance.now();
      // A timer of 0 ms would run when all who wait have tried in turn.
      if (left <= 0) throw new DeadlineError(`waited ${waitMs} ms for a message with the same id to be stored`);
      const first = await within(other, left, 'a message with the same id to be stored');
      if (first !== undefined) return first;
    }
    const trying = attempt();
    const ended = trying.then(
      (first) => first ?? id,
      () => undefined,
    );
    // Nobody may find it when it has ended: its result may be forgotten by then.
    this.#trying.set(
      key,
      ended.finally(() => this.#trying.delete(key)),
    );
    return await trying;
  }
}
