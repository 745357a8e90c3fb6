import { integer, nonEmptyText } from '../../grammar/attributes.ts';
import { logger } from '../../logging/index.ts';
import { aboutMessage } from '../../mediation/about-message.ts';
import { mediator } from '../../mediation/component.ts';
import { FLOW_END } from '../../mediation/continuation.ts';
import { whenThere } from '../../mediation/eventually.ts';
import { runFlow } from '../../mediation/flow.ts';
import { MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { readTarget, type Target } from './target.ts';

const log = logger('SamplingThrottleMediator');
/** Requests that wait; one more is a fault instead of memory without end. */
const MAX_WAITING = 10_000;
const NUMBER = 'Sampling rate has to be an integer value, but found';

/** Lets requests go on at a steady pace; those that come faster wait (spec mediators 3.41). */
export const sampler = mediator({
  element: 'sampler',
  doc: 'Hands requests to its target at a limited rate; the others wait.',
  attributes: {
    id: nonEmptyText({ doc: 'A name for this mediator.' }),
    rate: integer({ minimum: 1, default: 1, invalid: NUMBER, doc: 'How many requests go on in a unit of time.' }),
    unitTime: integer({ minimum: 1, default: 1000, invalid: NUMBER, doc: 'The unit of time, ms.' }),
  },
  children: ['target', 'messageQueue'],
  compile({ element, attributes, reader, compileList }) {
    const written = element.child('target');
    const target = written && readTarget(written, reader, { compileList });
    if (!written) {
      reader.error(element, 'Sampler requires a target for the sampling mediation', { expected: '<target>' });
    }
    if (element.child('messageQueue')) {
      reader.warning(element, '<messageQueue> is ignored: requests wait in memory', { expected: 'no <messageQueue>' });
    }
    if (!target) return undefined;
    const queue = new SamplingQueue(target, attributes.rate, attributes.unitTime);
    return (message) => {
      if (message.direction === 'response') {
        log.warn('Sampling is not for responses: the message is dropped', aboutMessage(message));
        return false;
      }
      message.exchange?.take();
      queue.add(message);
      return false;
    };
  },
});

interface Sample {
  readonly message: MessageContext;
  readonly done: () => void;
}

/**
 * Requests that wait for their turn. The timer runs while some do, and no longer:
 *
 *     IDLE ──add──▶ RELEASING: up to rate at once, then every unitTime ──nothing released in a whole unit──▶ IDLE
 */
class SamplingQueue {
  readonly #target: Target;
  readonly #rate: number;
  readonly #unitMs: number;
  readonly #waiting: Sample[] = [];
  #released = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(target: Target, rate: number, unitMs: number) {
    this.#target = target;
    this.#rate = rate;
    this.#unitMs = unitMs;
  }

  /** @throws MediationError when too many wait */
  add(message: MessageContext): void {
    if (this.#waiting.length >= MAX_WAITING) {
      throw new MediationError(`The sampler has ${MAX_WAITING} requests waiting and takes no more`, { status: 503 });
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    if (message.exchange) message.exchange.track(promise);
    else message.configuration.services.flows.track(promise);
    this.#waiting.push({ message, done: resolve });
    // Not before the flow above has left the message to us.
    setImmediate(() => this.#release());
  }

  #release(): void {
    this.#timer ??= setInterval(() => this.#nextUnit(), this.#unitMs);
    for (let next: Sample | undefined; this.#released < this.#rate; ) {
      next = this.#waiting.shift();
      if (!next) return;
      this.#released += 1;
      const { message, done } = next;
      void whenThere(
        runFlow(message, () => this.#target.mediate(message, FLOW_END)),
        done,
      );
    }
  }

  #nextUnit(): void {
    const idle = this.#released === 0 && this.#waiting.length === 0;
    this.#released = 0;
    if (!idle) {
      this.#release();
      return;
    }
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
