import { expression } from '../expressions/attribute-types.ts';
import type { Expression } from '../expressions/expression.ts';
import { ValueError, valueType } from '../grammar/attributes.ts';
import type { Configuration } from '../message/configuration.ts';
import { restoreMessage } from './capture.ts';
import type { StoredMessage } from './stored-message.ts';

const SIXTY_FOUR_BITS = { least: -(2n ** 63n), most: 2n ** 63n - 1n } as const;
/** What is shown of something that is no number. */
const SHOWN = 100;

const anyExpression = expression({ required: true, doc: '' });

/** A parameter that finds the sequence number of a message; it must be written as an expression, not as text. */
export function sequenceNumberPath(parameter: string, doc: string) {
  return valueType<Expression, { required: true; missing: string; doc: string }>(
    anyExpression.expected,
    (value, context) => {
      if (context.element.attribute('expression') !== undefined) return anyExpression.parse(value, context);
      throw new ValueError(`'${value}' is text`, `an expression: <parameter name="${parameter}" expression="//id"/>`);
    },
    { required: true, missing: `parameter '${parameter}' is required, as an expression`, doc },
  );
}

/** A number is found in the message alone, whatever is deployed. */
const NO_CONFIGURATION: Configuration = {
  version: 0,
  services: {} as Configuration['services'],
  find: () => undefined,
  names: () => [],
};

/**
 * The sequence number of a message, a 64 bit integer (spec stores 2.6, 5.3).
 * @throws an error when it has none
 */
export function sequenceNumber(message: StoredMessage, path: Expression): bigint {
  const found = path.stringValue(restoreMessage(message, NO_CONFIGURATION))?.trim() ?? '';
  const number = /^[+-]?\d{1,19}$/.test(found) ? BigInt(found.replace('+', '')) : undefined;
  if (number !== undefined && number >= SIXTY_FOUR_BITS.least && number <= SIXTY_FOUR_BITS.most) return number;
  throw new Error(`'${path.source}' gives '${found.slice(0, SHOWN)}', which is no 64 bit integer`);
}
