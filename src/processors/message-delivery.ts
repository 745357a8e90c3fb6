import { type Logger, logger } from '../logging/index.ts';
import { causeChain } from '../mediation/fault.ts';
import type { MessageContext } from '../message/message-context.ts';
import { pause } from '../scheduling/index.ts';
import type { Delivery, PoisonMessage } from '../stores/message-store.ts';
import type { DeliveryFailure, StoredMessage } from '../stores/stored-message.ts';
import type { Circuit, CircuitPass } from './circuit.ts';
import type { ProcessorServices } from './component.ts';
import { MAX_CRASHES } from './crash-journal.ts';
import { deadLetterOf, putAside } from './dead-letter.ts';
import type { DeliveryClaim } from './delivery-ledger.ts';
import type { DeliveryMethod } from './delivery-method.ts';
import type { CurrentMessage, ProcessorCounters, WorkerActivity } from './message-processor.ts';
import type { OrderedWorker } from './ordering.ts';
import type { AttemptFailure, Outcome } from './outcome.ts';
import type { ProcessorSequences } from './processor-sequences.ts';
import {
  afterDeath,
  afterFailure,
  type NextStep,
  type RetryPolicy,
  retryWait,
  suspensionWait,
} from './retry-policy.ts';
import { letGo, settle } from './settle.ts';

/** What the workers of one processor share. */
export interface ProcessorCore {
  readonly name: string;
  readonly storeName: string;
  readonly services: ProcessorServices;
  readonly method: DeliveryMethod;
  readonly policy: RetryPolicy;
  readonly sequences: ProcessorSequences;
  /** Undefined: a back end that is out of reach counts against the message. */
  readonly circuit: Circuit | undefined;
  readonly counters: ProcessorCounters;
  /** Aborted when attempts in flight are to be cut off. */
  readonly cutOff: AbortSignal;
  /** Stops all workers; resolves when the state is recorded. */
  deactivateItself(stop: SelfDeactivation): Promise<void>;
  noteFailure(error: string, messageId: string): void;
}

export interface SelfDeactivation {
  readonly state: 'DEACTIVATED' | 'FAULTY';
  readonly reason: string;
  readonly messageId: string | undefined;
}

