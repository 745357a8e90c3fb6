import type { Endpoint } from '../endpoints/endpoint.ts';
import type { Position } from '../grammar/diagnostic.ts';
import { logger } from '../logging/index.ts';
import { aboutMessage } from '../mediation/about-message.ts';
import {
  asMediationError,
  causeChain,
  clearErrorProperties,
  handleFault,
  setErrorProperties,
} from '../mediation/fault.ts';
import { ERROR_CODES, MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';
import { integerOf, TypedNumber } from '../message/property-value.ts';
import { placeOf } from './about-stored.ts';
import { removeAddressingHeaders } from './addressing-headers.ts';
import { DeliveryFlow } from './delivery-flow.ts';
import type { DeliveryAttempt, DeliveryMethod, DeliveryTexts } from './delivery-method.ts';
import { type AttemptFailure, judgeStatus, type Outcome, type StatusPolicy, transportErrorText } from './outcome.ts';
import { retryAfterMs } from './retry-after.ts';
import { isOutOfReach, saysNotNow } from './unavailable.ts';

const SERVICE = 'ForwardingService';
const log = logger(SERVICE);
const ATTEMPT_HEADER = 'X-Delivery-Attempt';
/** Default scope, for sequences: the number of the attempt (REQ-17). */
const ATTEMPT_PROPERTY = 'x.delivery.attempt';
/** What an earlier flow or attempt left behind and this one decides anew (REQ-22, spec stores 4.7 step 4). */
const STALE_PROPERTIES = [
  'blocking.sender.error',
  'HTTP_SC',
  'RECEIVING_SEQUENCE',
  'DYNAMIC_URL_VALUE',
  'last_endpoint',
];
/** The codes with which an endpoint says that it did not even try. */
const NOT_READY_CODES: readonly (number | undefined)[] = [ERROR_CODES.leafNotReady, ERROR_CODES.wsdlNotReady];

export interface ForwardingOptions {
  readonly processor: string;
  /** Where the processor stands, for log lines; undefined: an operator sends. */
  readonly position?: Position;
  /** The attribute `targetEndpoint`, else the parameter `target.endpoint`; undefined: each message names its own. */
  readonly endpoint: string | undefined;
  readonly replySequence: string | undefined;
  readonly statuses: StatusPolicy;
  /** The header that carries the stable message id (OP-05). */
  readonly idHeader: string;
}

/**
 * Delivers by sending to an endpoint and judging the answer (spec stores 4.6 to 4.8). Every attempt starts from the message as it
 * was stored (REQ-17).
 */
export class ForwardingMethod implements DeliveryMethod {
  readonly service = SERVICE;
  readonly acknowledge = 'after';
  readonly texts: DeliveryTexts;
  readonly #options: ForwardingOptions;

  constructor(options: ForwardingOptions) {
    this.#options = options;
    this.texts = forwardingTexts(options.processor);
  }

  /** Endpoints are looked up per message, so no configuration is hopeless. */
  obstacle(): undefined {
    return undefined;
  }

  async deliver(attempt: DeliveryAttempt): Promise<Outcome> {
    const { stored, configuration } = attempt;
    const flow = new DeliveryFlow();
    let message: MessageContext;
    try {
      message = flow.restore(stored, configuration);
    } catch (error) {
      return { kind: 'poison', reason: causeChain(error) };
    }
    for (const name of STALE_PROPERTIES) message.properties.delete(name);
    message.axis2.delete('HTTP_SC');
    clearErrorProperties(message);
    const found = this.#endpoint(message);
    if ('outcome' in found) return found.outcome;
    const readyAt = found.endpoint.readyAt(message);
    if (readyAt > Date.now()) return notReady(found.name, readyAt);
    return this.#send({ flow, message, ...found, ...modeOf(message) }, attempt);
  }

  #endpoint(message: MessageContext): { endpoint: Endpoint; name: string } | { outcome: Outcome } {
    const name = this.#options.endpoint ?? textProperty(message, 'target.endpoint');
    if (name === undefined) {
      const text =
        'Neither targetEndpoint defined in the MessageProcessor configuration nor Property target.endpoint is found in the message context, hence deactivating the MessageProcessor';
      log.error(text, this.#about(message));
      return { outcome: { kind: 'misconfigured', reason: 'the message names no target.endpoint', message } };
    }
    const endpoint = message.configuration.find('endpoint', name);
    if (endpoint) return { endpoint, name };
    log.error('Endpoint does not exists. Deactivating the message processor', this.#about(message, name));
    return { outcome: { kind: 'misconfigured', reason: `there is no endpoint named '${name}'`, message } };
  }

  async #send(forward: Forward, { stored, number, signal }: DeliveryAttempt): Promise<Outcome> {
    const { message, endpoint } = forward;
    message.headers.set(this.#options.idHeader, stored.id);
    message.headers.set(ATTEMPT_HEADER, String(number));
    message.properties.set(ATTEMPT_PROPERTY, new TypedNumber('INTEGER', number));
    if (message.text('PRESERVE_WS_ADDRESSING') !== 'true') removeAddressingHeaders(message.payload);
    const requestHeaders = message.headers.clone();
    const outOnly = forward.outOnly && !forward.faultsFail;
    let answer: MessageContext;
    try {
      answer = await endpoint.send(message, {
        blocking: true,
        outOnly,
        signal,
        failsWith: (status) => judgeStatus(status, this.#options.statuses) === 'transport-error',
      });
    } catch (error) {
      if (signal.aborted) return { kind: 'aborted' };
      return this.#unanswered(forward, error);
    }
    const asked = retryAfterMs(answer.headers.get('Retry-After'), Date.now());
    if (message.text('BLOCKING_SENDER_PRESERVE_REQ_HEADERS') !== 'false')
      keepRequestHeaders(answer, requestHeaders, this.#options.idHeader);
    return this.#judge(forward, answer, asked);
  }

  /** No answer came (rows 0 and 4), or the endpoint did not even try (REQ-29). */
  async #unanswered(forward: Forward, error: unknown): Promise<Outcome> {
    const { message, endpoint, name } = forward;
    const failure = asMediationError(error);
    const readyAt = endpoint.readyAt(message);
    if (NOT_READY_CODES.includes(failure.code) && readyAt > Date.now()) return notReady(name, readyAt);
    if (message.faultStack.length > 0) await handleFault(message, failure);
    else setErrorProperties(message, failure);
    return this.#brokenTransport(forward, message, failure, { unavailable: isOutOfReach(failure) });
  }

  async #judge(forward: Forward, answer: MessageContext, askedMs: number | undefined): Promise<Outcome> {
    const status = integerOf(answer.axis2.get('HTTP_SC'));
    const facts = { status, unavailable: saysNotNow(status, askedMs), retryAfterMs: askedMs };
    if (forward.faultsFail && answer.payload.hasFault()) {
      const failure = new MediationError('The back end answered with a SOAP fault', {
        code: ERROR_CODES.blockingSenderFailed,
      });
      return this.#brokenTransport(forward, answer, failure, facts);
    }
    const verdict = judgeStatus(status, this.#options.statuses);
    if (verdict !== 'transport-error' && verdict !== 'unknown') answer.properties.set('blocking.sender.error', 'false');
    switch (verdict) {
      case 'delivered':
        return forward.outOnly ? { kind: 'delivered', status } : this.#reply(forward, answer, status);
      case 'transport-error':
        return this.#brokenTransport(forward, answer, transportError(answer, status), facts);
      case 'dead':
        return this.#rejected(forward, answer, { status, dead: true });
      case 'rejected':
        return this.#rejected(forward, answer, facts);
      case 'unknown':
        return this.#rejected(forward, answer, { status });
    }
  }

  /** For log lines about a message (OP-70). */
  #about(message: MessageContext, endpoint?: string, status?: number) {
    const attempt = message.properties.get(ATTEMPT_PROPERTY);
    return {
      ...placeOf(this.#options.position),
      ...aboutMessage(message),
      processor: this.#options.processor,
      ...(attempt !== undefined && { attempt: Number(String(attempt)) }),
      ...(endpoint !== undefined && { endpoint }),
      ...(status !== undefined && { status }),
    };
  }

  /** Rows 3 and 6. */
  #rejected(forward: Forward, answer: MessageContext, facts: AnswerFacts): Outcome {
    const { processor } = this.#options;
    const { status } = facts;
    log.info(
      `Message processor [${processor}] received a response with HTTP_SC: ${status ?? ' '} from backend ${forward.name}. Message forwarding failed.`,
      this.#about(answer, forward.name, status),
    );
    const cause = status === undefined ? 'the answer has no HTTP status' : `HTTP status ${status}`;
    return { kind: 'failed', failure: { ...facts, message: answer, cause, status, endpoint: forward.name } };
  }

  /** Rows 0 and 4: what the reference's client takes for a broken transport, with the message that the sequences see. */
  #brokenTransport(forward: Forward, message: MessageContext, failure: MediationError, facts: AnswerFacts): Outcome {
    const { processor } = this.#options;
    const { status } = facts;
    message.properties.set('blocking.sender.error', 'true');
    if (status !== undefined) {
      setErrorProperties(message, failure);
      message.properties.set('HTTP_SC', String(status));
    }
    const cause = causeChain(failure);
    const about = { ...this.#about(forward.message, forward.name, status), cause };
    if (forward.outOnly)
      log.error(`[ ${processor} ] Error while forwarding message to endpoint ${forward.name}.`, about);
    else log.error(`Blocking Sender Error ${failure.message}`, about);
    return { kind: 'failed', failure: { ...facts, message, cause, status, endpoint: forward.name } };
  }

  /** Row 5. */
  async #reply(forward: Forward, answer: MessageContext, status: number | undefined): Promise<Outcome> {
    const { replySequence, processor } = this.#options;
    const sequence = replySequence === undefined ? undefined : answer.configuration.find('sequence', replySequence);
    if (!sequence) return this.#missingReplySequence(forward, answer, status);
    try {
      await forward.flow.run(sequence, answer);
      return { kind: 'delivered', status };
    } catch (error) {
      const failure = asMediationError(error);
      setErrorProperties(answer, failure);
      const cause = `the reply sequence [${replySequence}] failed: ${causeChain(failure)}`;
      const about = { ...this.#about(answer, forward.name, status), cause };
      log.error(`[ ${processor} ] Error while forwarding message to endpoint ${forward.name}.`, about);
      return { kind: 'failed', failure: { message: answer, cause, status, endpoint: forward.name } };
    }
  }

  #missingReplySequence(forward: Forward, answer: MessageContext, status: number | undefined): Outcome {
    const name = this.#options.replySequence;
    const sequence = name === undefined ? 'does not Exist' : `[${name}] does not exist`;
    const cause =
      name === undefined
        ? 'an answer came, but there is no message.processor.reply.sequence'
        : `the reply sequence [${name}] does not exist`;
    log.error(`Failed to send the out message. Reply sequence ${sequence}. Deactivated the message processor.`, {
      ...this.#about(forward.message, forward.name, status),
      cause,
    });
    return { kind: 'misconfigured', reason: cause, message: answer };
  }
}

/** What an answer, or its absence, says beside its text. */
type AnswerFacts = Partial<Pick<AttemptFailure, 'status' | 'dead' | 'unavailable' | 'retryAfterMs'>>;

/** One message on its way to one endpoint. */
interface Forward {
  readonly flow: DeliveryFlow;
  readonly message: MessageContext;
  readonly endpoint: Endpoint;
  readonly name: string;
  readonly outOnly: boolean;
  /** A SOAP fault is a failure, whatever its status. */
  readonly faultsFail: boolean;
}

function modeOf(message: MessageContext): Pick<Forward, 'outOnly' | 'faultsFail'> {
  return {
    outOnly: message.text('OUT_ONLY') === 'true',
    faultsFail: message.text('FORCE_ERROR_ON_SOAP_FAULT') === 'true',
  };
}

function forwardingTexts(processor: string): DeliveryTexts {
  const failed = (attempts: number) => `Message processor [${processor}] failed to forward message ${attempts} times`;
  return {
    failed: (endpoint) =>
      `BlockingMessageSender of message processor [${processor}] failed to forward message to endpoint ${endpoint ?? 'null'}`,
    dropped: (attempts) => `${failed(attempts)}. Drop message and continue.`,
    moved: (attempts) => `${failed(attempts)}. Moved failed message to fail-messages-store and continue`,
    notMoved: (attempts) =>
      `${failed(attempts)} but failed to store message in fail-messages-store and continue. Hence deactivating message processor.`,
  };
}

function notReady(endpoint: string, readyAt: number): Outcome {
  return { kind: 'not-ready', readyAt, reason: `the endpoint [${endpoint}] is suspended` };
}

function transportError(answer: MessageContext, status: number | undefined): MediationError {
  const reason = answer.axis2.get('HTTP_SC_DESC');
  const text = transportErrorText(status ?? 0, typeof reason === 'string' && reason !== '' ? reason : undefined);
  return new MediationError(text, { code: ERROR_CODES.blockingSenderFailed });
}

/** The answer is shown with the headers of its request, except for those that describe its body (spec stores 4.1). */
function keepRequestHeaders(answer: MessageContext, request: MessageContext['headers'], idHeader: string): void {
  const contentType = answer.headers.get('Content-Type');
  const headers = request.clone();
  for (const name of ['Content-Type', 'Content-Encoding', 'Content-Length', ATTEMPT_HEADER, idHeader])
    headers.delete(name);
  if (contentType !== undefined) headers.set('Content-Type', contentType);
  answer.headers = headers;
}

/** Only texts count (spec stores 4.6). */
function textProperty(message: MessageContext, name: string): string | undefined {
  const value = message.properties.get(name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}
