import { ValueError } from '../grammar/attributes.ts';
import type { MessageContext } from '../message/message-context.ts';
import { compileExpression } from './compile-expression.ts';
import type { Expression, Prefixes } from './expression.ts';

/** The value of a dynamic attribute: static text or `{expression}` (spec mediators 2.4). */
export interface DynamicValue {
  /** As written. */
  readonly source: string;
  /** The text when it is the same for every message. */
  readonly static: string | undefined;
  /** The expression inside the braces. */
  readonly expression: Expression | undefined;
  /** Written as `{{expr}}`: {@link static} is `{expr}`, to be evaluated later by whoever takes it (templates). */
  readonly deferred: boolean;
  readonly needsBody: boolean;
  /**
   * The text for one message; null when it reads a property that does not exist.
   * @throws MediationError when the evaluation fails
   */
  evaluate(message: MessageContext): string | null;
}

/**
 * Reads a dynamic attribute. Only text whose first character is `{` and whose last is `}` is an expression; everything else, also with
 * a blank in front of the brace, is static and not trimmed.
 * @throws ValueError for a bad expression, in the reference's words first
 */
export function parseDynamicValue(text: string, prefixes: Prefixes): DynamicValue {
  if (!text.startsWith('{') || !text.endsWith('}') || text.length < 2) return staticValue(text, text, false);
  if (text.startsWith('{{') && text.endsWith('}}') && text.length > 4)
    return staticValue(text, text.slice(1, -1), true);
  const expression = compiled(text.slice(1, -1), prefixes);
  return {
    source: text,
    static: undefined,
    expression,
    deferred: false,
    needsBody: expression.needsBody,
    evaluate: (message) => expression.stringValue(message),
  };
}

function staticValue(source: string, value: string, deferred: boolean): DynamicValue {
  return { source, static: value, expression: undefined, deferred, needsBody: false, evaluate: () => value };
}

function compiled(text: string, prefixes: Prefixes): Expression {
  try {
    return compileExpression(text, prefixes);
  } catch (cause) {
    if (!(cause instanceof ValueError)) throw cause;
    const lead = text.startsWith('json-eval(')
      ? `Can not create SynapseJsonPath from given: ${text}`
      : text.startsWith('${')
        ? `Can not create SynapseExpression from given: ${text}`
        : 'Can not create Synapse Xpath from given key';
    throw new ValueError(`${lead}: ${cause.message}`, cause.expected, cause.nearest, { cause });
  }
}