/** What a worker does right now, for operators. */
export interface WorkerProgress {
  activity: WorkerActivity;
  message: CurrentMessage | undefined;
  nextActionAt: number | undefined;
}

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
  /** Those that were made: the number that the back end sees. */
  #attempts = 0;
  /** Those that count against the message. */
  #failures = 0;
  #released = false;
  #firstAttemptAt = 0;
  #lastAttemptAt = 0;

  /** `started` is called when the first attempt begins. `order`: when messages of some key are to stay in order. */
  constructor(options: {
    core: ProcessorCore;
    progress: WorkerProgress;
    delivery: Delivery;
    halt: AbortSignal;
    started: () => void;
    order?: OrderedWorker | undefined;
  }) {
    this.#core = options.core;
    this.#progress = options.progress;
    this.#delivery = options.delivery;
    this.#halt = options.halt;
    this.#started = options.started;
    this.#order = options.order;
    this.#log = logger(options.core.method.service);
  }

  /**
   * Resolves when the message is settled, one way or another: `gone` for good, or `back` in its store.
   * @throws what the delivery method did not expect; the message is released then
   */
  async run(): Promise<'gone' | 'back'> {
    const { message: stored, poison } = this.#delivery;
    const id = stored?.id ?? poison?.id ?? 'unknown';
    this.#progress.message = { id, attempt: 0 };
    try {
      const claim = this.#halt.aborted ? undefined : await this.#claim(id);
      if (claim) await this.#runClaimed(claim, stored, poison);
      else await this.#release();
      return this.#released ? 'back' : 'gone';
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
      if (!stored)
        await this.#quarantine(claim, storedPoison(poison), poison?.reason ?? 'the message cannot be decoded');
      else if (claim.delivered) await this.#recognised(claim, stored);
      else if (this.#core.method.acknowledge === 'before') await this.#deliverAtMostOnce(claim, stored);
      else await this.#deliverAtLeastOnce(claim, stored);
    } catch (error) {
      await this.#release();
      throw error;
    } finally {
      claim.end();
    }
  }

  async #deliverAtLeastOnce(claim: DeliveryClaim, stored: StoredMessage): Promise<void> {
    const crashes = this.#core.services.ledger.crashes.crashes(this.#core.storeName, stored.id);
    if (crashes >= MAX_CRASHES) {
      const reason = `the process crashed ${crashes} times while this message was being processed`;
      await this.#quarantine(claim, stored, reason, 'has crashed the process');
      return;
    }
    for (;;) {
      const pass = await this.#passCircuit();
      if (pass === undefined) {
        await this.#release();
        return;
      }
      const outcome = await this.#tryOnce(stored, pass);
      if ((await this.#after(outcome, claim, stored)) === 'ended') return;
    }
  }

  async #passCircuit(): Promise<CircuitPass | undefined> {
    const { circuit } = this.#core;
    if (!circuit) return 'closed';
    return circuit.pass(this.#halt, (until) => {
      this.#progress.activity = 'retry-wait';
      this.#progress.nextActionAt = until;
    });
  }

  /** One attempt, known to the journal of crashes while it lasts, and to the circuit when it has ended. */
  async #tryOnce(stored: StoredMessage, pass: CircuitPass): Promise<Outcome> {
    const { services, storeName, circuit } = this.#core;
    const journalled = await services.ledger.crashes.begin(storeName, stored.id, this.#halt);
    let outcome: Outcome | undefined = journalled ? undefined : { kind: 'aborted' };
    try {
      outcome ??= await this.#attempt(stored);
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
      this.#log.error(obstacle);
      await this.#deactivate('FAULTY', obstacle, stored.id, undefined);
      return;
    }
    await this.#settle(claim, stored.id);
    const outcome = await this.#attempt(stored);
    if (outcome.kind === 'delivered' || outcome.kind === 'settled') {
      counters.delivered += 1;
      return;
    }
    if (outcome.kind === 'failed') this.#countFailure(outcome.failure, stored.id);
    counters.dropped += 1;
    const cause = outcome.kind === 'failed' ? outcome.failure.cause : outcome.kind;
    this.#log.warn(
      `[${this.#core.name}] Message ${stored.id} failed after it was acknowledged (ack.mode=before) and is gone: ${cause}`,
    );
  }

  #attempt(stored: StoredMessage): Promise<Outcome> {
    const { method, services, cutOff } = this.#core;
    const number = this.#attempts + 1;
    this.#progress.activity = 'attempting';
    this.#progress.message = { id: stored.id, attempt: number };
    this.#progress.nextActionAt = undefined;
    this.#lastAttemptAt = Date.now();
    if (this.#firstAttemptAt === 0) {
      this.#firstAttemptAt = this.#lastAttemptAt;
      this.#started();
    }
    return method.deliver({
      stored,
      number,
      delivery: this.#delivery,
      configuration: services.configuration(),
      signal: cutOff,
    });
  }

  async #after(outcome: Outcome, claim: DeliveryClaim, stored: StoredMessage): Promise<'again' | 'ended'> {
    switch (outcome.kind) {
      case 'delivered':
        this.#core.counters.delivered += 1;
        await this.#settle(claim, stored.id);
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
        await this.#deactivate('FAULTY', outcome.reason, stored.id, outcome.message);
        return 'ended';
      case 'poison':
        await this.#quarantine(claim, stored, outcome.reason);
        return 'ended';
      case 'lost':
        this.#log.debug(`[${this.#core.name}] ${outcome.reason}`, this.#details(stored.id));
        if ((await this.#wait(retryWait(this.#core.policy, 1), LOOK_MS)) === 'again') await this.#release();
        return 'ended';
      case 'aborted':
        await this.#release();
        return 'ended';
    }
  }

  async #failed(failure: AttemptFailure, claim: DeliveryClaim, stored: StoredMessage): Promise<'again' | 'ended'> {
    const { policy, sequences, counters, circuit } = this.#core;
    this.#attempts += 1;
    this.#countFailure(failure, stored.id);
    await sequences.fault(failure.message);
    if (this.#halt.aborted) {
      await this.#release();
      return 'ended';
    }
    if (circuit && failure.unavailable) {
      counters.retried += 1;
      return 'again';
    }
    this.#failures += 1;
    const next = failure.dead ? afterDeath(policy) : afterFailure(policy, this.#failures);
    if (next === 'retry') {
      const wait = retryWait(policy, this.#failures, failure.retryAfterMs);
      if ((await this.#waitFor(wait, failure.recovered)) === 'ended') return 'ended';
      counters.retried += 1;
      return 'again';
    }
    const gone = await this.#giveUp(next, failure, claim, stored);
    if (gone && !failure.dead) await this.#waitAfterGivingUp();
    return 'ended';
  }

  /** The terminal action (spec stores 4.9). True when the message has left its store, false when the processor stopped. */
  async #giveUp(
    action: Exclude<NextStep, 'retry'>,
    failure: AttemptFailure,
    claim: DeliveryClaim,
    stored: StoredMessage,
  ): Promise<boolean> {
    const { method, counters } = this.#core;
    switch (action) {
      case 'drop':
        await this.#settle(claim, stored.id);
        counters.dropped += 1;
        this.#log.warn(method.texts.dropped(this.#failures), this.#details(stored.id));
        return true;
      case 'move': {
        const problem = await this.#move(claim, stored, failure);
        if (problem === undefined) {
          this.#log.info(method.texts.moved(this.#failures), this.#details(stored.id));
          return true;
        }
        this.#log.error(method.texts.notMoved(this.#failures), { ...this.#details(stored.id), cause: problem });
        await this.#deactivate(
          'DEACTIVATED',
          `the fail store did not take the message: ${problem}`,
          stored.id,
          failure.message,
        );
        return false;
      }
      case 'dead-letter':
        return this.#bury(claim, withFailure(stored, this.#record(failure)), failure.cause, failure.message);
      case 'deactivate': {
        const times = `${this.#failures} failed attempt${this.#failures === 1 ? '' : 's'}`;
        await this.#deactivate('DEACTIVATED', `${times}: ${failure.cause}`, stored.id, failure.message);
        return false;
      }
    }
  }

  /** Moves the message as it was stored, with the reason; what went wrong, or undefined (OP-26). */
  async #move(claim: DeliveryClaim, stored: StoredMessage, failure: FailureFacts): Promise<string | undefined> {
    const { policy, services, counters } = this.#core;
    const name = policy.failStore ?? '';
    const store = services.configuration().find('messageStore', name);
    if (!store) return `there is no message store named '${name}'`;
    this.#progress.activity = 'settling';
    await this.#order?.takeToSettle();
    try {
      await this.#delivery.moveTo(store, withFailure(stored, this.#record(failure)));
    } catch (error) {
      // It is still in hand, so no other one comes.
      this.#order?.release();
      return causeChain(error);
    }
    claim.settled();
    counters.moved += 1;
    return undefined;
  }

  /**
   * A message that cannot be delivered by anybody: to the fail store, else into the dead-letter area; the next one is not kept
   * waiting (REQ-26, OP-06).
   */
  async #quarantine(
    claim: DeliveryClaim,
    stored: StoredMessage,
    reason: string,
    problem = 'cannot be decoded',
  ): Promise<void> {
    const { name, storeName, policy, services } = this.#core;
    this.#core.noteFailure(reason, stored.id);
    if (policy.failStore === undefined) {
      if (await this.#bury(claim, stored, reason, undefined)) services.ledger.crashes.forget(storeName, stored.id);
      return;
    }
    const failure = await this.#move(claim, stored, { cause: reason, status: undefined, endpoint: undefined });
    if (failure === undefined) {
      services.ledger.crashes.forget(storeName, stored.id);
      this.#log.error(
        `[${name}] Message ${stored.id} of store [${storeName}] ${problem} and was moved to [${policy.failStore}]: ${reason}`,
        this.#details(stored.id),
      );
      return;
    }
    await this.#deactivate(
      'DEACTIVATED',
      `the fail store did not take a message that ${problem}: ${failure}`,
      stored.id,
      undefined,
    );
  }

  async #bury(
    claim: DeliveryClaim,
    stored: StoredMessage,
    reason: string,
    message: MessageContext | undefined,
  ): Promise<boolean> {
    const { name, storeName, services, counters } = this.#core;
    let path: string;
    try {
      path = await putAside(services.dataDirectory, deadLetterOf(stored, storeName, name, reason));
    } catch (error) {
      const problem = `message ${stored.id} could not be written to the dead-letter area: ${causeChain(error)}`;
      await this.#deactivate('DEACTIVATED', problem, stored.id, message);
      return false;
    }
    await this.#settle(claim, stored.id);
    counters.deadLettered += 1;
    this.#log.error(
      `[${name}] Message ${stored.id} of store [${storeName}] could not be processed and was put aside as ${path}: ${reason}`,
      this.#details(stored.id),
    );
    return true;
  }

  async #recognised(claim: DeliveryClaim, stored: StoredMessage): Promise<void> {
    this.#core.counters.recognised += 1;
    this.#log.info(
      `[${this.#core.name}] Message ${stored.id} came again after its delivery; it is settled and not sent again`,
    );
    await this.#settle(claim, stored.id);
  }

  /** State first, then the sequence, then the message goes back (REQ-23, OP-23). */
  async #deactivate(
    state: SelfDeactivation['state'],
    reason: string,
    messageId: string,
    message: MessageContext | undefined,
  ): Promise<void> {
    const { sequences } = this.#core;
    this.#core.noteFailure(reason, messageId);
    await this.#core.deactivateItself({ state, reason, messageId });
    if (message) await sequences.deactivate(message);
    await this.#release();
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

  /** Waits so long, or a part of it, with the message in hand; gives it back when halted meanwhile. */
  async #wait(ms: number, part = ms): Promise<'again' | 'ended'> {
    this.#progress.activity = 'retry-wait';
    this.#progress.nextActionAt = Date.now() + ms;
    await pause(Math.min(ms, part), this.#halt);
    if (!this.#halt.aborted) return 'again';
    await this.#release();
    return 'ended';
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

  async #settle(claim: DeliveryClaim, id: string): Promise<void> {
    this.#progress.activity = 'settling';
    const { name: processor, cutOff: signal } = this.#core;
    await this.#order?.takeToSettle();
    await settle(this.#delivery, claim, { log: this.#log, processor, id, signal });
  }

  #release(): Promise<void> {
    this.#progress.activity = 'settling';
    this.#released = true;
    return letGo(this.#delivery, this.#log, this.#core.name);
  }

  /** While the circuit is open, one line has said it. */
  #countFailure(failure: AttemptFailure, messageId: string): void {
    const { counters, method, circuit } = this.#core;
    counters.failed += 1;
    this.#core.noteFailure(failure.cause, messageId);
    const level = circuit && failure.unavailable ? 'debug' : 'error';
    this.#log[level](method.texts.failed(failure.endpoint), { ...this.#details(messageId), cause: failure.cause });
  }

  #record(failure: FailureFacts): DeliveryFailure {
    const { name: processor, storeName: sourceStore } = this.#core;
    const now = Date.now();
    return {
      processor,
      sourceStore,
      endpoint: failure.endpoint,
      cause: failure.cause,
      status: failure.status,
      attempts: this.#attempts,
      firstAttemptAt: this.#firstAttemptAt || now,
      lastAttemptAt: this.#lastAttemptAt || now,
    };
  }

  #details(messageId: string) {
    return { processor: this.#core.name, store: this.#core.storeName, messageId, attempts: this.#failures };
  }
}

