import type { MessageContext } from './message-context.ts';

/**
 * Who entered a sequence, and so where a message goes on that has come to its end (spec mediators 2.6, 2.7). Entries of
 * {@link MessageContext.callers}; what they refer to is compiled once, see `src/mediation/continuation.ts`.
 */
export interface Caller {
  /**
   * What comes after the sequence; undefined where a flow of its own ends.
   * @returns as a step: false stops
   */
  readonly goOn: ((message: MessageContext) => Promise<boolean>) | undefined;
}

/**
 * One splitting of a message, by iterate or clone, as its parts and their answers remember it: an aggregate that has seen enough of
 * them drops the rest (spec mediators 3.14, 3.15).
 */
export interface Split {
  /** Of the mediator that split. */
  readonly id: string | undefined;
  /** The splitting that the split message came from. */
  readonly outer: Split | undefined;
  /** The ids of the aggregates that are done with it. */
  readonly finishedBy: Set<string>;
}

/** Of a part or branch of a message: how deep in splittings inside splittings it is, and what it has in common with all the others. */
export interface Lineage {
  readonly depth: number;
  readonly family: Family;
}

/** All parts and branches of one message, and theirs in turn; a splitting that splits itself ends here. */
export interface Family {
  /** Made so far. */
  made: number;
  /** Made, and not ended. */
  alive: number;
  /** Why no more are made; every splitting of the message ends with it. */
  refusal: string | undefined;
}
