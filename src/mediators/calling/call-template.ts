import { dynamic } from '../../expressions/attribute-types.ts';
import { compileExpression } from '../../expressions/compile-expression.ts';
import type { Expression, Prefixes } from '../../expressions/expression.ts';
import type { DynamicValue } from '../../expressions/value.ts';
import { nonEmptyText, readAttributes, text, ValueError } from '../../grammar/attributes.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import { logger } from '../../logging/index.ts';
import { aboutMessage } from '../../mediation/about-message.ts';
import { type MediatorCompilation, mediator } from '../../mediation/component.ts';
import { sequenceFaultHandler } from '../../mediation/sequence.ts';
import { MediationError } from '../../message/errors.ts';
import { cloneWithOrigins } from '../../message/json-xml.ts';
import type { MessageContext, TemplateParameterValue } from '../../message/message-context.ts';
import { JsonValue } from '../../message/property-value.ts';
import { NODE_TYPES, newDocument, type XmlElement } from '../../xml/index.ts';

const log = logger('InvokeMediator');

const ATTRIBUTES = {
  target: text({
    required: true,
    missing: 'EIP Invoke mediator should have a target template specified.',
    doc: 'The name of the template.',
  }),
  onError: nonEmptyText({ doc: 'The sequence that handles faults of the template.' }),
} as const;
const PARAMETER_ATTRIBUTES = {
  name: text({ doc: 'The name of the parameter.' }),
  value: dynamic({
    required: true,
    doc: 'Its value; may be `{expression}`, or `{{expression}}` to be evaluated when it is read.',
  }),
} as const;

/** Gives what a parameter is called with for one message; null leaves it at its default. */
export type ParameterSource = (message: MessageContext) => TemplateParameterValue | null;

/** Runs the sequence of a template with parameters (spec mediators 3.21). */
export const callTemplate = mediator({
  element: 'call-template',
  doc: 'Runs the sequence of a template, which reads its parameters as $func:name.',
  attributes: ATTRIBUTES,
  children: ['with-param'],
  compile(compilation) {
    const { element, attributes, reader, rest } = compilation;
    const { target, onError } = attributes;
    const parameters = readParameters(compilation);
    if (target.trim() === '') {
      const problem = 'EIP Invoke mediator should have a non empty target name specified.';
      reader.error(element, problem, { attribute: 'target', expected: 'target="…", the name of a template' });
      return undefined;
    }
    reader.refer('template', target, element, 'target');
    if (onError !== undefined) reader.refer('sequence', onError, element, 'onError');
    if (!parameters) return undefined;
    return (message) => {
      const template = message.configuration.find('template', target);
      if (template?.kind !== 'sequence') throw new MediationError(`Sequence template ${target} cannot be found.`);
      const height = message.faultStack.length;
      if (onError !== undefined) pushHandler(message, onError);
      const outcome = template.call(message, (name) => parameters.get(name)?.(message) ?? null, rest);
      return typeof outcome === 'boolean'
        ? left(message, height, outcome)
        : outcome.then((end) => left(message, height, end));
    };
  },
});

function pushHandler(message: MessageContext, onError: string): void {
  const handler = message.configuration.find('sequence', onError);
  if (handler)
    message.faultStack.push(sequenceFaultHandler(handler, `onError sequence '${onError}' of a call-template`));
  else log.warn(`onError handler : ${onError} of a call-template cannot be found`, aboutMessage(message));
}

/** The handlers stay for a send that is still out. */
function left(message: MessageContext, height: number, outcome: boolean): boolean {
  if (outcome && message.faultStack.length > height) message.faultStack.length = height;
  return outcome;
}

function readParameters({ element, reader }: MediatorCompilation<typeof ATTRIBUTES>) {
  const parameters = new Map<string, ParameterSource>();
  let complete = true;
  for (const child of element.childrenNamed('with-param')) {
    const attributes = readAttributes(child, PARAMETER_ATTRIBUTES, reader);
    const name = child.attribute('name')?.trim();
    if (!name)
      reader.error(child, 'Call template mediator parameters should have non empty name.', { expected: 'name="…"' });
    const source = attributes && sourceOf(attributes.value, child, reader);
    if (name && source) parameters.set(name, source);
    else complete = false;
  }
  return complete ? parameters : undefined;
}

/** How a written value becomes that of a parameter; undefined after an error. */
export function sourceOf(
  value: DynamicValue,
  element: ConfigElement,
  reader: ArtifactReader,
): ParameterSource | undefined {
  const { static: text, expression } = value;
  if (expression) return (message) => evaluated(expression, message);
  if (!value.deferred || text === undefined) return () => text ?? null;
  return deferred(text.slice(1, -1), element, reader);
}

/** Of XPath the first node, an element as such; of all else the text. */
function evaluated(expression: Expression, message: MessageContext): TemplateParameterValue | null {
  if (expression.kind !== 'xpath') return expression.stringValue(message);
  const [first] = expression.nodes(message);
  if (first === undefined) {
    const value = expression.value(message);
    // An expression that selects nodes and found none leaves the parameter unset.
    return value === '' ? null : value;
  }
  if (first instanceof JsonValue) return first.text;
  if (first.nodeType !== NODE_TYPES.element) return first.nodeValue ?? '';
  return cloneWithOrigins(newDocument(null, 'parameter'), first as XmlElement);
}

/**
 * `{{expression}}` is evaluated whenever the template reads it. One with get-property is evaluated at the call; its text is the
 * expression that is evaluated later.
 */
function deferred(written: string, element: ConfigElement, reader: ArtifactReader): ParameterSource | undefined {
  const prefixes = element.prefixes();
  let compiled: Expression;
  try {
    compiled = compileExpression(written, prefixes);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    reader.error(element, `{{${written}}}: ${error.message}`, {
      attribute: 'value',
      expected: error.expected ?? 'an expression',
    });
    return undefined;
  }
  if (!written.includes('get-property')) return () => (message) => compiled.value(message);
  return (caller) => {
    const text = compiled.stringValue(caller);
    if (!text) return null;
    const later = compileLate(text, prefixes);
    return (message) => later.value(message);
  };
}

function compileLate(text: string, prefixes: Prefixes): Expression {
  try {
    return compileExpression(text, prefixes);
  } catch (cause) {
    if (!(cause instanceof ValueError)) throw cause;
    throw new MediationError(`A template parameter is no expression: ${text}: ${cause.message}`, { cause });
  }
}
