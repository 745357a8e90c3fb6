import { dynamic, expression } from '../expressions/attribute-types.ts';
import type { Expression } from '../expressions/expression.ts';
import { compileWholeMatch, type WholeMatch } from '../expressions/regex.ts';
import type { DynamicValue } from '../expressions/value.ts';
import { integer, nonEmptyText, text, ValueError } from '../grammar/attributes.ts';
import { logger } from '../logging/index.ts';
import { aboutMessage } from '../mediation/about-message.ts';
import { type Mediate, type MediatorCompilation, mediator } from '../mediation/component.ts';
import { MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';
import { convertProperty, isPropertyType, type PropertyType } from '../message/property-conversion.ts';
import { isScope, removeProperty, SCOPES, type Scope, setProperty } from '../message/property-scopes.ts';
import type { PropertyValue } from '../message/property-value.ts';
import type { XmlElement } from '../xml/index.ts';

const log = logger('PropertyMediator');

const ATTRIBUTES = {
  name: dynamic({
    required: true,
    missing: "The 'name' attribute is required for the configuration of a property mediator",
    invalid: "Invalid expression for attribute 'name'",
    doc: 'The name of the property; may be `{expression}`.',
  }),
  value: text({ doc: 'The value, literally.' }),
  expression: expression({
    invalid: "Invalid XPath expression for attribute 'expression'",
    doc: 'XPath or json-eval(…) that gives the value.',
  }),
  scope: text({ doc: `One of ${SCOPES.join(', ')}.`, default: 'default' }),
  type: text({ doc: 'STRING, BOOLEAN, INTEGER, LONG, SHORT, FLOAT, DOUBLE, OM or JSON.', default: 'STRING' }),
  action: text({ doc: '`remove` removes the property; everything else sets it.', default: 'set' }),
  pattern: nonEmptyText({ doc: 'A regular expression that the whole value must match.' }),
  group: integer({ doc: 'The group of the pattern that becomes the value.' }),
} as const;

type Compilation = MediatorCompilation<typeof ATTRIBUTES>;

/** Sets or removes a property in any scope (spec proxies 4.1, mediators 3.3). */
export const property = mediator({
  element: 'property',
  doc: 'Sets or removes a property of the message.',
  attributes: ATTRIBUTES,
  children: 'any',
  compile(compilation) {
    const { attributes } = compilation;
    const name = readName(compilation);
    const scope = readScope(compilation);
    const type = readType(compilation);
    const pattern = readPattern(compilation);
    if (isBlind(attributes)) compilation.leavesBody();
    if (attributes.action === 'remove') return name && scope && removal(name, scope);
    const value = readSource(compilation, type ?? 'STRING');
    if (!name || !scope || !type || !value || pattern === 'invalid') return undefined;
    return setting(name, scope, (message) => matched(value(message), pattern));
  },
});

/** Names that decide how a body is written, where the message goes, or how its client is answered, lower case. */
const TELLING = new Set(
  `messagetype contenttype character_set_encoding setcharacterencoding no_entity_body http_etag enablemtom enableswa disable_chunking
   force_http_1.0 force_http_content_length force_sc_accepted sc_accepted nio-ack-requested faults_as_http_200 http_sc http_method
   out_only response receiving_sequence`.split(/\s+/),
);

/** True when neither the value needs the body nor the property changes what becomes of it. */
function isBlind({ name, scope, expression: source, value }: Compilation['attributes']): boolean {
  const key = name.static?.toLowerCase();
  if (key === undefined || TELLING.has(key) || (scope === 'transport' && key.startsWith('content-'))) return false;
  return value !== undefined || !source?.needsBody;
}

type Source = (message: MessageContext) => PropertyValue | null;

function removal(name: DynamicValue, scope: Scope): Mediate {
  return (message) => {
    removeProperty(message, scope, nameFor(name, message));
    return true;
  };
}

function setting(name: DynamicValue, scope: Scope, value: Source): Mediate {
  return (message) => {
    setProperty(message, scope, nameFor(name, message), value(message));
    return true;
  };
}

function readName({ attributes, element, reader }: Compilation): DynamicValue | undefined {
  if (attributes.name.static?.trim() !== '') return attributes.name;
  reader.error(element, ATTRIBUTES.name.missing, { attribute: 'name' });
  return undefined;
}

function nameFor(name: DynamicValue, message: MessageContext): string {
  if (name.static !== undefined) return name.static;
  const evaluated = name.evaluate(message) ?? '';
  if (evaluated === '') log.warn(`Evaluated value for ${name.source} is empty`, aboutMessage(message));
  return evaluated;
}

/** Value precedence: `value`, else the child element, else `expression` (spec mediators 3.3). */
function readSource(compilation: Compilation, type: PropertyType): Source | undefined {
  const { attributes, element, reader } = compilation;
  if (attributes.value !== undefined) return literal(compilation, attributes.value, type);
  const child = element.children[0];
  if (child) {
    const template = child.node;
    return () => template.cloneNode(true) as XmlElement;
  }
  if (attributes.expression) return computed(attributes.expression, type);
  reader.error(
    element,
    "Either a child element or one of 'value', 'expression' attributes is required for a property mediator when action is SET",
    { expected: 'value="…", expression="…" or one XML child' },
  );
  return undefined;
}

function literal({ element, reader }: Compilation, value: string, type: PropertyType): Source | undefined {
  try {
    const converted = convertProperty(value, type, { truncate: false });
    return () => converted;
  } catch (error) {
    if (!(error instanceof MediationError)) throw error;
    reader.error(element, error.message, { attribute: 'value', expected: `text that is a ${type}` });
    return undefined;
  }
}

function computed(source: Expression, type: PropertyType): Source {
  if (type === 'STRING') return (message) => source.stringValue(message);
  return (message) => {
    const value = source.stringValue(message);
    return value === null ? null : convertProperty(value, type, { truncate: true, about: () => aboutMessage(message) });
  };
}

interface Pattern {
  readonly matcher: WholeMatch;
  readonly group: number;
}

/** No match and a missing group give the empty string; only text is looked at. */
function matched(value: PropertyValue | null, pattern: Pattern | undefined): PropertyValue | null {
  if (!pattern || typeof value !== 'string') return value;
  return pattern.matcher(value)?.[pattern.group] ?? '';
}

function readScope({ attributes, element, reader }: Compilation): Scope | undefined {
  const { scope } = attributes;
  if (isScope(scope)) return scope;
  reader.error(
    element,
    `Only 'axis2' or 'transport' or 'axis2-client' or 'default' or 'operation' or 'registry' or 'trace' or 'system' or 'analytics' values are allowed for attribute scope for a property mediator, Unsupported scope ${scope}`,
    { attribute: 'scope', expected: `one of: ${SCOPES.join(', ')}` },
  );
  return undefined;
}

function readType({ attributes, element, reader }: Compilation): PropertyType | undefined {
  const { type } = attributes;
  if (isPropertyType(type)) return type;
  reader.error(
    element,
    `Unknown type : ${type} for the property mediator or the property value cannot be converted into the specified type.`,
    { attribute: 'type', expected: ATTRIBUTES.type.doc },
  );
  return undefined;
}

function readPattern({ attributes, element, reader }: Compilation): Pattern | undefined | 'invalid' {
  const { pattern, group = 0 } = attributes;
  if (pattern === undefined) {
    if (attributes.group === undefined) return undefined;
    reader.error(element, 'group is only allowed when a pattern is specified', { attribute: 'group' });
    return 'invalid';
  }
  if (group < 0) {
    reader.error(element, 'group can have a positive value only', { attribute: 'group' });
    return 'invalid';
  }
  try {
    return { matcher: compileWholeMatch(pattern), group };
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    reader.error(element, error.message, { attribute: 'pattern', expected: 'a regular expression' });
    return 'invalid';
  }
}
