import { POINTS, reach } from '../fault-points.ts';
import { type Logger, logger } from '../logging/index.ts';
import { pause } from '../scheduling/index.ts';
import type { Delivery, PoisonMessage } from '../stores/message-store.ts';
import type { StoredMessage } from '../stores/stored-message.ts';
import type { CircuitPass } from './circuit.ts';
import { MAX_CRASHES } from './crash-journal.ts';
import type { DeliveryClaim } from './delivery-ledger.ts';
import './delivery-observer.ts';
import { hold, wasTakenBack } from './hold.ts';
import { type AttemptRecord, MessageEnding, messageDetails } from './message-delivery-ending.ts';
import type { OrderedWorker } from './ordering.ts';
import type { AttemptFailure, Outcome } from './outcome.ts';
import type { ProcessorCore, WorkerProgress } from './processor-core.ts';
import { afterDeath, afterFailure, retryWait, suspensionWait } from './retry-policy.ts';

/**
 * One message in the hands of one worker, from its receipt to its settling (spec stores 4.6 to 4.10):
 *
 *   claimed ──► attempting ──► delivered ──────────────────────► settling ──► ended
 *                 ▲      │                                          ▲
 *                 │      ├──► failed ──► fault sequence ──► last attempt? ─ drop, move, dead letter
 *                 │      │                        │ no              │
 *                 └──────┼──── retry-wait ◄───────┘                 └ deactivate: state, sequence, release ──► ended
 *                 ▲      │
 *                 ├──────┼──── not ready (suspended endpoint): the same wait, no attempt is counted
 *                 │      │
 *                 └──────┴──── out of reach, with a circuit: waits until the circuit lets it pass, nothing is counted
 *
 * A message that has crashed the process too often is not attempted, but quarantined (OP-06).
 *
 * `halt` (deactivation, stop, or another store in place of its own) interrupts every wait and is looked at after every attempt: the
 * message is then released. Only an attempt is never interrupted by it; that is what `cutOff` does.
 */
export class MessageDelivery {
  readonly #core: ProcessorCore;
  readonly #progress: WorkerProgress;
  readonly #delivery: Delivery;
  readonly #halt: AbortSignal;
  readonly #started: () => void;
  readonly #order: OrderedWorker | undefined;
  readonly #log: Logger;
  readonly #record: AttemptRecord = { attempts: 0, failures: 0, firstAttemptAt: 0, lastAttemptAt: 0 };
  readonly #ending: MessageEnding;

  /** `started` is called when the first attempt begins. `order`: when messages of some key are to stay in order. */
  constructor(options: {
    core: ProcessorCore;
    progress: WorkerProgress;
    delivery: Delivery;
    halt: AbortSignal;
    started: () => void;
    order?: OrderedWorker | undefined;
  }) {
    const { core, progress, delivery, order } = options;
    this.#core = core;
    this.#progress = progress;
    this.#delivery = delivery;
    this.#halt = options.halt;
    this.#started = options.started;
    this.#order = order;
    this.#log = logger(core.method.service);
    this.#ending = new MessageEnding({ core, progress, delivery, order, record: this.#record, log: this.#log });
  }

  /**
   * Resolves when the message is settled, one way or another: `gone` for good, or `back` in its store.
   * @throws what the delivery method did not expect; the message is released then
   */
  async run(): Promise<'gone' | 'back'> {
    const { message: stored, poison } = this.#delivery;
    const id = stored?.id ?? poison?.id ?? 'unknown';
    this.#progress.message = { id, attempt: 0 };
    reach(POINTS.received, this.#core.name, stored ?? id);
    try {
      const claim = this.#halt.aborted ? undefined : await this.#claim(id);
      if (claim) await this.#runClaimed(claim, stored, poison);
      else await this.#ending.release();
      return this.#ending.released ? 'back' : 'gone';
    } finally {
      this.#progress.message = undefined;
      this.#progress.nextActionAt = undefined;
    }
  }

  #claim(id: string): Promise<DeliveryClaim | undefined> {
    return this.#core.services.ledger.claim(this.#core.storeName, id, this.#halt);
  }

