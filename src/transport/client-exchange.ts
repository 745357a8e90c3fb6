import { logger } from '../logging/index.ts';
import type { LogDetails } from '../logging/logger.ts';
import { aboutMessage } from '../mediation/about-message.ts';
import type { Exchange, ExchangeEnd, FlowFailure } from '../message/exchange.ts';
import { responsePasses } from '../message/formatter.ts';
import type { MessageContext } from '../message/message-context.ts';
import { isFlagSet } from '../message/property-value.ts';
import { type Fault, failedToProcess, faultAnswer } from './fault-response.ts';
import type { HttpAnswer } from './http-answer.ts';
import {
  acknowledgement,
  composeResponse,
  type ResponseTarget,
  requestedAcknowledgement,
  statusProperty,
} from './http-response.ts';
import type { IncomingRequest } from './incoming-request.ts';

const log = logger('PassThroughHttpListener');
/** For clients of a store that is busy (OP-100), s. */
const RETRY_AFTER_S = 1;

/** What became of the exchanges of a listener; monotonic counters for metrics (REQ-24). */
export interface ExchangeCounts {
  /** Answers composed from a message or given by the listener itself. */
  responses: number;
  /** 202 (or NIO-ACK-Requested) because the flow ended without an answer. */
  acknowledgements: number;
  /** 5xx because the flow ended in its fault path, or broke. */
  failures: number;
  /** 504 because the deadline passed. */
  expired: number;
  /** Answers dropped because the client already had one (REQ-24). */
  lateAnswers: number;
  /** Clients that went away before their answer. */
  clientsGone: number;
}

export function newExchangeCounts(): ExchangeCounts {
  return { responses: 0, acknowledgements: 0, failures: 0, expired: 0, lateAnswers: 0, clientsGone: 0 };
}

/** What an exchange needs from its listener. */
export interface ExchangeOptions {
  readonly request: IncomingRequest;
  /** How long the client waits at most, ms; then it gets 504 (REQ-3). */
  readonly deadlineMs: number;
  /** Hands the one answer to the connection. Not called when the client is gone. */
  readonly deliver: (answer: HttpAnswer) => void;
  readonly counts: ExchangeCounts;
  /**
   * Whether a flow that took over the answer (`take`) and ended without giving one is acknowledged at once (REQ-1). False is the
   * reference's behaviour: the client waits until the deadline.
   */
  readonly acknowledgeTaken?: boolean | undefined;
  /** Lower-case names of connection headers to send on (`http.headers.preserve`). */
  readonly preservedHeaders?: ReadonlySet<string> | undefined;
}

/**
 * The waiting client of one HTTP request: exactly one answer, whatever happens in which order (spec proxies 1.8, REQ-1 to REQ-3,
 * REQ-24, OP-03).
 *
 * ```
 *             respond(m) ─────────────── the message as HTTP response ──────────┐
 *             answerWith(a) ──────────── the listener's own answer ─────────────┤
 *             broke(error) ───────────── 500 fault ─────────────────────────────┤
 *             acknowledge(m) ─────────── 202, or as NIO-ACK-Requested ──────────┤
 *  WAITING ── inFlowEnded, settled ───── 202, 5xx, or as NIO-ACK-Requested ─────┼──► ANSWERED   (further answers: WARN, counted)
 *             deadline ───────────────── 504 ───────────────────────────────────┘
 *             clientGone() ──────────────────────────────────────────────────────► GONE       (answers: dropped silently)
 * ```
 *
 * While WAITING three facts are kept: the in-flow has ended (with which message), how many tracked branches are outstanding, and the
 * first failure. `settle` runs when the in-flow has ended and again when a branch ends after that:
 *
 * | in-flow ended | outstanding | FORCE_SC_ACCEPTED | failed | taken | answer                                |
 * |---------------|-------------|-------------------|--------|-------|---------------------------------------|
 * | no            | any         | any               | any    | any   | none yet                              |
 * | yes           | > 0         | no                | any    | any   | none yet                              |
 * | yes           | > 0         | yes               | no     | any   | 202 now                               |
 * | yes           | any         | yes               | yes    | any   | 5xx now (OP-03: a failed store)       |
 * | yes           | 0           | no                | yes    | any   | 5xx (REQ-2)                           |
 * | yes           | 0           | any               | no     | any   | 202 (REQ-1; not for taken if disabled)|
 *
 * NIO-ACK-Requested replaces the 202 or 5xx by the status that the flow set itself.
 */
