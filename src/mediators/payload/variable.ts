import { expression } from '../../expressions/attribute-types.ts';
import type { Expression } from '../../expressions/expression.ts';
import { nonEmptyText, text } from '../../grammar/attributes.ts';
import { always, type MediatorCompilation, mediator } from '../../mediation/component.ts';
import { copyOfValue } from '../../message/copy-value.ts';
import { MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { convertProperty } from '../../message/property-conversion.ts';
import { JsonValue, type PropertyValue, TypedNumber } from '../../message/property-value.ts';

const TYPES = ['STRING', 'BOOLEAN', 'INTEGER', 'LONG', 'DOUBLE', 'JSON', 'XML'] as const;
type VariableType = (typeof TYPES)[number];

const ATTRIBUTES = {
  name: nonEmptyText({
    required: true,
    missing: "The 'name' attribute is required for the configuration of a variable mediator",
    doc: 'The name of the variable.',
  }),
  value: text({ doc: 'The value, literally.' }),
  expression: expression({
    invalid: "Invalid expression for attribute 'expression'",
    doc: 'The expression that gives the value.',
  }),
  type: text({ doc: `${TYPES.join(', ')}.` }),
  action: text({ doc: '`remove` removes the variable; everything else sets it.', default: 'set' }),
} as const;

type Compilation = MediatorCompilation<typeof ATTRIBUTES>;
type Source = (message: MessageContext) => PropertyValue | null;

/** Sets or removes a variable of the message (spec mediators 3.36). */
export const variable = mediator({
  element: 'variable',
  doc: 'Sets or removes a variable of the message.',
  attributes: ATTRIBUTES,
  compile(compilation) {
    const { name, action } = compilation.attributes;
    if (action === 'remove') return always((message) => message.variables.delete(name));
    const type = readType(compilation);
    const source = type === 'unknown' ? undefined : readSource(compilation, type);
    if (!source) return undefined;
    return always((message) => {
      const value = source(message);
      // Null leaves the value that is there.
      if (value !== null) message.variables.set(name, copyOfValue(value));
    });
  },
});

function readType({ attributes, element, reader }: Compilation): VariableType | undefined | 'unknown' {
  // The name that properties have for it is understood, too.
  const written = attributes.type === 'OM' ? 'XML' : attributes.type;
  const type = TYPES.find((known) => known === written);
  if (type || attributes.type === undefined) return type;
  const problem = `Unknown type : ${attributes.type} for the variable mediator or the variable value cannot be converted into the specified type.`;
  reader.error(element, problem, { attribute: 'type', expected: `one of: ${TYPES.join(', ')}` });
  return 'unknown';
}

function readSource(compilation: Compilation, type: VariableType | undefined): Source | undefined {
  const { attributes, element, reader } = compilation;
  const { value, expression: computed } = attributes;
  if (value === undefined) {
    if (computed) return type ? typed(computed, type) : (message) => computed.value(message);
    const problem = "'value' or 'expression' attributes is required for a variable mediator when action is SET";
    reader.error(element, problem, { expected: 'value="…" or expression="…"' });
    return undefined;
  }
  try {
    const converted = convert(value, type ?? 'STRING');
    return () => converted;
  } catch (error) {
    if (!(error instanceof MediationError)) throw error;
    reader.error(element, error.message, { attribute: 'value', expected: `text that is a ${type}` });
    return undefined;
  }
}

/** As for properties, in this mediator's words. */
function convert(value: string, type: VariableType): PropertyValue | null {
  try {
    return convertProperty(value, type === 'XML' ? 'OM' : type, { truncate: false });
  } catch (cause) {
    if (!(cause instanceof MediationError)) throw cause;
    throw new MediationError(cause.message.replaceAll('property', 'variable'), { cause });
  }
}

function typed(computed: Expression, type: VariableType): Source {
  if (type === 'STRING') return (message) => computed.stringValue(message);
  return (message) => {
    const value = computed.value(message);
    if (value === null) return null;
    const fitting = fitted(value, type, computed);
    if (fitting !== undefined) return fitting;
    throw new MediationError(`Expression '${computed.source}' result does not match the expected data type '${type}'`);
  };
}

/** The value as that type; undefined when it is of another kind and cannot be converted without loss (MREQ-18). */
function fitted(value: PropertyValue, type: VariableType, { kind }: Expression): PropertyValue | undefined {
  if (type === 'XML') return isXml(value) ? value : (convert(String(value), 'XML') ?? undefined);
  if (type === 'JSON') return isXml(value) ? undefined : value instanceof JsonValue ? value : String(value);
  if (type === 'BOOLEAN' && typeof value === 'boolean') return value;
  const number = value instanceof JsonValue ? numberIn(value) : value;
  if (type !== 'BOOLEAN' && number instanceof TypedNumber) return losslessly(plainText(number, type), type);
  // What XPath and json-eval select is text to begin with; `${}` knows kinds.
  return kind !== 'synapse' && typeof value === 'string' ? losslessly(value, type) : undefined;
}

function isXml(value: PropertyValue): boolean {
  return typeof value === 'object' && !(value instanceof JsonValue) && !(value instanceof TypedNumber);
}

function numberIn({ text }: JsonValue): TypedNumber | undefined {
  const value = /^-?\d/.test(text) ? Number(text) : Number.NaN;
  return Number.isNaN(value) ? undefined : new TypedNumber(/^-?\d+$/.test(text) ? 'LONG' : 'DOUBLE', numeral(text));
}

function numeral(text: string): number | bigint {
  return /^-?\d+$/.test(text) ? BigInt(text) : Number(text);
}

/** Without the decimals of a whole number where an integer is wanted. */
function plainText(number: TypedNumber, type: VariableType): string {
  return type === 'DOUBLE' ? String(number) : String(number).replace(/\.0+$/, '');
}

function losslessly(text: string, type: VariableType): PropertyValue | undefined {
  if (type === 'BOOLEAN') return text === 'true' ? true : text === 'false' ? false : undefined;
  try {
    return convert(text, type) ?? undefined;
  } catch (error) {
    if (error instanceof MediationError) return undefined;
    throw error;
  }
}
