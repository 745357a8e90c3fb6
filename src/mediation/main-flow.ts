import { logger } from '../logging/index.ts';
import type { MessageContext, ResponseReceiver } from '../message/message-context.ts';
import { runFlow } from './flow.ts';
import { passesPreMediate } from './pre-mediate.ts';
import { clearSendMarkers } from './send.ts';
import { type Sequence, sequenceFaultHandler } from './sequence.ts';

const log = logger('MainSequence');

/** Takes a request that is for no proxy and no API through the sequence `main` (spec proxies 4.3). Never rejects. */
export function runMain(message: MessageContext): Promise<void> {
  return enterSequence(message, message.configuration.find('sequence', 'main'));
}

/** Takes a message that belongs to no proxy and no API (of a task, of an inbound endpoint) through a sequence. Never rejects. */
export async function enterSequence(message: MessageContext, sequence: Sequence | undefined): Promise<void> {
  message.responseReceiver = mainReceiver;
  await runFlow(message, async () => {
    if (!(await passesPreMediate(message))) return;
    pushFaultHandler(message);
    await sequence?.mediate(message);
  });
}

/** Responses enter `main` again, in response direction, unless a receiving sequence takes them (spec proxies 4.8). */
const mainReceiver: ResponseReceiver = {
  async injectResponse(response) {
    if (!(await passesPreMediate(response))) return;
    pushFaultHandler(response);
    const receiving = response.text('RECEIVING_SEQUENCE');
    clearSendMarkers(response);
    const sequence = response.configuration.find('sequence', receiving ?? 'main');
    try {
      if (sequence) await sequence.mediate(response);
      else log.warn(`Cannot find a Sequence with name: ${receiving} for injecting the response message`);
    } catch (error) {
      response.axis2.set('HTTP_SC', '500');
      throw error;
    }
  },
};

function pushFaultHandler(message: MessageContext): void {
  const fault = message.configuration.find('sequence', 'fault');
  if (fault) message.faultStack.push(sequenceFaultHandler(fault, "sequence 'fault'"));
}