  async #runClaimed(
    claim: DeliveryClaim,
    stored: StoredMessage | undefined,
    poison: PoisonMessage | undefined,
  ): Promise<void> {
    try {
      if (!stored) await this.#ending.quarantinePoison(claim, poison);
      else if (claim.delivered) await this.#recognised(claim, stored);
      else if (this.#core.method.acknowledge === 'before') await this.#deliverAtMostOnce(claim, stored);
      else await this.#deliverAtLeastOnce(claim, stored);
    } catch (error) {
      await this.#ending.release();
      throw error;
    } finally {
      claim.end();
    }
  }

  async #deliverAtLeastOnce(claim: DeliveryClaim, stored: StoredMessage): Promise<void> {
    const crashes = this.#core.services.ledger.crashes.crashes(this.#core.storeName, stored.id);
    if (crashes >= MAX_CRASHES) {
      const reason = `the process crashed ${crashes} times while this message was being processed`;
      await this.#ending.quarantine(claim, stored, reason, 'has crashed the process');
      return;
    }
    for (;;) {
      const pass = await this.#passCircuit();
      if (pass === undefined) {
        await this.#giveBack(stored.id);
        return;
      }
      const outcome = await this.#tryOnce(stored, pass);
      if ((await this.#after(outcome, claim, stored)) === 'ended') return;
    }
  }

  async #passCircuit(): Promise<CircuitPass | undefined> {
    const { circuit } = this.#core;
    if (!circuit) return 'closed';
    if (!circuit.open) return this.#halt.aborted ? undefined : 'closed';
    const held = hold(this.#delivery, this.#halt);
    try {
      return await circuit.pass(held.signal, (until) => {
        this.#progress.activity = 'retry-wait';
        this.#progress.nextActionAt = until;
      });
    } finally {
      held.end();
    }
  }

  /** One attempt, known to the journal of crashes while it lasts, and to the circuit when it has ended. */
  async #tryOnce(stored: StoredMessage, pass: CircuitPass): Promise<Outcome> {
    const { services, storeName, circuit } = this.#core;
    const journalled = await services.ledger.crashes.begin(storeName, stored.id, this.#halt);
    let outcome: Outcome | undefined = journalled ? undefined : { kind: 'aborted' };
    try {
      outcome ??= await this.#attempt(stored);
      reach(POINTS.attemptEnded, this.#core.name, stored);
      return outcome;
    } finally {
      journalled?.ended(isConclusive(outcome));
      circuit?.report(outcome, pass);
    }
  }

  /** `ack.mode=before`: whatever happens to the message afterwards, it is gone (spec stores 5.2). */
  async #deliverAtMostOnce(claim: DeliveryClaim, stored: StoredMessage): Promise<void> {
    const { method, services, counters } = this.#core;
    const obstacle = method.obstacle(services.configuration());
    if (obstacle !== undefined) {
      this.#log.error(obstacle, this.#details(stored.id));
      await this.#ending.deactivate('FAULTY', obstacle, stored.id, undefined);
      return;
    }
    await this.#ending.settle(claim, stored.id);
    const outcome = await this.#attempt(stored);
    if (outcome.kind === 'delivered' || outcome.kind === 'settled') {
      counters.delivered += 1;
      return;
    }
    this.#record.attempts += 1;
    if (outcome.kind === 'failed') this.#countFailure(outcome.failure, stored.id);
    counters.dropped += 1;
    const cause = outcome.kind === 'failed' ? outcome.failure.cause : outcome.kind;
    this.#log.warn(
      `[${this.#core.name}] Message ${stored.id} failed after it was acknowledged (ack.mode=before) and is gone: ${cause}`,
      { ...this.#details(stored.id), cause },
    );
  }

  async #attempt(stored: StoredMessage): Promise<Outcome> {
    const { method, services, cutOff, name: processor, storeName: store } = this.#core;
    const number = this.#record.attempts + 1;
    this.#progress.activity = 'attempting';
    this.#progress.message = { id: stored.id, attempt: number };
    this.#progress.nextActionAt = undefined;
    this.#record.lastAttemptAt = Date.now();
    if (this.#record.firstAttemptAt === 0) {
      this.#record.firstAttemptAt = this.#record.lastAttemptAt;
      this.#started();
    }
    reach(POINTS.attemptBegun, processor, stored);
    const configuration = services.configuration();
    const ended = configuration.services.deliveries?.begins({ processor, store, stored, number });
    let outcome: Outcome | undefined;
    try {
      outcome = await method.deliver({ stored, number, delivery: this.#delivery, configuration, signal: cutOff });
      return outcome;
    } finally {
      ended?.(outcome);
    }
  }

  async #after(outcome: Outcome, claim: DeliveryClaim, stored: StoredMessage): Promise<'again' | 'ended'> {
    switch (outcome.kind) {
      case 'delivered':
        this.#core.counters.delivered += 1;
        await this.#ending.settle(claim, stored.id);
        return 'ended';
      case 'settled':
        this.#core.counters.delivered += 1;
        claim.settled();
        return 'ended';
      case 'failed':
        return this.#failed(outcome.failure, claim, stored);
      case 'not-ready':
        return this.#waitUntilReady(outcome.readyAt);
      case 'misconfigured':
        await this.#ending.deactivate('FAULTY', outcome.reason, stored.id, outcome.message);
        return 'ended';
      case 'poison':
        await this.#ending.quarantine(claim, stored, outcome.reason);
        return 'ended';
      case 'lost':
        this.#log.debug(`[${this.#core.name}] ${outcome.reason}`, this.#details(stored.id));
        if ((await this.#wait(retryWait(this.#core.policy, 1), LOOK_MS)) === 'again') await this.#ending.release();
        return 'ended';
      case 'aborted':
        await this.#ending.release();
        return 'ended';
    }
  }

  async #failed(failure: AttemptFailure, claim: DeliveryClaim, stored: StoredMessage): Promise<'again' | 'ended'> {
    const { policy, sequences, counters, circuit } = this.#core;
    this.#record.attempts += 1;
    this.#countFailure(failure, stored.id);
    await sequences.fault(failure.message);
    if (this.#halt.aborted) {
      await this.#ending.release();
      return 'ended';
    }
    if (circuit && failure.unavailable) {
      counters.retried += 1;
      return 'again';
    }
    this.#record.failures += 1;
    const next = failure.dead ? afterDeath(policy) : afterFailure(policy, this.#record.failures);
    if (next === 'retry') {
      const wait = retryWait(policy, this.#record.failures, failure.retryAfterMs);
      if ((await this.#waitFor(wait, failure.recovered)) === 'ended') return 'ended';
      counters.retried += 1;
      return 'again';
    }
    const gone = await this.#ending.giveUp(next, failure, claim, stored);
    if (gone && !failure.dead) await this.#waitAfterGivingUp();
    return 'ended';
  }

  async #recognised(claim: DeliveryClaim, stored: StoredMessage): Promise<void> {
    this.#core.counters.recognised += 1;
    this.#log.info(
      `[${this.#core.name}] Message ${stored.id} came again after its delivery; it is settled and not sent again`,
      this.#details(stored.id),
    );
    await this.#ending.settle(claim, stored.id);
  }

  #waitUntilReady(readyAt: number): Promise<'again' | 'ended'> {
    return this.#wait(suspensionWait(this.#core.policy, readyAt, Date.now()));
  }

  /** Waits with the message in hand, but no longer than until things are well again. */
  async #waitFor(ms: number, recovered: (() => boolean) | undefined): Promise<'again' | 'ended'> {
    if (!recovered) return this.#wait(ms);
    const end = Date.now() + ms;
    for (let rest = ms; rest > 0 && !recovered(); rest = end - Date.now()) {
      if ((await this.#wait(rest, LOOK_MS)) === 'ended') return 'ended';
    }
    return 'again';
  }

  /** Waits so long, or a part of it, with the message in hand; gives it back when halted or when it was taken back meanwhile. */
  async #wait(ms: number, part = ms): Promise<'again' | 'ended'> {
    this.#progress.activity = 'retry-wait';
    this.#progress.nextActionAt = Date.now() + ms;
    const held = hold(this.#delivery, this.#halt);
    await pause(Math.min(ms, part), held.signal);
    held.end();
    if (!held.signal.aborted && !wasTakenBack(this.#delivery)) return 'again';
    await this.#giveBack(this.#progress.message?.id ?? 'unknown');
    return 'ended';
  }

  /** Nothing more is tried with it here. */
  async #giveBack(id: string): Promise<void> {
    if (!this.#halt.aborted && wasTakenBack(this.#delivery)) this.#ending.logTakenBack(id);
    await this.#ending.release();
  }

  /** The pause after the last attempt, before the next message gets its first one (spec stores 4.9). */
  async #waitAfterGivingUp(): Promise<void> {
    this.#progress.activity = 'retry-wait';
    this.#progress.message = undefined;
    const ms = retryWait(this.#core.policy);
    this.#progress.nextActionAt = Date.now() + ms;
    await this.#order?.rest();
    await pause(ms, this.#halt);
  }

  #details(messageId: string) {
    return messageDetails(this.#core, this.#delivery.message, messageId, this.#record);
  }

  /** While the circuit is open, one line has said it. */
  #countFailure(failure: AttemptFailure, messageId: string): void {
    const { counters, method, circuit } = this.#core;
    counters.failed += 1;
    this.#core.noteFailure(failure.cause, messageId);
    const level = circuit && failure.unavailable ? 'debug' : 'error';
    this.#log[level](method.texts.failed(failure.endpoint), {
      ...this.#details(messageId),
      cause: failure.cause,
      ...(failure.endpoint !== undefined && { endpoint: failure.endpoint }),
      ...(failure.status !== undefined && { status: failure.status }),
    });
  }
}

/** How often it is looked whether things are well again, ms. */
const LOOK_MS = 1000;

/** Whether the message was really processed, to some end. */
function isConclusive(outcome: Outcome | undefined): boolean {
  return outcome?.kind !== 'not-ready' && outcome?.kind !== 'aborted' && outcome?.kind !== 'lost';
}
