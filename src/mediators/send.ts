import { defaultEndpoint, readEndpointChild } from '../endpoints/index.ts';
import { dynamic } from '../expressions/attribute-types.ts';
import { text } from '../grammar/attributes.ts';
import { mediator } from '../mediation/component.ts';
import { clearSendMarkers, startSend } from '../mediation/send.ts';

/** Sends the message to an endpoint, or a response back to the client; ends the flow (spec proxies 4.4, mediators 3.1). */
export const send = mediator({
  element: 'send',
  doc: 'Sends the message to the endpoint inside; without one, a request to its To address and a response back to the client.',
  attributes: {
    receive: dynamic({ doc: 'The sequence that takes the response instead of the out-sequence.' }),
    buildmessage: text({ doc: 'Exactly `true` reads the whole payload first.' }),
  },
  children: ['endpoint'],
  compile({ element, attributes, reader, leavesBody }) {
    const { receive, buildmessage } = attributes;
    if (receive?.static !== undefined) reader.refer('sequence', receive.static, element, 'receive');
    const endpoint = readEndpointChild(element, reader);
    if (endpoint === 'invalid') return undefined;
    if (receive === undefined && buildmessage !== 'true') leavesBody();
    return (message) => {
      clearSendMarkers(message);
      if (buildmessage === 'true') message.payload.envelope();
      const receiving = receive && (receive.static ?? receive.evaluate(message));
      if (receiving) message.properties.set('RECEIVING_SEQUENCE', receiving);
      if (!endpoint && isResponse(message)) {
        message.exchange?.take();
        message.exchange?.respond(message);
      } else {
        startSend(message, endpoint ?? defaultEndpoint());
      }
      return false;
    };
  },
});

/** RESPONSE=true is the old idiom for sending back (spec proxies 3.4). */
function isResponse(message: { direction: string; properties: ReadonlyMap<string, unknown> }): boolean {
  return message.direction === 'response' || message.properties.get('RESPONSE') === 'true';
}
