import { expression } from '../../expressions/attribute-types.ts';
import type { Expression } from '../../expressions/expression.ts';
import { javaBoolean, nonEmptyText } from '../../grammar/attributes.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import { mediator } from '../../mediation/component.ts';
import { splitterOf } from '../../mediation/continuation.ts';
import { startSplitting } from '../../mediation/split.ts';
import { exactTrue } from '../boolean-attributes.ts';
import { isJsonExpression } from '../expression-kind.ts';
import { jsonParts, type Parts, xmlParts } from './iterate-parts.ts';
import { admitParts } from './part-limit.ts';
import { readTarget } from './target.ts';

const WRONG = 'Wrong configuration for the iterate mediator ::';
const MISSPELT = 'Wrong configuraton for the iterate mediator ::';

/** Splits the message and hands every part to its target (spec mediators 3.14). */
export const iterate = mediator({
  element: 'iterate',
  doc: 'Splits the message where `expression` says and hands every part to the target.',
  attributes: {
    expression: expression({
      required: true,
      missing: 'XPATH expression is required for an IterateMediator under the "expression" attribute',
      invalid: 'Unable to build the IterateMediator. Invalid XPATH',
      doc: 'What becomes the parts: elements, or the items of a JSON array.',
    }),
    id: nonEmptyText({ doc: 'Ties an aggregate with the same id to this mediator.' }),
    preservePayload: javaBoolean({ default: false, doc: 'Does a part keep what is around it?' }),
    attachPath: expression({
      invalid: 'Unable to build the IterateMediator. Invalid XPATH',
      doc: 'Where a part stands in what is around it.',
    }),
    continueParent: javaBoolean({ default: false, doc: 'Does the message itself go on, too?' }),
    sequential: exactTrue({ default: false, doc: 'Exactly `true`: one part after the other.' }),
  },
  children: ['target'],
  compile({ element, attributes, reader, rest, compileList }) {
    const { id, continueParent, sequential, preservePayload, attachPath } = attributes;
    const selected = attributes.expression;
    const written = element.child('target');
    const target = written && readTarget(written, reader, { compileList });
    const json = isJsonExpression(selected);
    const fits = checkAttachPath(element, reader, json, attributes);
    if (!written) {
      reader.error(element, `Target for an iterate mediator is required :: missing target`, { expected: '<target>' });
    }
    if (!target || !fits) return undefined;
    const caller = splitterOf(rest);
    return (message) => {
      if (!continueParent) message.exchange?.take();
      // Parts are made while the message goes on: what they are made of must be theirs.
      const original = message.copy(message.payload);
      if (continueParent) message.payload = original.payload.clone();
      const settings = { selected, attachPath, preservePayload };
      const parts: Parts = json ? jsonParts(original, settings) : xmlParts(original, settings);
      admitParts(message, parts.count, 'iterate');
      if (parts.count > 0) {
        const { count, payload } = parts;
        startSplitting(message, {
          id,
          count,
          sequential,
          caller,
          part: (index) => original.copy(payload(index)),
          deliver: (part) => target.mediate(part, caller),
        });
      }
      return continueParent;
    };
  },
});

function checkAttachPath(
  element: ConfigElement,
  reader: ArtifactReader,
  json: boolean,
  { attachPath, preservePayload }: { attachPath: Expression | undefined; preservePayload: boolean },
): boolean {
  if (!attachPath) return true;
  const problem = !preservePayload
    ? `${WRONG} if the iterator should not preserve payload, then attachPath can not be present`
    : json !== isJsonExpression(attachPath)
      ? `${MISSPELT} both expression and attachPath should be either jsonpath or xpath`
      : undefined;
  if (problem) reader.error(element, problem, { attribute: 'attachPath' });
  return problem === undefined;
}
