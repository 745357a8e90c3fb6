import type { Endpoint } from '../endpoints/endpoint.ts';
import { logger } from '../logging/index.ts';
import type { MessageContext } from '../message/message-context.ts';
import { isFlagSet } from '../message/property-value.ts';
import { aboutMessage } from './about-message.ts';
import { asMediationError, clearErrorProperties, runFaultStack } from './fault.ts';
import { runFlow } from './flow.ts';

const log = logger('SendMediator');

/** Properties of an earlier send that must not leak into this one (spec mediators 3.1). */
const SEND_MARKERS = [
  'RECEIVING_SEQUENCE',
  'continuation.call',
  'DYNAMIC_URL_VALUE',
  'last_endpoint',
  'blockingMsgSender',
  'blocking.sender.error',
];

export function clearSendMarkers(message: MessageContext): void {
  for (const name of SEND_MARKERS) message.properties.delete(name);
}

/**
 * Starts a send and returns at once (spec proxies 4.4): the answer enters the response path of the flow's receiver, a failure runs
 * the fault stack of this message. The waiting client is told that its answer is on the way, except for a one-way send (OUT_ONLY),
 * which the server merely waits for when it stops.
 */
export function startSend(message: MessageContext, endpoint: Endpoint): void {
  const { exchange, configuration } = message;
  exchange?.take();
  clearErrorProperties(message);
  if (message.properties.get('OUT_ONLY') === 'true') {
    configuration.services.flows.track(sendOneWay(message, endpoint));
    return;
  }
  const work = sendAndReceive(message, endpoint);
  if (exchange) exchange.track(work);
  else configuration.services.flows.track(work);
}

async function sendOneWay(message: MessageContext, endpoint: Endpoint): Promise<void> {
  try {
    await endpoint.send(message, { outOnly: true });
  } catch (error) {
    await sendFailed(message, error);
  }
}

async function sendAndReceive(message: MessageContext, endpoint: Endpoint): Promise<void> {
  let response: MessageContext;
  const passesAnswer = message.responseReceiver?.passesAnswer?.(message) === true;
  try {
    response = await endpoint.send(message, { onFurtherAnswer: injectResponse, passesAnswer });
  } catch (error) {
    await sendFailed(message, error);
    return;
  }
  await injectResponse(response);
}

async function sendFailed(message: MessageContext, error: unknown): Promise<void> {
  const failure = asMediationError(error);
  if (!failure.skipsFaultHandlers) {
    message.properties.set('SENDING_FAULT', true);
    await runFaultStack(message, failure);
  }
  if (!awaitsAnswer(message)) return;
  const status = failure.status ?? (failure.skipsFaultHandlers ? 504 : undefined);
  message.exchange?.failed({
    code: failure.code,
    message: failure.message,
    ...(status !== undefined && { status }),
  });
}

/** A one-way send, and any send after FORCE_SC_ACCEPTED, is answered 202 whatever becomes of it (spec proxies 1.8). */
function awaitsAnswer({ properties, axis2 }: MessageContext): boolean {
  return properties.get('OUT_ONLY') !== 'true' && !isFlagSet(axis2.get('FORCE_SC_ACCEPTED'));
}

/** Brings a response into the flow's response path: receiving sequence, outSequence, or straight back (spec proxies 4.8). */
export async function injectResponse(response: MessageContext): Promise<void> {
  const receiver = response.responseReceiver;
  const { stream } = response.payload;
  if (receiver) await runFlow(response, () => receiver.injectResponse(response));
  else log.debug('A response without a receiver is dropped', aboutMessage(response));
  // Dropped, or too late: nobody will take it any more.
  if (stream?.taken === false) stream.cancel();
}
