import type { Endpoint } from '../endpoints/endpoint.ts';
import { logger } from '../logging/index.ts';
import { MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';
import { handleFault } from './fault.ts';
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
  try {
    response = await endpoint.send(message);
  } catch (error) {
    await sendFailed(message, error);
    return;
  }
  await injectResponse(response);
}

async function sendFailed(message: MessageContext, error: unknown): Promise<void> {
  if (error instanceof MediationError && error.skipsFaultHandlers) {
    message.exchange?.failed({ code: error.code, message: error.message, status: error.status ?? 504 });
    return;
  }
  message.properties.set('SENDING_FAULT', true);
  await handleFault(message, error);
}

/** Brings a response into the flow's response path: receiving sequence, outSequence, or straight back (spec proxies 4.8). */
export async function injectResponse(response: MessageContext): Promise<void> {
  const receiver = response.responseReceiver;
  if (!receiver) {
    log.debug('A response without a receiver is dropped', { messageId: response.messageId });
    return;
  }
  await runFlow(response, async () => {
    await receiver.injectResponse(response);
  });
}
