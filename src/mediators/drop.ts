import { logger } from '../logging/index.ts';
import { aboutMessage } from '../mediation/about-message.ts';
import { mediator } from '../mediation/component.ts';
import '../message/flow-observer.ts';
import type { MessageContext } from '../message/message-context.ts';

const log = logger('DropMediator');

/** Ends this message's flow without sending anything (spec proxies 4.6). */
export const drop = mediator({
  element: 'drop',
  doc: 'Ends the flow of this message. Nothing is sent.',
  attributes: {},
  compile({ leavesBody }) {
    leavesBody();
    return (message) => {
      message.to = undefined;
      // A message that failed, and that nobody will see any more; elsewhere `drop` only ends a flow.
      if (message.properties.has('ERROR_CODE')) discarded(message);
      return false;
    };
  },
});

/** Counted, with a line of its own (OP-04): its fault sequence need not have written any. */
function discarded(message: MessageContext): void {
  message.configuration.services.observer?.dropped('drop');
  log.info(`Message dropped after an error: ${message.text('ERROR_MESSAGE') ?? ''}`, aboutMessage(message));
}
