import type { Position } from '../grammar/diagnostic.ts';
import { type Logger, logger } from '../logging/index.ts';
import { aboutMessage } from '../mediation/about-message.ts';
import type { MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';
import type { ChildSelection, IsCandidate } from './algorithms.ts';
import type { Endpoint, EndpointStatus, SendOptions } from './endpoint.ts';
import {
  type ChildOutcome,
  ChildrenReadiness,
  concernsAllChildren,
  type GroupFrame,
  groupError,
  groupStatus,
  optionsInside,
  pushGroupErrorSequence,
  sendToChild,
  setGroupProperties,
} from './group.ts';
import { ResendPoint } from './resend-point.ts';
import { type SessionAffinity, sessionFailed } from './session-affinity.ts';
import { labelOf, nameOf } from './shown-name.ts';

/** What load-balance and failover groups are made of. */
export interface FailingOverDefinition extends GroupFrame {
  readonly kind: 'loadbalance' | 'failover';
  readonly children: readonly Endpoint[];
  readonly selection: ChildSelection;
  /** Go on with another child after a failure. */
  readonly failover: boolean;
  /** Read the payload before the first attempt: what is no message is refused before it is sent anywhere. */
  readonly buildMessage: boolean;
  /** Keeps the messages of one session together. */
  readonly affinity: SessionAffinity | undefined;
}

/** One message on its way through the children. */
interface Sending {
  readonly message: MessageContext;
  readonly options: SendOptions;
  /** Of the fault stack before the first child. */
  readonly height: number;
  readonly resend: ResendPoint | undefined;
  readonly sessions: readonly string[];
  readonly tried: Set<Endpoint>;
  /** The last answer with a status that counts as a failure. */
  failingAnswer: MessageContext | undefined;
}

const NOT_RETRIED = 'one of the child endpoints encounterd a non-retry error, not sending message to another endpoint';
const TITLES = { loadbalance: 'Loadbalance', failover: 'Failover' } as const;

/**
 * A group that sends a message to one of its children, and after a failure to another one (spec proxies 5.6):
 *
 *   choose: ready and not tried for this message yet ── none left ──► the last answer if there was one, else 303000
 *     │  ▲
 *     ▼  └────────────── failed, may be retried: the message is restored ──────────────┐
 *   sent ── answered ──► that is the answer of the group                               │
 *     └── failed ── not to be retried: 303000; failover switched off: its own error ───┘
 *
 * Every child is tried at most once per message (REQ-7). Groups have no state of their own: they are as ready as their children.
 */
export class FailingOverGroup implements Endpoint {
  readonly #definition: FailingOverDefinition;
  readonly #title: string;
  readonly #log: Logger;
  readonly #readiness = new ChildrenReadiness();

  constructor(definition: FailingOverDefinition) {
    this.#definition = definition;
    this.#title = TITLES[definition.kind];
    this.#log = logger(`${this.#title}Endpoint`);
  }

  get name(): string | undefined {
    return this.#definition.name;
  }

  get kind(): string {
    return this.#definition.kind;
  }

  get position(): Position {
    return this.#definition.position;
  }

  get members(): readonly Endpoint[] {
    return this.#definition.children;
  }

  /** The earliest time at which a child may be tried. */
  readyAt(message: MessageContext): number {
    return this.#readiness.earliest(this.#definition.children, message);
  }

  describe(): EndpointStatus {
    return groupStatus(this.#definition.children);
  }

  /** @throws MediationError 303000 when no child is left; 309003 when only the child of the session would do and it is not ready */
  async send(message: MessageContext, options: SendOptions = {}): Promise<MessageContext> {
    const { properties, buildMessage, children, failover, affinity } = this.#definition;
    const inside = optionsInside(this, this.#title, message, options);
    if (buildMessage) message.payload.envelope();
    setGroupProperties(message, properties);
    return this.#tryChildren({
      message,
      options: affinity?.readsAnswers ? { ...inside, passesAnswer: false } : inside,
      height: message.faultStack.length,
      resend: failover && children.length > 1 ? new ResendPoint(message) : undefined,
      sessions: affinity?.sessionsOf(message) ?? [],
      tried: new Set(),
      failingAnswer: undefined,
    });
  }

  async #tryChildren(sending: Sending): Promise<MessageContext> {
    let last: MediationError | undefined;
    for (;;) {
      const index = this.#choose(sending);
      const child = index === undefined ? undefined : this.#definition.children[index];
      if (index === undefined || !child) return this.#giveUp(sending, 'no ready child endpoints', last);
      const outcome = await this.#attempt(sending, child);
      if (outcome.kind === 'answered') {
        this.#definition.affinity?.answered(index, sending.sessions, outcome.answer);
        return outcome.answer;
      }
      last = outcome.error;
      if (outcome.kind === 'failing-answer') sending.failingAnswer = outcome.answer;
      else if (concernsAllChildren(last, sending.options)) throw last;
      this.#warn(child, last, sending.message);
      if (!this.#definition.failover) return sending.failingAnswer ?? raise(last);
      if (!mayRetry(child, last, sending.message)) return this.#giveUp(sending, NOT_RETRIED, last);
    }
  }

  #attempt({ message, options, height, resend, tried }: Sending, child: Endpoint): Promise<ChildOutcome> {
    if (tried.size > 0) {
      resend?.restore(message);
      message.faultStack.length = height;
    }
    tried.add(child);
    return sendToChild(child, message, options);
  }

  /** The index of a ready child that was not tried yet; that of the session if there is one. */
  #choose(sending: Sending): number | undefined {
    const { message, tried, sessions } = sending;
    const { children, selection, affinity, failover } = this.#definition;
    const now = Date.now();
    const isCandidate: IsCandidate = (index) => {
      const child = children[index];
      return child !== undefined && !tried.has(child) && child.readyAt(message) <= now;
    };
    const bound = affinity?.childOf(sessions);
    if (bound !== undefined && isCandidate(bound)) return bound;
    if (bound !== undefined && !failover) return this.#fail(sending, sessionFailed(nameOf(this, message)));
    const chosen = selection.next(isCandidate);
    if (chosen !== undefined) affinity?.chosen(chosen, sessions, message);
    return chosen;
  }

  /** No further child: an answer that the sender does not like says more than that there is none. */
  #giveUp(sending: Sending, reason: string, last: MediationError | undefined): MessageContext {
    const text = `${this.#title} endpoint : ${nameOf(this, sending.message)} - ${reason}`;
    this.#log.warn(text, aboutMessage(sending.message));
    if (!sending.failingAnswer) return this.#fail(sending, groupError(text, last));
    sending.message.faultStack.length = sending.height;
    return sending.failingAnswer;
  }

  #fail({ message, height }: Sending, error: MediationError): never {
    pushGroupErrorSequence(message, this.#definition, height);
    throw error;
  }

  #warn(child: Endpoint, { code, message: reason }: MediationError, message: MessageContext): void {
    const text = `${labelOf(this, message)} Detect a Failure in a child endpoint : ${labelOf(child, message)}`;
    this.#log.warn(text, { ...aboutMessage(message), errorCode: code, cause: reason });
  }
}

/** The child's `retryConfig` decides whether another one may be asked (spec proxies 5.6). */
function mayRetry(child: Endpoint, { code }: MediationError, message: MessageContext): boolean {
  return child.allowsRetry?.(code, message) ?? true;
}

function raise(error: MediationError): never {
  throw error;
}
