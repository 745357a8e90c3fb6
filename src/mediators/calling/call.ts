import type { Endpoint } from '../../endpoints/endpoint.ts';
import { defaultEndpoint, readEndpointChild } from '../../endpoints/index.ts';
import { javaBoolean, text } from '../../grammar/attributes.ts';
import { logger } from '../../logging/index.ts';
import { aboutMessage } from '../../mediation/about-message.ts';
import { sendBlocking } from '../../mediation/blocking-send.ts';
import { type MediatorCompilation, mediator } from '../../mediation/component.ts';
import { asMediationError, causeChain, clearErrorProperties } from '../../mediation/fault.ts';
import { passesPreMediate } from '../../mediation/pre-mediate.ts';
import { clearSendMarkers, startSend } from '../../mediation/send.ts';
import { takeAnswer, takeBlockingAnswer } from '../../mediation/take-answer.ts';
import { ERROR_CODES, MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { isFlagSet } from '../../message/property-value.ts';
import {
  applySource,
  type CallSource,
  type CallTarget,
  keepMessage,
  readCallSource,
  readCallTarget,
  restoreMessage,
  storeInTarget,
} from './call-source-target.ts';

const log = logger('CallMediator');

const ATTRIBUTES = {
  blocking: javaBoolean({
    doc: '`true`: keeps the request’s axis2 scope, and takes statuses like 404 for failures.',
    default: false,
  }),
  initAxis2ClientOptions: javaBoolean({ doc: 'Accepted and without effect.' }),
  axis2xml: text({ doc: 'Accepted and without effect.' }),
  repository: text({ doc: 'Accepted and without effect.' }),
} as const;

interface Call {
  readonly endpoint: Endpoint;
  readonly blocking: boolean;
  readonly source: CallSource | undefined;
  readonly target: CallTarget | undefined;
}

/**
 * Sends the message and goes on with the answer (spec mediators 3.11, proxies 4.5). Both ways of calling wait without holding up
 * anything but this message, at most as long as the endpoint's timeout; they differ in what they keep and in what they take for a
 * failure.
 */
export const call = mediator({
  element: 'call',
  doc: 'Sends the message to an endpoint and goes on with the answer.',
  attributes: ATTRIBUTES,
  children: ['endpoint', 'source', 'target'],
  compile(compilation) {
    const definition = readCall(compilation);
    if (!definition) return undefined;
    return (message) => {
      if (message.properties.get('OUT_ONLY') !== 'true') return callAndTake(message, definition);
      if (definition.blocking) return sendOneWay(message, definition);
      const copy = message.copy();
      if (definition.source) applySource(copy, definition.source);
      startSend(copy, definition.endpoint);
      return true;
    };
  },
});

function readCall({ element, attributes, reader }: MediatorCompilation<typeof ATTRIBUTES>): Call | undefined {
  const endpoint = readEndpointChild(element, reader);
  const source = readCallSource(element, reader);
  const target = readCallTarget(element, reader);
  const { blocking } = attributes;
  for (const name of ['axis2xml', 'repository'] as const) {
    if (blocking && attributes[name] !== undefined)
      reader.warning(element, `attribute '${name}' of <call> has no effect here: there is no Axis2`, {
        attribute: name,
      });
  }
  if (endpoint === 'invalid' || source === 'invalid' || target === 'invalid') return undefined;
  return { endpoint: endpoint ?? defaultEndpoint(), blocking, source, target };
}

/**
 * One call with source and target:
 *
 *     keep ──▶ source becomes the payload ──▶ send ──answer──▶ answer becomes the payload ──▶ target takes it, kept comes back
 *                                              └──failure──▶ kept comes back, fault
 */
async function callAndTake(message: MessageContext, definition: Call): Promise<boolean> {
  const { source, target, blocking } = definition;
  const kept = source || target ? keepMessage(message) : undefined;
  if (source) applySource(message, source);
  try {
    if (blocking) takeBlockingAnswer(message, await answerBlocking(message, definition));
    else takeAnswer(message, await answerTo(message, definition));
    if (target) storeInTarget(message, target);
    if (!blocking && !(await passesPreMediate(message))) return false;
  } catch (error) {
    if (kept) restoreMessage(message, kept);
    throw error;
  }
  if (kept && target) restoreMessage(message, kept);
  return true;
}

/**
 * Sends a message and waits for its answer, as a call that is not blocking.
 * @throws MediationError
 */
export async function answerTo(message: MessageContext, { endpoint }: Pick<Call, 'endpoint'>): Promise<MessageContext> {
  const { exchange, axis2 } = message;
  clearSendMarkers(message);
  clearErrorProperties(message);
  exchange?.take();
  // The reference leaves the in-flow here, and answers a client that was promised a 202.
  if (isFlagSet(axis2.get('FORCE_SC_ACCEPTED')) || isFlagSet(axis2.get('NIO-ACK-Requested')))
    exchange?.acknowledge?.(message);
  try {
    return await endpoint.send(message);
  } catch (error) {
    const failure = asMediationError(error);
    axis2.delete('NO_KEEPALIVE');
    message.properties.set('SENDING_FAULT', true);
    if (failure.code !== undefined) throw failure;
    const { message: reason, detail, status } = failure;
    throw new MediationError(reason || 'Error while performing the call operation', {
      code: ERROR_CODES.callFailed,
      ...(detail !== undefined && { detail }),
      ...(status !== undefined && { status }),
      cause: error,
    });
  }
}

async function answerBlocking(message: MessageContext, { endpoint }: Call): Promise<MessageContext> {
  try {
    return await sendBlocking(message, endpoint);
  } catch (error) {
    log.error('Error while performing the call operation in blocking mode', {
      ...aboutMessage(message),
      cause: causeChain(error),
    });
    throw error;
  }
}

/** The payload stays, as after any one-way send; a failure is one of this flow. */
async function sendOneWay(message: MessageContext, definition: Call): Promise<boolean> {
  const kept = keepMessage(message);
  if (definition.source) applySource(message, definition.source);
  try {
    await answerBlocking(message, definition);
  } finally {
    restoreMessage(message, kept);
  }
  return true;
}