export class ClientExchange implements Exchange {
  readonly request: IncomingRequest;
  readonly #options: ExchangeOptions;
  #state: 'waiting' | 'answered' | 'gone' = 'waiting';
  #taken = false;
  #outstanding = 0;
  #inFlowEnded = false;
  /** The 202 was given while the in-flow went on. */
  #acknowledged = false;
  /** The flow has answered. */
  #responded = false;
  /** What the flow runs with, for log lines; let go with the answer. */
  #carried: MessageContext | undefined;
  /** The request's message once its in-flow has ended; let go with the answer. */
  #message: MessageContext | undefined;
  #failure: FlowFailure | undefined;
  /** Undefined until somebody asks. */
  #endListeners: Array<(end?: ExchangeEnd) => void> | undefined;
  readonly #deadline: NodeJS.Timeout;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.request = options.request;
    this.#deadline = setTimeout(() => this.#expire(), options.deadlineMs);
  }

  get answered(): boolean {
    return this.#state === 'answered';
  }

  /** The client closed its connection before it had an answer. */
  get gone(): boolean {
    return this.#state === 'gone';
  }

  take(): void {
    this.#taken = true;
  }

  /** The request has become this message: from now on log lines tell of it (OP-70). */
  carries(message: MessageContext): void {
    if (this.#state === 'waiting') this.#carried = message;
  }

  /**
   * @throws MediationError when the message cannot be written as a response; the client is still waiting then, and the fault path
   *   of the flow decides
   */
  respond(message: MessageContext): void {
    if (!this.#accepts(message)) return;
    const answer = composeResponse(message, this.#target());
    this.#responded = true;
    this.#options.counts.responses += 1;
    this.#answer(answer);
  }

  passes(answer: MessageContext): boolean {
    const { method, client, httpVersion } = this.request;
    // HTTP/1.0 knows no chunks: without a length the client could not tell an answer that was broken off from a complete one.
    if (httpVersion === '1.0' && answer.payload.stream?.length === undefined) return false;
    return method !== 'HEAD' && responsePasses(answer, client);
  }

  /** Answers without a message: service lists, WSDLs, dispatch faults. */
  answerWith(answer: HttpAnswer): void {
    if (!this.#accepts(undefined)) return;
    this.#responded = true;
    this.#options.counts.responses += 1;
    this.#answer(answer);
  }

  track(work: Promise<void>): void {
    this.#outstanding += 1;
    work.then(
      () => this.#branchEnded(),
      (error: unknown) => {
        log.error(
          `A part of the flow for ${this.request.path} ended unexpectedly: ${reasonOf(error)}`,
          this.#details(),
        );
        this.failed({ code: undefined, message: reasonOf(error) });
        this.#branchEnded();
      },
    );
  }

  onEnd(listener: (end?: ExchangeEnd) => void): void {
    if (this.#state !== 'waiting') listener();
    else if (this.#endListeners) this.#endListeners.push(listener);
    else this.#endListeners = [listener];
  }

  failed(reason: FlowFailure): void {
    // The first failure is the cause; later ones are mostly its consequences.
    this.#failure ??= reason;
  }

  acknowledge(message: MessageContext): void {
    if (this.#state !== 'waiting' || this.#failure) return;
    this.#acknowledged = true;
    this.#options.counts.acknowledgements += 1;
    const requested = isFlagSet(message.axis2.get('NIO-ACK-Requested'));
    this.#answer(requested ? requestedAcknowledgement(message, this.#target()) : acknowledgement(message));
  }

  /** The in-flow has returned; what it started with `track` may still be going on. Called once, by the dispatcher. */
  inFlowEnded(message: MessageContext): void {
    this.#inFlowEnded = true;
    const forced = isFlagSet(message.axis2.get('FORCE_SC_ACCEPTED'));
    if (this.#state === 'answered' && forced && !this.#acknowledged) this.#forcedTooLate(message);
    if (this.#state !== 'waiting') return;
    this.#message = message;
    if (forced && this.#outstanding > 0) setImmediate(() => this.#force(message));
    else this.#settle();
  }

  /** What the flow has started had the rest of the turn to answer: that counts before a 202 that is only forced. */
  #force(message: MessageContext): void {
    if (this.#responded) this.#forcedTooLate(message);
    else this.#settle();
  }

  #forcedTooLate(message: MessageContext): void {
    this.#options.counts.lateAnswers += 1;
    log.warn('Trying to send a 202 Accepted response to an already responded client request', this.#details(message));
  }

  /** The dispatcher itself broke: a fault instead of silence (spec proxies 1.8, REQ-17). */
  broke(error: unknown): void {
    log.error(
      `Error processing ${this.request.method} request for : ${this.request.target}: ${reasonOf(error)}`,
      this.#details(),
    );
    if (this.#state !== 'waiting') return;
    this.#options.counts.failures += 1;
    this.#answer(this.#fault({ status: 500, reason: reasonOf(error) }));
  }

  /** The listener has refused the request while its body still came: an answer of the flow has no reader. */
  refused(): void {
    if (this.#state === 'waiting') this.#leaveWaiting('gone');
  }

  /** The connection closed. The flow goes on; its answer will have no reader. */
  clientGone(): void {
    if (this.#state !== 'waiting') return;
    this.#options.counts.clientsGone += 1;
    log.debug(
      `The client ${this.request.remoteAddress} closed its connection before it had an answer`,
      this.#details(),
    );
    this.#leaveWaiting('gone');
  }

  #branchEnded(): void {
    this.#outstanding -= 1;
    if (this.#state === 'waiting' && this.#inFlowEnded) this.#settle();
  }

  #settle(): void {
    const message = this.#message;
    if (!message) return;
    const forced = isFlagSet(message.axis2.get('FORCE_SC_ACCEPTED'));
    if (this.#outstanding > 0 && !forced) return;
    if (isFlagSet(message.axis2.get('NIO-ACK-Requested'))) {
      this.#options.counts.acknowledgements += 1;
      this.#answer(requestedAcknowledgement(message, this.#target()));
    } else if (this.#failure) {
      this.#options.counts.failures += 1;
      this.#answer(this.#fault(faultOf(this.#failure, message)));
    } else if (forced || !this.#taken || this.#options.acknowledgeTaken !== false) {
      this.#options.counts.acknowledgements += 1;
      this.#answer(acknowledgement(message));
    }
  }

  #expire(): void {
    const { request } = this;
    this.#options.counts.expired += 1;
    log.warn(
      'STATE_DESCRIPTION = Socket Timeout occurred after accepting the request headers and the request body, ' +
        'INTERNAL_STATE = REQUEST_DONE, DIRECTION = REQUEST, ' +
        'CAUSE_OF_ERROR = The flow did not answer within the time allowed, ' +
        `HTTP_URL = ${request.path}, HTTP_METHOD = ${request.method}, SOCKET_TIMEOUT = ${this.#options.deadlineMs}, ` +
        `CLIENT_ADDRESS = ${request.remoteAddress}, CORRELATION_ID = ${request.correlationId}`,
      this.#details(),
    );
    const reason = this.#failure?.message ?? `No response within ${this.#options.deadlineMs} ms`;
    this.#answer(this.#fault({ status: 504, reason }));
  }

  /** True while an answer is wanted; otherwise says what happens to the one that is too late. */
  #accepts(message: MessageContext | undefined): boolean {
    if (this.#state === 'answered') {
      this.#options.counts.lateAnswers += 1;
      log.warn(
        `Trying to send a response to an already responded client request${entryPoint(message)}`,
        this.#details(message),
      );
    }
    return this.#state === 'waiting';
  }

  #answer(answer: HttpAnswer): void {
    this.#leaveWaiting('answered', answer.status);
    this.#options.deliver(answer);
  }

  #leaveWaiting(state: 'answered' | 'gone', status?: number): void {
    this.#state = state;
    this.#message = undefined;
    this.#carried = undefined;
    clearTimeout(this.#deadline);
    const listeners = this.#endListeners;
    this.#endListeners = undefined;
    if (!listeners) return;
    const end = { status, failure: this.#failure };
    for (const listener of listeners) listener(end);
  }

  #fault(fault: Fault): HttpAnswer {
    try {
      return faultAnswer(this.request, fault);
    } catch (error) {
      log.error(`A fault could not be written: ${reasonOf(error)}`, this.#details());
      return failedToProcess(fault.reason);
    }
  }

  #target(): ResponseTarget {
    const { request } = this;
    const { preservedHeaders } = this.#options;
    const { client, method } = request;
    return { client, method, servicePrefix: servicePrefix(request), preservedHeaders };
  }

  #details(message: MessageContext | undefined = this.#carried): LogDetails {
    return {
      ...(message && aboutMessage(message)),
      correlationId: this.request.correlationId,
      path: this.request.path,
    };
  }
}

/** SERVICE_PREFIX (spec proxies 1.4). */
export function servicePrefix({ scheme, authority }: IncomingRequest): string {
  return `${scheme}://${authority}/services/`;
}

/** A fault sequence that set an error status and then dropped meant that status; otherwise the failure's own. */
function faultOf(failure: FlowFailure, message: MessageContext): Fault {
  const wanted = statusProperty(message);
  const status = wanted !== undefined && wanted >= 400 && wanted <= 599 ? wanted : (failure.status ?? 500);
  return {
    status,
    reason: failure.message,
    ...(failure.code !== undefined && { code: failure.code }),
    ...(status === 503 && failure.status === 503 && { retryAfterS: RETRY_AFTER_S }),
  };
}

/** ` - Proxy Name : <n>` and its siblings (spec proxies 1.3 step 10). */
function entryPoint(message: MessageContext | undefined): string {
  if (!message) return '';
  const proxy = message.text('proxy.name');
  if (proxy !== undefined) return ` - Proxy Name : ${proxy}`;
  const api = message.text('REST_API_CONTEXT');
  if (api !== undefined) return ` - Rest API Context : ${api}`;
  const inbound = message.text('inbound.endpoint.name');
  return inbound === undefined ? '' : ` - Inbound endpoint : ${inbound}`;
}

function reasonOf(error: unknown): string {
  return error instanceof Error && error.message !== '' ? error.message : 'Runtime error';
}
