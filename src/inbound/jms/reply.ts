import { type ClientStyle, formatResponse } from '../../message/formatter.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { queueHeaders } from '../../stores/stomp/queue-name.ts';
import type { Reply } from '../flow-end.ts';
import type { JmsBrokerLink } from './broker-link.ts';
import { jmsFrame } from './outgoing.ts';

/**
 * How the answer to a message goes back: to its JMSReplyTo, else to the queue that the artifact names, with the correlation id of the
 * request, or its message id. Undefined when nobody waits for one.
 */
export function jmsReply(
  request: MessageContext,
  options: { readonly link: JmsBrokerLink; readonly replyDestination: string | undefined },
): Reply | undefined {
  const { link, replyDestination } = options;
  const destination = request.headers.get('JMS_REPLY_TO') ?? replyDestination;
  if (destination === undefined) return undefined;
  const correlationId = request.headers.get('JMS_COORELATION_ID') ?? request.headers.get('JMS_MESSAGE_ID');
  const style = styleOf(request);
  return async (response) => {
    const { headers, body } = jmsFrame(response, formatResponse(response, style));
    const correlated = correlationId === undefined ? headers : { ...headers, 'correlation-id': correlationId };
    await link.send((server) => destinationHeaders(destination, server), correlated, body);
  };
}

/** A destination as frames name it (`/queue/x`, temporary ones), or the plain name of a queue. */
export function destinationHeaders(destination: string, server: string): Readonly<Record<string, string>> {
  return destination.startsWith('/') ? { destination } : { ...queueHeaders(destination, server) };
}

function styleOf({ doingRest, payload }: MessageContext): ClientStyle {
  if (doingRest) return 'rest';
  return payload.soapVersion === '1.2' ? 'soap12' : 'soap11';
}
