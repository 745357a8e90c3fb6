import type { Caller, Lineage, Split } from '../message/caller.ts';
import { MediationError } from '../message/errors.ts';
import { type MessageContext, ORIGINAL_ID } from '../message/message-context.ts';
import { Branch, type BranchRole } from './branch.ts';
import { runFlow } from './flow.ts';
import { breathe } from './turn.ts';

declare module '../message/configuration.ts' {
  interface Services {
    /** Parts of one message, or branches of one mediator, that run at the same time (MREQ-44); 20 if absent. */
    branchesAtOnce?: number;
  }
}

const BRANCHES_AT_ONCE = 20;
/** Splittings inside splittings; a deeper nesting is a loop (REQ-25). */
const MAX_NESTED = 50;
/** Parts of one message, and parts of parts: as many as elements fit into the largest body that a listener takes. */
const MAX_PARTS = 5_000_000;
/** Those of them that have not ended: 20 at once, in three splittings inside each other, stay below. */
const MAX_ALIVE = 10_000;

/** How a message is split up, by iterate or clone. */
export interface Splitting {
  /** The mediator's id attribute. */
  readonly id: string | undefined;
  readonly count: number;
  /** Makes the part of an index, from 0, when its turn has come. */
  part(index: number): MessageContext;
  /** Hands a part to its target; true when the part came to the end of it. */
  deliver(part: MessageContext, index: number, caller: Caller): boolean | Promise<boolean>;
  /** Where a part goes on that came to the end of its target: {@link splitterOf} what comes after the mediator. */
  readonly caller: Caller;
  readonly sequential: boolean;
  /** Asked after each part of a sequential splitting that failed. */
  stopsAfterFailure?(): boolean;
}

/**
 * Splits a message up: every part runs by itself, with properties that tell an aggregate which part of how many it is (spec mediators
 * 3.14, 3.23). Parts start in order; of those that do not wait for each other only a number runs at a time, sends and their responses
 * included, and a part is made only when its turn has come, so a large splitting needs the memory of a few.
 *
 * The client waits for all of them; so does the server when it stops.
 */
export function startSplitting(message: MessageContext, splitting: Splitting): void {
  const { caller } = splitting;
  const split: Split = { id: splitting.id, outer: message.split, finishedBy: new Set() };
  startDetached(message, {
    ...splitting,
    role: 'part',
    async run(part, index) {
      if (await splitting.deliver(part, index, caller)) await caller.goOn?.(part);
    },
    part(index) {
      const part = splitting.part(index);
      part.resumed = false;
      part.split = split;
      const suffix = splitting.id === undefined ? '' : `.${splitting.id}`;
      part.properties.set(`messageSequence${suffix}`, `${index}/${splitting.count}`);
      part.properties.set(ORIGINAL_ID, message.messageId);
      if (suffix) part.properties.set(`${ORIGINAL_ID}${suffix}`, message.messageId);
      return part;
    },
  });
}

/** Runs branches that nobody in the flow waits for; the client and a stopping server do. */
export function startDetached(message: MessageContext, branches: Branches): void {
  const work = Promise.resolve(runFlow(message, () => runBranches(message, branches)));
  if (message.exchange) message.exchange.track(work);
  else message.configuration.services.flows.track(work);
}

/** What {@link runBranches} runs. */
export interface Branches extends Omit<Splitting, 'id' | 'caller' | 'deliver'> {
  readonly role: BranchRole;
  /** The flow of a branch. */
  run(part: MessageContext, index: number): unknown;
  /** Everything that a branch started has ended. */
  onEnded?(index: number, branch: Branch): void;
}

/** Runs branches, at most so many at once. Resolves when all they started has ended; rejects only when one could not be made. */
export async function runBranches(message: MessageContext, branches: Branches): Promise<void> {
  const slots = new Slots(message.configuration.services.branchesAtOnce ?? BRANCHES_AT_ONCE);
  const lineage = descend(message);
  try {
    for (let index = 0; index < branches.count; index += 1) {
      await slots.free();
      await breathe();
      admit(lineage);
      const branch = new Branch(message, branches.role);
      const part = branches.part(index);
      part.lineage = lineage;
      lineage.family.alive += 1;
      const { flow, all } = branch.run(part, () => branches.run(part, index));
      slots.occupy(all, () => {
        lineage.family.alive -= 1;
        branches.onEnded?.(index, branch);
      });
      if (branches.sequential) await flow;
      if (branches.sequential && branch.failure && branches.stopsAfterFailure?.()) break;
    }
  } finally {
    await slots.empty();
  }
}

function descend({ lineage }: MessageContext): Lineage {
  if (!lineage) return { depth: 1, family: { made: 0, alive: 0, refusal: undefined } };
  return { depth: lineage.depth + 1, family: lineage.family };
}

/**
 * Lets one more part be made.
 * @throws MediationError when the message has too many; from then on all its splittings end, and none begins. The first one is a fault;
 *   that of the others would only be the same again, thousands of times
 */
function admit(lineage: Lineage): void {
  const { family } = lineage;
  if (family.refusal !== undefined) throw new MediationError(family.refusal, { skipsFaultHandlers: true });
  family.refusal = refusalOf(lineage);
  if (family.refusal !== undefined) throw new MediationError(family.refusal);
  family.made += 1;
}

function refusalOf({ depth, family }: Lineage): string | undefined {
  if (depth > MAX_NESTED)
    return `The message is split more than ${MAX_NESTED} times, part by part: a mediator splits its own parts`;
  if (family.made >= MAX_PARTS) return `The message has more than ${MAX_PARTS} parts`;
  return family.alive >= MAX_ALIVE ? `More than ${MAX_ALIVE} parts of the message are under way` : undefined;
}

/** A bounded number of things at once, and one who waits. A message may have a million parts: each costs one promise. */
class Slots {
  readonly #limit: number;
  #running = 0;
  /** Called when one ends. */
  #ended: (() => void) | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Resolves when there is room. @throws what an `ended` of {@link occupy} threw */
  async free(): Promise<void> {
    while (this.#running >= this.#limit) await this.#nextEnd();
    this.#rethrow();
  }

  /** @param work must not reject */
  occupy(work: Promise<void>, ended: () => void): void {
    this.#running += 1;
    const end = () => {
      this.#running -= 1;
      this.#ended?.();
    };
    work.then(ended).then(end, (error: unknown) => {
      this.#failure ??= { error };
      end();
    });
  }

  /** Resolves when all have ended. @throws as {@link free} */
  async empty(): Promise<void> {
    while (this.#running > 0) await this.#nextEnd();
    this.#rethrow();
  }

  #nextEnd(): Promise<void> {
    return new Promise((resolve) => {
      this.#ended = resolve;
    });
  }

  #rethrow(): void {
    if (this.#failure) throw this.#failure.error;
  }
}
