import { logger } from '../logging/index.ts';
import { aboutMessage } from '../mediation/about-message.ts';
import { MediationError } from '../message/errors.ts';
import type { Exchange } from '../message/exchange.ts';
import type { MessageContext } from '../message/message-context.ts';
import { Payload } from '../message/payload.ts';
import { isFlagSet, TypedNumber } from '../message/property-value.ts';
import { convertEnvelope, isEnvelope, type SoapVersion } from '../message/soap.ts';
import { parseXml, serializeXml, type XmlElement } from '../xml/index.ts';
import { engineOf, setupFailed } from './endpoint-security.ts';
import type { ReadyPolicy, SecurityEngine } from './engine.ts';
import { NO_FACTS, type RequestFacts } from './opening.ts';
import { SecurityFailure, SecuritySetupError } from './security-failure.ts';
import { securityFault } from './security-fault.ts';

const log = logger('WSSecurity');

/** `<enableSec/>` with `<policy>` of a proxy: the keys of the policies for requests and for their answers (spec proxies 1.1). */
export interface ProxySecurity {
  readonly inbound: string | undefined;
  readonly outbound: string | undefined;
}

/**
 * Checks and decrypts a request in place before anybody sees it, and sees to it that its answer is secured.
 * @returns false when the message was refused: the client has its fault, and nothing may be mediated
 * @throws MediationError when the policy or keys are missing, and where there is no client to tell
 */
export async function acceptRequest(message: MessageContext, security: ProxySecurity): Promise<boolean> {
  const engine = await engineOf(message);
  const version = message.payload.soapVersion;
  try {
    const [inbound, outbound] = [security.inbound, security.outbound];
    const received = inbound === undefined ? undefined : await engine.prepare(message.configuration, inbound);
    const sent = outbound === undefined ? undefined : await engine.prepare(message.configuration, outbound);
    const facts = received ? open(engine, received, message) : NO_FACTS;
    if (sent) secureAnswers(engine, sent, message, facts, version);
    return true;
  } catch (error) {
    if (error instanceof SecurityFailure) return refuse(message, error, version);
    if (!(error instanceof SecuritySetupError)) throw error;
    log.error(`A message cannot be checked: ${error.message}`, aboutMessage(message));
    throw new MediationError('The security of this service is not set up completely', { cause: error });
  }
}

function open(engine: SecurityEngine, policy: ReadyPolicy, message: MessageContext): RequestFacts {
  const { payload, axis2 } = message;
  if (payload.format === 'related')
    throw new SecurityFailure('InvalidSecurity', 'the message has attachments, which are not checked');
  const secureTransport = axis2.get('TRANSPORT_IN_NAME') === 'https';
  const facts = engine.open(policy, payload.envelope(), { sender: 'initiator', secureTransport });
  payload.changed();
  return facts;
}

/** The client gets the fault of WS-Security, the log what was wrong. */
function refuse(message: MessageContext, failure: SecurityFailure, version: SoapVersion): false {
  log.warn(
    `A message for proxy service '${message.text('proxy.name') ?? ''}' is refused: ${failure.message}`,
    aboutMessage(message),
  );
  const { exchange } = message;
  if (!exchange) throw new MediationError(failure.reason, { detail: failure.code, status: 500, cause: failure });
  const response = message.responseContext(Payload.ofEnvelope(securityFault(failure, version)));
  response.axis2.set('HTTP_SC', new TypedNumber('INTEGER', 500));
  response.axis2.set('messageType', mediaTypeOf(version));
  exchange.respond(response);
  return false;
}

/** From here on the flow's client gets secured answers only; faults of the server itself (OP) go as they are. */
function secureAnswers(
  engine: SecurityEngine,
  policy: ReadyPolicy,
  message: MessageContext,
  facts: RequestFacts,
  version: SoapVersion,
): void {
  const { exchange } = message;
  if (!exchange) return;
  message.exchange = securingExchange(exchange, (response) => {
    if (isFlagSet(response.axis2.get('NO_ENTITY_BODY'))) return response;
    return securedResponse(engine, policy, response, facts, version);
  });
}

/** The same exchange, whose answers pass through `secure` first. */
function securingExchange(exchange: Exchange, secure: (response: MessageContext) => MessageContext): Exchange {
  return {
    get answered() {
      return exchange.answered;
    },
    take: () => exchange.take(),
    respond: (response) => exchange.respond(exchange.answered ? response : secure(response)),
    track: (work, kind) => exchange.track(work, kind),
    failed: (reason) => exchange.failed(reason),
    ...(exchange.acknowledge && { acknowledge: (message: MessageContext) => exchange.acknowledge?.(message) }),
    ...(exchange.onEnd && {
      onEnd: (listener: Parameters<NonNullable<Exchange['onEnd']>>[0]) => exchange.onEnd?.(listener),
    }),
  };
}

/** A copy: whoever goes on with the message after answering with it sees it as it was. */
function securedResponse(
  engine: SecurityEngine,
  policy: ReadyPolicy,
  response: MessageContext,
  facts: RequestFacts,
  version: SoapVersion,
): MessageContext {
  // Written and read once: after that the tree says exactly what the client's parser will see.
  const text = serializeXml(convertEnvelope(response.payload.envelope(), version));
  const envelope = parseXml(text).documentElement ?? undefined;
  if (!isEnvelope(envelope)) throw new MediationError('The answer is no SOAP envelope');
  try {
    engine.secure(policy, envelope, 'recipient', facts);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log.error(`An answer cannot be secured: ${reason}`, aboutMessage(response));
    throw setupFailed(error);
  }
  return withEnvelope(response, envelope, version);
}

function withEnvelope(response: MessageContext, envelope: XmlElement, version: SoapVersion): MessageContext {
  const secured = response.copy(Payload.ofEnvelope(envelope));
  secured.axis2.set('messageType', mediaTypeOf(version));
  secured.axis2.delete('ContentType');
  secured.axis2.delete('CHARACTER_SET_ENCODING');
  secured.doingRest = false;
  return secured;
}

function mediaTypeOf(version: SoapVersion): string {
  return version === '1.2' ? 'application/soap+xml' : 'text/xml';
}
