import { dynamic, expression } from '../../expressions/attribute-types.ts';
import type { Expression } from '../../expressions/expression.ts';
import type { DynamicValue } from '../../expressions/value.ts';
import { integer, javaBoolean, nonEmptyText, readAttributes, type ValuesOf } from '../../grammar/attributes.ts';
import { logger } from '../../logging/index.ts';
import { aboutMessage } from '../../mediation/about-message.ts';
import { type MediatorCompilation, mediator } from '../../mediation/component.ts';
import { Sequence } from '../../mediation/sequence.ts';
import { MediationError } from '../../message/errors.ts';
import { type JsonNode, JsonSyntaxError, parseJson } from '../../message/json.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { JsonValue } from '../../message/property-value.ts';
import { parseXml, type XmlElement, XmlSyntaxError } from '../../xml/index.ts';
import { isJsonExpression } from '../expression-kind.ts';
import { jsonOf } from './aggregate-result.ts';
import { gather } from './branch-results.ts';
import { type ResultTarget, readResultTarget } from './result-target.ts';

const log = logger('ScatterGather');
const OF = 'of a Scatter Gather mediator';

const ATTRIBUTES = {
  'parallel-execution': javaBoolean({ default: true, doc: 'Do not wait for one sequence before the next.' }),
  target: nonEmptyText({ doc: 'Where the result goes: body or variable.' }),
  'target-variable': nonEmptyText({ doc: 'The variable for the result.' }),
  'result-content-type': nonEmptyText({ doc: 'JSON or XML.' }),
  'result-enclosing-element': nonEmptyText({ doc: 'The name of the element around an XML result.' }),
} as const;

const AGGREGATION = {
  expression: expression({
    required: true,
    missing: "The 'expression' attribute is required for the configuration of a Scatter Gather mediator",
    doc: 'What is taken of the message of every sequence.',
  }),
  condition: expression({ doc: 'Only messages for which this is true count.' }),
  timeout: integer({ minimum: 0, default: 0, doc: 'ms after which the results that there are have to do.' }),
  'min-messages': dynamic({ doc: 'So many results are enough; may be `{expression}`.' }),
  'max-messages': dynamic({ doc: 'So many results are enough; may be `{expression}`.' }),
} as const;

/** Runs several sequences on copies of the message and goes on with what they gave (spec mediators 3.27). */
export const scatterGather = mediator({
  element: 'scatter-gather',
  doc: 'Runs sequences on copies of the message and puts one result together from what they give.',
  attributes: ATTRIBUTES,
  children: ['aggregation', 'sequence'],
  compile(compilation) {
    const { attributes } = compilation;
    const target = readTargetOf(compilation);
    const sequences = readSequences(compilation);
    const aggregation = readAggregation(compilation);
    if (!target || !sequences || !aggregation) return undefined;
    return async (message) => {
      const results = await collect(message, sequences, aggregation, attributes['parallel-execution']);
      const last = results.at(-1);
      if (!last) throw new MediationError('scatter-gather: no branch gave a result that counts');
      // The target of the body goes on as the branch that came last, with what it left in its scopes.
      if (target.variable === undefined) takeOver(message, last);
      if (target.type === 'JSON')
        target.setJson(
          message,
          results.map((one) => jsonItem(aggregation.expression, one, target)),
        );
      else
        target.setXml(
          message,
          results.map((one) => xmlItem(aggregation.expression, one)),
        );
      return true;
    };
  },
});

type AggregationAttributes = ValuesOf<typeof AGGREGATION>;

async function collect(
  message: MessageContext,
  sequences: readonly Sequence[],
  aggregation: AggregationAttributes,
  parallel: boolean,
): Promise<readonly MessageContext[]> {
  const enough = Math.min(
    sequences.length,
    countOf('min-messages', aggregation['min-messages'], message),
    countOf('max-messages', aggregation['max-messages'], message),
  );
  const results: MessageContext[] = [];
  let arrived = 0;
  const original = message.copy();
  const gathered = await gather(message, {
    mediator: 'scatter-gather',
    count: sequences.length,
    parallel,
    branch: () => original.copy(),
    run: (copy, index, caller) => sequences[index]?.mediate(copy, caller) ?? true,
    accept(result) {
      arrived += 1;
      if (counts(aggregation.condition, result)) results.push(result);
      return results.length >= enough || arrived === sequences.length;
    },
    ...(aggregation.timeout > 0 && { timeoutMs: aggregation.timeout }),
  });
  if (gathered === 'timeout') {
    log.warn('Scatter Gather mediator timeout occurred.', { ...aboutMessage(message), collected: results.length });
  }
  return results;
}

