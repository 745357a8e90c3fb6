import { dynamic } from '../expressions/attribute-types.ts';
import { text } from '../grammar/attributes.ts';
import { mediator } from '../mediation/component.ts';
import { MediationError } from '../message/errors.ts';

const DEFAULT_MESSAGE = 'Error occurred in the mediation flow';

/** Ends the flow with a fault of its own making (spec mediators 3.37). */
export const throwError = mediator({
  element: 'throwError',
  doc: 'Ends the flow with a fault, which the fault sequence handles.',
  attributes: {
    type: text({ doc: 'What ERROR_CODE will be.', default: 'ANY' }),
    errorMessage: dynamic({ doc: 'What ERROR_MESSAGE will be; may be `{expression}`.' }),
  },
  compile({ attributes: { type, errorMessage } }) {
    return (message) => {
      throw new MediationError(errorMessage?.evaluate(message) || DEFAULT_MESSAGE, { codeText: type });
    };
  },
});
