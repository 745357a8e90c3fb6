import { logger } from '../logging/index.ts';
import { readAddressing } from '../message/addressing-headers.ts';
import '../message/flow-observer.ts';
import type { MessageContext, ResponseReceiver } from '../message/message-context.ts';
import { aboutMessage } from './about-message.ts';
import { runFlow } from './flow.ts';
import { passesPreMediate } from './pre-mediate.ts';
import { clearSendMarkers } from './send.ts';
import { type Sequence, sequenceFaultHandler } from './sequence.ts';

const log = logger('MainSequence');

/**
 * Takes a request that is for no proxy and no API through the sequence `main` (spec proxies 4.3). It goes where its WS-Addressing
 * headers say, unless the sequence knows better (samples 0 and 2). Never rejects.
 */
export function runMain(message: MessageContext): Promise<void> {
  readAddressing(message);
  return enterSequence(message, message.configuration.find('sequence', 'main'));
}

/** How faults of a flow are handled that belongs to no proxy and no API. */
export interface SequenceFlow {
  /** The sequence that handles them; false: none. */
  readonly onError: string | false;
  /** Called with the request and with every response, before their fault handlers are pushed. */
  begin?(message: MessageContext): void;
}

const MAIN_FLOW: SequenceFlow = { onError: 'fault' };

/** Takes a message that belongs to no proxy and no API (of a task, of an inbound endpoint) through a sequence. Never rejects. */
export async function enterSequence(
  message: MessageContext,
  sequence: Sequence | undefined,
  flow: SequenceFlow = MAIN_FLOW,
): Promise<void> {
  message.responseReceiver = flow === MAIN_FLOW ? mainReceiver : responsesToMain(flow);
  flow.begin?.(message);
  const ended = observe(message, sequence);
  await runFlow(message, async () => {
    if (!(await passesPreMediate(message))) return;
    pushFaultHandler(message, flow);
    await sequence?.mediate(message);
  });
  ended?.();
}

/** A message of an inbound endpoint counts for that, any other one for the sequence. */
function observe(message: MessageContext, sequence: Sequence | undefined) {
  const { observer } = message.configuration.services;
  if (!observer) return undefined;
  const inbound = message.text('inbound.endpoint.name');
  return inbound === undefined
    ? observer.enters(message, 'sequence', sequence?.name ?? 'main')
    : observer.enters(message, 'inboundEndpoint', inbound);
}

/** Responses enter `main` again, in response direction, unless a receiving sequence takes them (spec proxies 4.8). */
const responsesToMain = (flow: SequenceFlow): ResponseReceiver => ({
  async injectResponse(response) {
    flow.begin?.(response);
    if (!(await passesPreMediate(response))) return;
    pushFaultHandler(response, flow);
    const receiving = response.text('RECEIVING_SEQUENCE');
    clearSendMarkers(response);
    const sequence = response.configuration.find('sequence', receiving ?? 'main');
    try {
      if (sequence) await sequence.mediate(response);
      else
        log.warn(
          `Cannot find a Sequence with name: ${receiving} for injecting the response message`,
          aboutMessage(response),
        );
    } catch (error) {
      response.axis2.set('HTTP_SC', '500');
      throw error;
    }
  },
});

const mainReceiver = responsesToMain(MAIN_FLOW);

function pushFaultHandler(message: MessageContext, { onError }: SequenceFlow): void {
  if (onError === false) return;
  const fault = message.configuration.find('sequence', onError);
  if (fault) message.faultStack.push(sequenceFaultHandler(fault, `sequence '${onError}'`));
  else log.warn(`onError sequence : ${onError} cannot be found`, aboutMessage(message));
}
