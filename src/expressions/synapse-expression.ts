import { logger } from '../logging/index.ts';
import { aboutMessage } from '../mediation/about-message.ts';
import { MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';
import { JsonValue } from '../message/property-value.ts';
import { RegexTooSlowError } from './bounded-regex.ts';
import type { Expression, Prefixes } from './expression.ts';
import { jsonText, jsonTexts } from './json-text.ts';
import { Compiler } from './synapse/compile.ts';
import { parseSynapseExpression } from './synapse/syntax.ts';
import { EvaluationError, isJson, jsonOfValue, printed, toProperty, type Value, XmlValue } from './synapse/values.ts';

const log = logger('SynapseExpression');

/**
 * Compiles `${…}` (spec mediators 4.5). An evaluation that fails is empty text and a warning in the log, never a fault, unless the
 * configuration says so (`strictExpressions`, MREQ-24).
 * @param source with `${` and `}`
 * @throws ValueError
 */
export function compileSynapseExpression(source: string, prefixes: Prefixes): Expression {
  const compiler = new Compiler(prefixes);
  const run = compiler.compile(parseSynapseExpression(source.slice(2, -1)));
  const evaluate = (message: MessageContext): Value => {
    try {
      return run(message);
    } catch (cause) {
      return failed(source, message, cause);
    }
  };
  return {
    source,
    kind: 'synapse',
    needsBody: compiler.needsBody,
    warnings: compiler.warnings,
    stringValue: (message) => printed(evaluate(message)),
    booleanValue: (message) => printed(evaluate(message)) === 'true',
    nodes(message) {
      const value = evaluate(message);
      if (value === null || value === '') return [];
      if (value instanceof XmlValue) return value.elements;
      if (isJson(value) && value.kind === 'array') return jsonTexts(value.items).map((text) => new JsonValue(text));
      return [new JsonValue(jsonText(jsonOfValue(value)))];
    },
    value: (message) => toProperty(evaluate(message)),
  };
}

function failed(source: string, message: MessageContext, cause: unknown): Value {
  if (!(cause instanceof EvaluationError || cause instanceof RegexTooSlowError)) throw cause;
  const text = `Error evaluating expression: ${source} cause : ${cause.message}`;
  if (message.configuration.services.strictExpressions) throw new MediationError(text, { cause });
  log.warn(text, aboutMessage(message));
  return '';
}
