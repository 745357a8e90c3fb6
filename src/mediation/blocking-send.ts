import type { Endpoint } from '../endpoints/endpoint.ts';
import { ERROR_CODES, MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';
import { integerOf } from '../message/property-value.ts';
import { clearErrorProperties } from './fault.ts';
import { clearSendMarkers } from './send.ts';

/**
 * Sends a message as the reference's blocking sender does (spec stores 4.7, mediators 3.11, 3.24). Answers other than 2xx, 400 and
 * 500 are failures, SOAP faults only with FORCE_ERROR_ON_SOAP_FAULT. Nothing is blocked here but the flow of this message; the
 * endpoint's timeout is the deadline.
 * @throws MediationError after setting `blocking.sender.error`; the answer's status is in HTTP_SC then, if one came
 */
export async function sendBlocking(message: MessageContext, endpoint: Endpoint): Promise<MessageContext> {
  clearSendMarkers(message);
  clearErrorProperties(message);
  const outOnly = message.properties.get('OUT_ONLY') === 'true';
  let answer: MessageContext;
  try {
    answer = await endpoint.send(message, { blocking: true, outOnly, failsWith: isTransportError });
    const failure = failureOf(message, answer);
    if (failure) throw failure;
  } catch (error) {
    message.properties.set('blocking.sender.error', 'true');
    throw error;
  }
  message.properties.set('blocking.sender.error', 'false');
  return answer;
}

function isTransportError(status: number): boolean {
  return !(status >= 200 && status < 300) && status !== 400 && status !== 500;
}

function failureOf(message: MessageContext, answer: MessageContext): MediationError | undefined {
  const code = ERROR_CODES.blockingSenderFailed;
  const status = integerOf(answer.axis2.get('HTTP_SC'));
  if (status !== undefined && isTransportError(status)) {
    setStatus(message, status);
    const reason = answer.axis2.get('HTTP_SC_DESC') ?? '';
    return new MediationError(`Transport error: ${status} Error: ${reason}`, { code });
  }
  if (message.text('FORCE_ERROR_ON_SOAP_FAULT') !== 'true' || !answer.payload.hasFault()) return undefined;
  if (status !== undefined) setStatus(message, status);
  message.payload = answer.payload;
  return new MediationError('The back end answered with a SOAP fault', { code });
}

function setStatus({ axis2, properties }: MessageContext, status: number): void {
  axis2.set('HTTP_SC', String(status));
  properties.set('HTTP_SC', String(status));
}
