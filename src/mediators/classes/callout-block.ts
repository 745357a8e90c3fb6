import { defaultEndpoint } from '../../endpoints/index.ts';
import { compileExpression } from '../../expressions/compile-expression.ts';
import { stringOfProperty } from '../../expressions/string-value.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { JsonValue } from '../../message/property-value.ts';
import { callOut, type Place } from '../calling/callout.ts';
import type { BuiltInClass } from './built-in-class.ts';

/** The first child of the Body: what the library calls a service with, and what it puts the answer in the place of. */
const FIRST_CHILD = compileExpression('s11:Body/child::*[position()=1] | s12:Body/child::*[position()=1]', {
  s11: 'http://schemas.xmlsoap.org/soap/envelope/',
  s12: 'http://www.w3.org/2003/05/soap-envelope',
});

/**
 * What the template `callout_block` of the EIP library runs: a callout (spec mediators 3.24) whose address, action, source and target
 * are the parameters of the template.
 */
export const calloutBlock: BuiltInClass = {
  className: 'org.apache.synapse.libraries.eip.CalloutBlockMediator',
  properties: [],
  open: () => async (message) =>
    callOut(message, {
      endpoint: defaultEndpoint(),
      serviceUrl: textParameter(message, 'service_URL'),
      action: textParameter(message, 'action'),
      source: placeParameter(message, 'source'),
      target: placeParameter(message, 'target'),
    }),
};

function textParameter(message: MessageContext, name: string): string | undefined {
  return stringOfProperty(message.functionParameter(name))?.trim() || undefined;
}

/** A key goes before an expression, which has a default. */
function placeParameter(message: MessageContext, which: 'source' | 'target'): Place {
  const key = textParameter(message, `${which}_key`);
  if (key !== undefined) return { key };
  const name = `${which}_xpath`;
  return {
    source: `$func:${name}`,
    first(current) {
      const value = current.functionParameter(name);
      if (value === null || value === '') return FIRST_CHILD.nodes(current)[0];
      const [first] = Array.isArray(value) ? value : [value];
      return typeof first === 'object' && !(first instanceof JsonValue) ? first : undefined;
    },
  };
}
