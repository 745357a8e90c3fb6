import { mediator } from '../mediation/component.ts';

/** Ends this message's flow without sending anything (spec proxies 4.6). */
export const drop = mediator({
  element: 'drop',
  doc: 'Ends the flow of this message. Nothing is sent.',
  attributes: {},
  compile: () => (message) => {
    message.to = undefined;
    return false;
  },
});
