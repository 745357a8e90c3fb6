import type { DynamicValue } from '../expressions/value.ts';
import { logger } from '../logging/index.ts';
import { decodeContent } from '../message/content-encoding.ts';
import { MediationError } from '../message/errors.ts';
import { parseMediaType, withCharset } from '../message/media-type.ts';
import type { MessageContext } from '../message/message-context.ts';
import { faultReason, isEnvelope } from '../message/soap.ts';
import { parseXml, serializeXml, type XmlElement } from '../xml/index.ts';
import type { ReadyPolicy, SecurityEngine } from './engine.ts';
import type { RequestFacts } from './opening.ts';
import { SecurityFailure, SecuritySetupError } from './security-failure.ts';
import './services.ts';
import { aboutMessage } from '../mediation/about-message.ts';

const log = logger('WSSecurity');
const MAX_DECODED_BYTES = 64 * 1024 * 1024;
const MAX_REASON = 300;

/** `<enableSec>` of an endpoint: the keys of the policies for what it sends and for the answers (spec proxies 5.1). */
export interface EndpointSecurity {
  readonly outbound: DynamicValue | undefined;
  readonly inbound: DynamicValue | undefined;
}

/** The part of a request that is secured. */
export interface SecurableRequest {
  readonly url: string;
  readonly headers: Array<[string, string]>;
  readonly body: Uint8Array | undefined;
}

/** A secured request, and what becomes of its answer. */
export interface SecuredExchange<R> {
  readonly request: R;
  /**
   * Checks and decrypts the answer in place.
   * @throws MediationError when it is not as the policy demands
   */
  open(response: MessageContext): void;
}

/**
 * Secures a request, as it goes over the wire: what is signed is what is sent.
 * @throws MediationError when the policy or the keys are missing, or the message is not SOAP: nothing is ever sent with less than its
 *   policy demands
 */
export async function secureExchange<R extends SecurableRequest>(
  message: MessageContext,
  { outbound, inbound }: EndpointSecurity,
  request: R,
): Promise<SecuredExchange<R>> {
  const engine = await engineOf(message);
  try {
    const sent = await ready(engine, message, outbound);
    const received = await ready(engine, message, inbound);
    const secureTransport = /^https:/i.test(request.url);
    if ((sent ?? received)?.policy.binding?.kind === 'transport' && !secureTransport)
      throw new SecuritySetupError('the policy wants HTTPS, and the address is another one');
    const secured = sent ? secureBytes(engine, sent, request) : { request, facts: undefined };
    return {
      request: secured.request,
      open: (response) => received && openResponse(engine, received, response, secured.facts, secureTransport),
    };
  } catch (error) {
    throw setupFailed(error);
  }
}

/** @throws MediationError where messages cannot be secured at all */
export async function engineOf({ configuration }: MessageContext): Promise<SecurityEngine> {
  const { security } = configuration.services;
  if (security) return security.engine();
  throw new MediationError('Messages cannot be secured here: there are no security services');
}

async function ready(
  engine: SecurityEngine,
  message: MessageContext,
  key: DynamicValue | undefined,
): Promise<ReadyPolicy | undefined> {
  if (!key) return undefined;
  const name = key.static ?? key.evaluate(message)?.trim();
  if (!name) throw new SecuritySetupError('the expression for the key of the security policy gave nothing');
  return engine.prepare(message.configuration, name);
}

function secureBytes<R extends SecurableRequest>(
  engine: SecurityEngine,
  policy: ReadyPolicy,
  request: R,
): { request: R; facts: RequestFacts } {
  const { body, headers } = request;
  const contentType = headerOf(headers, 'content-type');
  const envelope = body && envelopeIn(body, contentType, headerOf(headers, 'content-encoding'));
  if (!envelope) {
    throw new SecuritySetupError(
      'only SOAP messages can be secured: say format="soap11" or format="soap12" at the endpoint',
    );
  }
  const facts = engine.secure(policy, envelope, 'initiator');
  const text = serializeXml(envelope, { declaration: 'UTF-8' });
  const others = headers.filter(([name]) => !/^content-(?:type|encoding)$/i.test(name));
  const type: [string, string] = ['Content-Type', withCharset(contentType ?? 'text/xml', 'UTF-8')];
  return { request: { ...request, headers: [...others, type], body: Buffer.from(text, 'utf8') }, facts };
}

function headerOf(headers: ReadonlyArray<readonly [string, string]>, name: string): string | undefined {
  return headers.find(([candidate]) => candidate.toLowerCase() === name)?.[1];
}

/** Undefined for anything but a SOAP envelope; attachments would stay unsecured, too. */
function envelopeIn(
  bytes: Uint8Array,
  contentType: string | undefined,
  encoding: string | undefined,
): XmlElement | undefined {
  const { type, parameters } = parseMediaType(contentType);
  if (!/^(?:text|application)\/(?:.*\+)?xml$/.test(type)) return undefined;
  const charset = parameters.get('charset');
  const plain = decodeContent(bytes, encoding, MAX_DECODED_BYTES);
  const root = parseXml(plain, charset === undefined ? {} : { charset }).documentElement ?? undefined;
  return isEnvelope(root) ? root : undefined;
}

function openResponse(
  engine: SecurityEngine,
  policy: ReadyPolicy,
  response: MessageContext,
  request: RequestFacts | undefined,
  secureTransport: boolean,
): void {
  const { payload } = response;
  const accepted = Number(response.axis2.get('HTTP_SC')) === 202;
  if (payload.isEmpty && (accepted || response.properties.get('OUT_ONLY') === 'true')) return;
  try {
    if (payload.format === 'related')
      throw new SecurityFailure('InvalidSecurity', 'the answer has attachments, which are not checked');
    engine.open(policy, payload.envelope(), { sender: 'recipient', secureTransport, ...(request && { request }) });
    payload.changed();
  } catch (error) {
    throw openingFailed(error, response);
  }
}

/** Back ends refuse messages with faults that are not secured: what they say helps, but is not mediated. */
function openingFailed(error: unknown, response: MessageContext): unknown {
  if (!(error instanceof SecurityFailure)) return setupFailed(error);
  const fault = response.payload.hasFault() ? response.payload.firstBodyChild() : undefined;
  const said = fault ? `, and is a fault: ${faultReason(fault).slice(0, MAX_REASON)}` : '';
  response.payload.clear();
  log.warn(`The answer of a back end is refused: ${error.message}${said}`, {
    ...aboutMessage(response),
    messageId: response.relatesTo ?? response.messageId,
  });
  return new MediationError(`The answer is not secured as its policy demands: ${error.reason}${said}`, {
    detail: error.code,
    cause: error,
  });
}

/** What this side lacks is told in full: its own operators read it. */
export function setupFailed(error: unknown): unknown {
  if (!(error instanceof SecuritySetupError || error instanceof SecurityFailure)) return error;
  return new MediationError(`The message cannot be secured: ${error.message}`, { cause: error });
}