function counts(condition: Expression | undefined, result: MessageContext): boolean {
  return condition === undefined || condition.stringValue(result)?.trim().toLowerCase() === 'true';
}

/** Infinity where nothing, or nothing above 0, is said. */
function countOf(name: string, value: DynamicValue | undefined, message: MessageContext): number {
  const text = value?.evaluate(message) ?? '';
  if (text.trim() === '') return Number.POSITIVE_INFINITY;
  if (!/^\s*[+-]?\d{1,9}(\.\d*)?\s*$/.test(text)) {
    throw new MediationError(`scatter-gather: ${name} is '${text.slice(0, 100)}', which is no number`);
  }
  const count = Math.trunc(Number(text));
  return count > 0 ? count : Number.POSITIVE_INFINITY;
}

function takeOver(message: MessageContext, last: MessageContext): void {
  for (const scope of ['properties', 'axis2', 'axis2Client', 'variables'] as const) {
    message[scope].clear();
    for (const [name, value] of last[scope]) message[scope].set(name, value);
  }
  const { headers, payload, to, from, replyTo, faultTo, action, doingRest } = last;
  Object.assign(message, { headers, payload, to, from, replyTo, faultTo, action, doingRest });
}

function jsonItem(expression: Expression, result: MessageContext, { variable }: ResultTarget): JsonNode {
  const value = expression.value(result);
  // What an XPath gives is text; so is an element, for those who want JSON.
  const text = isJsonExpression(expression) ? undefined : expression.stringValue(result);
  if (typeof text !== 'string') return parseJson(jsonOf(value));
  try {
    return parseJson(text);
  } catch (cause) {
    if (!(cause instanceof JsonSyntaxError)) throw cause;
    if (variable === undefined) return { kind: 'string', value: text };
    throw new MediationError(`Aggregation expression ${expression.source} did not return a valid JSON element`, {
      cause,
    });
  }
}

function xmlItem(expression: Expression, result: MessageContext): XmlElement {
  const value = expression.value(result);
  if (value !== null && typeof value === 'object' && 'nodeType' in value) return value as XmlElement;
  const text = value instanceof JsonValue ? value.text : (expression.stringValue(result) ?? '');
  try {
    return parseXml(text).documentElement as XmlElement;
  } catch (cause) {
    if (!(cause instanceof XmlSyntaxError)) throw cause;
    throw new MediationError(`Error reading XML element: ${text.slice(0, 200)}`, { cause });
  }
}

type Compilation = MediatorCompilation<typeof ATTRIBUTES>;

function readTargetOf({ element, attributes, reader }: Compilation): ResultTarget | undefined {
  const { target, 'target-variable': variable, 'result-content-type': type } = attributes;
  const place = target?.toLowerCase();
  if (type === undefined || place === undefined) {
    for (const name of ['result-content-type', 'target'] as const) {
      if (attributes[name] === undefined) {
        reader.error(element, `The '${name}' attribute is required for the configuration ${OF}`);
      }
    }
    return undefined;
  }
  if (place !== 'body' && place !== 'variable') {
    reader.error(element, "The 'target' attribute should be either 'body' or 'variable'", { attribute: 'target' });
    return undefined;
  }
  if (place === 'variable' && variable === undefined) {
    reader.error(
      element,
      `The 'target-variable' attribute is required for the configuration ${OF} when the 'target' is 'variable'`,
    );
    return undefined;
  }
  const enclosing = attributes['result-enclosing-element'];
  const name = place === 'variable' ? variable : undefined;
  return readResultTarget(element, reader, { mediator: 'Scatter Gather', type, enclosing, variable: name });
}

function readSequences({ element, reader, compileList }: Compilation): readonly Sequence[] | undefined {
  const written = element.childrenNamed('sequence');
  if (written.length === 0) {
    reader.error(element, `A 'sequence' element is required for the configuration ${OF}`, { expected: '<sequence>' });
    return undefined;
  }
  return written.map((inline, index) => {
    const list = compileList(inline, `sequence${index + 1}`, 'ends');
    const onError = inline.attribute('onError');
    if (onError !== undefined) reader.refer('sequence', onError, inline, 'onError');
    return new Sequence({ list, position: inline.position, ...(onError !== undefined && { onError }) });
  });
}

function readAggregation({ element, reader }: Compilation): AggregationAttributes | undefined {
  const written = element.child('aggregation');
  if (written) return readAttributes(written, AGGREGATION, reader);
  reader.error(element, `The 'aggregation' element is required for the configuration ${OF}`, {
    expected: '<aggregation expression="…"/>',
  });
  return undefined;
}
