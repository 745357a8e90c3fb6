import type { Branch } from '../../mediation/branch.ts';
import { runBranches } from '../../mediation/split.ts';
import type { Caller } from '../../message/caller.ts';
import { MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';

declare module '../../message/configuration.ts' {
  interface Services {
    /** ms that foreach and scatter-gather wait for the next branch to end (MREQ-16); 120,000 if absent. */
    branchTimeoutMs?: number;
  }
}

const BRANCH_TIMEOUT_MS = 120_000;

/** What foreach and scatter-gather run. */
export interface Gathering {
  /** For the fault: `foreach`, `scatter-gather`. */
  readonly mediator: string;
  readonly count: number;
  readonly parallel: boolean;
  /** The copy of the message for one branch; its callers and fault handlers are left behind. */
  branch(index: number): MessageContext;
  /** The flow of a branch; true when the copy itself came to its end, to be left to `caller` for what an aggregate inside makes of it. */
  run(copy: MessageContext, index: number, caller: Caller): boolean | Promise<boolean>;
  /** Takes a branch's result: the copy, or a message that an aggregate inside made. True when no more are needed. */
  accept(result: MessageContext, index: number): boolean;
  /** ms after which what there is has to do; undefined: all are needed. */
  readonly timeoutMs?: number;
}

/** `all`: every branch has a result, or no more are needed. `timeout`: the time of {@link Gathering.timeoutMs} is up. */
export type Gathered = 'all' | 'timeout';

/**
 * Runs branches and waits for their results (spec mediators 3.26, 3.27).
 *
 *     each branch ──its copy, or what became of it, reaches the end──▶ accept ──enough──▶ all
 *                 └─everything it started ended, without a result────▶ missing
 *     all branches ended, not enough results ──▶ the gathering fails, and says what became of the first that is missing (MREQ-16)
 *
 * Branches that are not needed any more run to their end; the client of the message does not wait for them.
 * @throws MediationError when too few branches have a result, or none ends for too long
 */
export function gather(message: MessageContext, gathering: Gathering): Promise<Gathered> {
  return new Gatherer(message, gathering).gathered;
}

class Gatherer {
  readonly #gathering: Gathering;
  readonly #outcome = Promise.withResolvers<Gathered>();
  readonly #arrived = new Set<number>();
  readonly #idleMs: number;
  readonly #limit: NodeJS.Timeout | undefined;
  readonly #idle: NodeJS.Timeout;
  #settled = false;
  /** What the first branch that ended without a result has to say. */
  #missing: MediationError | undefined;

  constructor(message: MessageContext, gathering: Gathering) {
    this.#gathering = gathering;
    this.#idleMs = message.configuration.services.branchTimeoutMs ?? BRANCH_TIMEOUT_MS;
    const { timeoutMs } = gathering;
    this.#limit = timeoutMs === undefined ? undefined : setTimeout(() => this.#settle('timeout'), timeoutMs);
    this.#idle = this.#waitForNext();
    const work = runBranches(message, {
      role: 'branch',
      count: gathering.count,
      sequential: !gathering.parallel,
      part: (index) => this.#branch(index),
      run: async (copy, index) => {
        if (this.#settled) return;
        const caller: Caller = {
          goOn: async (result) => {
            this.#accept(result, index);
            return true;
          },
        };
        if (await gathering.run(copy, index, caller)) this.#accept(copy, index);
      },
      onEnded: (index, branch) => this.#ended(index, branch),
    }).then(
      () => this.#allEnded(),
      (error: unknown) => this.#fail(error),
    );
    if (message.exchange) message.exchange.track(work);
    else message.configuration.services.flows.track(work);
  }

  get gathered(): Promise<Gathered> {
    return this.#outcome.promise;
  }

  #branch(index: number): MessageContext {
    const copy = this.#gathering.branch(index);
    copy.faultStack.length = 0;
    copy.callers.length = 0;
    copy.resumed = false;
    return copy;
  }

  #accept(result: MessageContext, index: number): void {
    if (this.#settled || this.#arrived.has(index)) return;
    this.#arrived.add(index);
    this.#idle.refresh();
    try {
      const enough = this.#gathering.accept(result, index);
      if (enough) this.#settle('all');
    } catch (error) {
      this.#fail(error);
    }
  }

  #ended(index: number, { failure }: Branch): void {
    if (this.#arrived.has(index) || this.#missing) return;
    const { mediator } = this.#gathering;
    const reason = failure?.message ?? 'its flow ended before its end, or its answer went elsewhere';
    const lead = `${mediator}: branch ${index + 1} did not produce a result`;
    // Of branches inside branches the innermost says why; a chain of them would only bury the reason.
    this.#missing = new MediationError(reason.startsWith(`${mediator}: branch `) ? reason : `${lead}: ${reason}`, {
      ...(failure?.code !== undefined && { code: failure.code }),
      ...(failure?.status !== undefined && { status: failure.status }),
    });
  }

  /** Nothing more can come. */
  #allEnded(): void {
    if (this.#gathering.timeoutMs !== undefined && this.#arrived.size > 0) this.#settle('timeout');
    else this.#fail(this.#missing ?? new MediationError(`${this.#gathering.mediator}: not enough results`));
  }

  #waitForNext(): NodeJS.Timeout {
    return setTimeout(() => {
      const { mediator } = this.#gathering;
      this.#fail(new MediationError(`${mediator}: no branch ended within ${this.#idleMs / 1000} s`, { status: 504 }));
    }, this.#idleMs);
  }

  #settle(outcome: Gathered): void {
    if (this.#end()) this.#outcome.resolve(outcome);
  }

  #fail(error: unknown): void {
    if (this.#end()) this.#outcome.reject(error);
  }

  #end(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    clearTimeout(this.#idle);
    clearTimeout(this.#limit);
    return true;
  }
}