/** How often it is looked whether things are well again, ms. */
const LOOK_MS = 1000;

/** Whether the message was really processed, to some end. */
function isConclusive(outcome: Outcome | undefined): boolean {
  return outcome?.kind !== 'not-ready' && outcome?.kind !== 'aborted' && outcome?.kind !== 'lost';
}

type FailureFacts = Pick<AttemptFailure, 'cause' | 'status' | 'endpoint'>;

function withFailure(stored: StoredMessage, failure: DeliveryFailure): StoredMessage {
  return { ...stored, history: [...stored.history, failure] };
}

/** What a store could not decode, as a message of raw bytes. */
function storedPoison(poison: PoisonMessage | undefined): StoredMessage {
  const headers = poison?.headers ?? [];
  const id = poison?.id ?? 'unknown';
  const contentType =
    headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? 'application/octet-stream';
  return {
    v: 1,
    id,
    originalId: id,
    correlationId: undefined,
    storedAt: Date.now(),
    service: undefined,
    body: { kind: 'binary', bytes: poison?.bytes ?? new Uint8Array(), contentType },
    addressing: {},
    direction: 'request',
    doingRest: true,
    headers,
    axis2: new Map(),
    properties: new Map(),
    variables: new Map(),
    priority: undefined,
    history: [],
  };
}
