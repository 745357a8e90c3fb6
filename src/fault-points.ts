import { type Channel, channel } from 'node:diagnostics_channel';

/*
 * The moments at which it matters whether the process still lives: a message is in one place or in two, promised or not yet,
 * settled or not yet. Each has a name and a channel of node:diagnostics_channel, `mini-synapse:<name>`, so that
 *
 * - the fault runs can end the process exactly there (docs/promises.md, test/faults/kill-at.ts),
 * - whoever traces a message can follow it through the process without a word in the log:
 *
 *       subscribe('mini-synapse:attempt.begun', ({ where, what }) => …)   // the processor, the stored message
 *
 * A point that nobody listens to costs one look at `hasSubscribers`: nothing is allocated. Subscribers run at once, within the
 * moment itself; what they throw becomes an uncaught exception of the process.
 */

/** What subscribers of a point are handed. */
export interface Passage {
  /** The name of the artifact: the store or the processor; for HTTP the client's connection. */
  readonly where: string;
  /** What it is about: a stored message where there is one at hand, else an id, a file, or a status. */
  readonly what: unknown;
}

/** One named moment. */
export interface FaultPoint {
  readonly name: string;
  /** Completes "the process is at the point where …". */
  readonly doc: string;
  readonly channel: Channel;
}

/** What the names of all channels begin with. */
export const CHANNEL_PREFIX = 'mini-synapse:';

/** All points, in the order in which a message meets them. */
export const POINTS = {
  putBegun: define('store.put.begun', 'the store mediator is about to hand a message to its store'),
  putSent: define('store.put.sent', 'the medium has been handed the message and has not confirmed it'),
  putConfirmed: define('store.put.confirmed', 'the medium has confirmed the message, its client has no answer yet'),
  failoverPut: define('failover.put.confirmed', 'the failover store has taken what the store did not take'),
  clientAnswered: define('client.answered', 'the whole answer has been handed to the client’s connection'),
  leaseTaken: define('lease.taken', 'a table’s messages are leased and nobody has them in hand yet'),
  received: define('store.received', 'a worker has received a message'),
  crashJournal: define('crash-journal.written', 'the journal of crashes knows of an attempt that is about to begin'),
  attemptBegun: define('attempt.begun', 'an attempt is about to begin'),
  attemptEnded: define('attempt.ended', 'the back end has answered, or the attempt has failed; nothing is settled'),
  settleBegun: define('settle.begun', 'a delivered message is about to be removed from its store'),
  settleConfirmed: define('settle.confirmed', 'its store has confirmed that it is removed'),
  moveCopied: define('move.copied', 'a message that moves to another medium is in both'),
  failStoreMoved: define('fail-store.moved', 'a message has been moved to the fail store'),
  failoverMoved: define('failover.moved', 'the failover processor has moved a message to its target store'),
  deadLetterBody: define('dead-letter.body', 'the body of a dead letter is written, what it is about is not'),
  deadLetterWritten: define('dead-letter.written', 'a dead letter is written and its message is still in its store'),
  deploymentOpened: define('deployment.opened', 'the new artifacts of a deployment are open, the old ones serve'),
  deploymentPublished: define('deployment.published', 'the new artifacts serve, the old ones are still open'),
  deploymentClosed: define('deployment.closed', 'a replaced artifact has closed'),
} as const satisfies Readonly<Record<string, FaultPoint>>;

/** To be called at the moment itself: the process has come there. */
export function reach(point: FaultPoint, where: string, what: unknown): void {
  if (point.channel.hasSubscribers) point.channel.publish({ where, what });
}

function define(name: string, doc: string): FaultPoint {
  return { name, doc, channel: channel(`${CHANNEL_PREFIX}${name}`) };
}
