import type { Exchange, FlowFailure } from '../message/exchange.ts';
import type { MessageContext } from '../message/message-context.ts';
import { type FlowTracker, runFlow } from './flow.ts';

/**
 * - `part`: of a message that iterate or clone split up. It is on its own: its failure is the client's matter, and it has ended even
 *   if an aggregate keeps it and waits for other parts.
 * - `branch`: of foreach or scatter-gather, which wait for its result. Its failure is told to them, and it has not ended while an
 *   aggregate inside may still produce that result.
 */
export type BranchRole = 'part' | 'branch';

/**
 * What stands between a copy of a message and the client of the whole: it knows when everything that the copy started has ended,
 * sends and their responses included. Answers go to the client, who takes one of them whatever the branches do (REQ-24).
 *
 *     run ──▶ RUNNING ──the flow and all tracked work have ended──▶ ENDED (the promise of `run` resolves)
 */
export class Branch implements Exchange {
  readonly #parent: Exchange | undefined;
  readonly #flows: FlowTracker;
  readonly #role: BranchRole;
  readonly #ended = Promise.withResolvers<void>();
  #outstanding = 0;
  #over = false;
  #failure: FlowFailure | undefined;

  constructor(parent: MessageContext, role: BranchRole) {
    this.#parent = parent.exchange;
    this.#flows = parent.configuration.services.flows;
    this.#role = role;
  }

  get answered(): boolean {
    return this.#parent?.answered ?? false;
  }

  /** Why the first flow of this branch failed that did. */
  get failure(): FlowFailure | undefined {
    return this.#failure;
  }

  /**
   * Runs the flow of a copy, whose exchange this becomes; its faults go to its own fault stack.
   * @returns `flow`: ends with the steps themselves; `all`: with everything that they started. Neither rejects.
   */
  run(copy: MessageContext, steps: () => unknown): { readonly flow: Promise<void>; readonly all: Promise<void> } {
    copy.exchange = this;
    const flow = Promise.resolve(runFlow(copy, steps));
    this.#count(flow);
    return { flow, all: this.#ended.promise };
  }

  take(): void {
    this.#parent?.take();
  }

  respond(message: MessageContext): void {
    this.#parent?.respond(message);
  }

  track(work: Promise<void>, kind: 'work' | 'group' = 'work'): void {
    // An aggregate may go on with a part whose own flow has long ended: the client waits for that, this branch does not any more.
    const own = !this.#over && (kind === 'work' || this.#role === 'branch');
    if (own) this.#count(work);
    else if (this.#parent) this.#parent.track(work, kind);
    else this.#flows.track(work);
  }

  onEnd(listener: () => void): void {
    this.#parent?.onEnd?.(listener);
  }

  acknowledge(message: MessageContext): void {
    this.#parent?.acknowledge?.(message);
  }

  failed(reason: FlowFailure): void {
    this.#failure ??= reason;
    if (this.#role === 'part') this.#parent?.failed(reason);
  }

  #count(work: Promise<void>): void {
    this.#outstanding += 1;
    const settled = () => {
      this.#outstanding -= 1;
      if (this.#outstanding > 0) return;
      this.#over = true;
      this.#ended.resolve();
    };
    work.then(settled, (error: unknown) => {
      this.failed({ code: undefined, message: error instanceof Error ? error.message : String(error) });
      settled();
    });
  }
}
