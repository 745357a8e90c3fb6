import { mediator } from '../mediation/component.ts';

/** Sends the current message back to the client and ends the flow (spec proxies 4.6). */
export const respond = mediator({
  element: 'respond',
  doc: 'Sends the current message back to the client and ends the flow.',
  attributes: {},
  compile({ leavesBody }) {
    leavesBody();
    return (message) => {
      message.to = undefined;
      message.direction = 'response';
      message.exchange?.take();
      message.exchange?.respond(message);
      return false;
    };
  },
});
