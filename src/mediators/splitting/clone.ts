import { dynamic } from '../../expressions/attribute-types.ts';
import type { DynamicValue } from '../../expressions/value.ts';
import { nonEmptyText } from '../../grammar/attributes.ts';
import { mediator } from '../../mediation/component.ts';
import { splitterOf } from '../../mediation/continuation.ts';
import { startSplitting } from '../../mediation/split.ts';
import { MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { isFlagSet, TypedNumber } from '../../message/property-value.ts';
import { exactTrue, explicitBoolean } from '../boolean-attributes.ts';
import { readTarget } from './target.ts';

/** One message is never wanted more often; a larger number is a mistake in the message. */
const MAX_ITERATIONS = 100_000;

/** Hands a copy of the message to each of its targets (spec mediators 3.23). */
export const clone = mediator({
  element: 'clone',
  doc: 'Hands a copy of the message to each of its targets.',
  attributes: {
    id: nonEmptyText({ doc: 'Ties an aggregate with the same id to this mediator.' }),
    continueParent: explicitBoolean({ default: false, doc: 'Does the message itself go on, too?' }),
    sequential: exactTrue({ default: false, doc: 'Exactly `true`: one target after the other.' }),
    iterations: dynamic({ doc: 'How often the only target gets a copy; may be `{expression}`.' }),
  },
  children: ['target'],
  compile({ element, attributes, reader, rest, compileList }) {
    const { id, continueParent, sequential, iterations } = attributes;
    const written = element.childrenNamed('target');
    const targets = written.map((target, index) => readTarget(target, reader, { compileList }, `target${index + 1}`));
    if (iterations && written.length !== 1) {
      reader.error(element, 'When iterations attribute is defined only one target is allowed.', {
        attribute: 'iterations',
      });
      return undefined;
    }
    const complete = targets.filter((target) => target !== undefined);
    if (complete.length < targets.length) return undefined;
    const caller = splitterOf(rest);
    return (message) => {
      const count = iterations ? iterationsOf(iterations, message) : complete.length;
      if (!continueParent) message.exchange?.take();
      if (count === 0) return continueParent;
      const original = message.copy(continueParent ? message.payload.clone() : message.payload);
      startSplitting(message, {
        id,
        count,
        sequential,
        caller,
        part(index) {
          const part = original.copy();
          if (iterations) part.properties.set('CLONED_ITERATION_INDEX', new TypedNumber('INTEGER', index + 1));
          return part;
        },
        deliver: (part, index) => complete[iterations ? 0 : index]?.mediate(part, caller) ?? true,
        stopsAfterFailure: () => isFlagSet(original.properties.get('STOP_TARGET_EXECUTION_ON_FAILURE')),
      });
      return continueParent;
    };
  },
});

function iterationsOf(iterations: DynamicValue, message: MessageContext): number {
  const text = (iterations.evaluate(message) ?? '').trim();
  const count = /^\+?\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (count <= MAX_ITERATIONS) return count;
  throw new MediationError('Error while parsing iterations number in clone mediator', {
    detail: `iterations is '${text.slice(0, 100)}'; expected an integer from 0 to ${MAX_ITERATIONS}`,
  });
}
