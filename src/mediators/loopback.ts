import { mediator } from '../mediation/component.ts';
import { clearSendMarkers, injectResponse } from '../mediation/send.ts';

/** Turns a request around into the response path of its proxy (spec proxies 4.6, mediators 3.29). */
export const loopback = mediator({
  element: 'loopback',
  doc: 'Moves a message from the request path to the response path (the out-sequence), and ends this flow.',
  attributes: {},
  compile: () => (message) => {
    if (message.direction === 'response') return false;
    clearSendMarkers(message);
    message.direction = 'response';
    message.to = undefined;
    message.exchange?.take();
    const work = injectResponse(message);
    if (message.exchange) message.exchange.track(work);
    else message.configuration.services.flows.track(work);
    return false;
  },
});
