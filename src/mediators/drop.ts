import { mediator } from '../mediation/component.ts';
import '../message/flow-observer.ts';

/** Ends this message's flow without sending anything (spec proxies 4.6). */
export const drop = mediator({
  element: 'drop',
  doc: 'Ends the flow of this message. Nothing is sent.',
  attributes: {},
  compile: () => (message) => {
    message.to = undefined;
    // A message that failed, and that nobody will see any more; elsewhere `drop` only ends a flow.
    if (message.properties.has('ERROR_CODE')) message.configuration.services.observer?.dropped('drop');
    return false;
  },
});
