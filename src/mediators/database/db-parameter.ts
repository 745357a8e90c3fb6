import { compileExpression } from '../../expressions/compile-expression.ts';
import type { Expression } from '../../expressions/expression.ts';
import { ValueError } from '../../grammar/attributes.ts';
import { nearestName } from '../../grammar/diagnostic.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import { MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';
import type { SqlParameter } from '../../stores/sql/driver.ts';

/** Gives the value of a statement's `?` for one message. */
export type ParameterValue = (message: MessageContext) => SqlParameter;

type Convert = (text: string) => SqlParameter;

/** A text that is no value of its type. */
class NotOfTypeError extends Error {
  override readonly name = 'NotOfTypeError';
}

/** What a fault shows of a value, characters. */
const SHOWN = 100;
/** The JDBC types that parameters may have, and how texts become their values (spec mediators 3.31). */
const TYPES: Readonly<Record<string, Convert>> = {
  CHAR: asIs,
  VARCHAR: asIs,
  LONGVARCHAR: asIs,
  NUMERIC: decimal,
  DECIMAL: decimal,
  BIT: flag,
  TINYINT: integerOf(8),
  SMALLINT: integerOf(16),
  INTEGER: integerOf(32),
  BIGINT: integerOf(64),
  REAL: double,
  FLOAT: double,
  DOUBLE: double,
  DATE: shaped(/^\d{4}-\d{1,2}-\d{1,2}$/, 'yyyy-mm-dd'),
  TIME: shaped(/^\d{1,2}:\d{1,2}:\d{1,2}$/, 'hh:mm:ss'),
  TIMESTAMP: shaped(/^\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d{1,2}:\d{1,2}(?:\.\d{1,9})?$/, 'yyyy-mm-dd hh:mm:ss.f'),
};

/** Reads `<parameter value= | expression= type=>`; undefined after an error. */
export function readDbParameter(
  element: ConfigElement,
  index: number,
  reader: ArtifactReader,
): ParameterValue | undefined {
  reader.warnUnknownAttributes(element, ['value', 'expression', 'type']);
  const type = element.attribute('type')?.trim();
  const convert = type !== undefined && Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
  if (!type || !convert) reportType(element, type, reader);
  const source = readSource(element, reader);
  if (!source || !convert) return undefined;
  return (message) => {
    const text = source(message);
    if (text === null || text === '') return null;
    try {
      return convert(text);
    } catch (cause) {
      if (!(cause instanceof NotOfTypeError)) throw cause;
      const shown = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
      throw new MediationError(`Parameter ${index} of the statement: '${shown}' is no ${type}: ${cause.message}`, {
        cause,
      });
    }
  };
}

function reportType(element: ConfigElement, type: string | undefined, reader: ArtifactReader): void {
  const known = Object.keys(TYPES);
  const nearest = type === undefined ? undefined : nearestName(type, known);
  reader.error(element, `Unknown or unsupported JDBC type : ${type ?? 'none'}`, {
    attribute: 'type',
    expected: `one of: ${known.join(', ')}`,
    ...(nearest !== undefined && { nearest }),
  });
}

function readSource(
  element: ConfigElement,
  reader: ArtifactReader,
): ((message: MessageContext) => string | null) | undefined {
  const value = element.attribute('value');
  if (value !== undefined) return () => value;
  const written = element.attribute('expression');
  if (written === undefined) {
    reader.error(element, 'a parameter needs a value or an expression', { expected: 'value="…" or expression="…"' });
    return undefined;
  }
  let expression: Expression;
  try {
    expression = compileExpression(written, element.prefixes());
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    const text = `Invalid XPath/JsonPath specified for the source attribute : ${written}`;
    reader.error(element, `${text}: ${error.message}`, {
      attribute: 'expression',
      expected: error.expected ?? 'an expression',
    });
    return undefined;
  }
  return (message) => expression.stringValue(message);
}

function asIs(text: string): string {
  return text;
}

function decimal(text: string): string {
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text))
    throw new NotOfTypeError('a decimal number is expected');
  return text;
}

/** The reference takes `true` in any case for true and everything else, also `1`, for false; that is never meant. */
function flag(text: string): boolean {
  if (/^(?:true|1)$/i.test(text)) return true;
  if (/^(?:false|0)$/i.test(text)) return false;
  throw new NotOfTypeError('true or false is expected');
}

function integerOf(bits: number): Convert {
  const limit = 2n ** BigInt(bits - 1);
  return (text) => {
    const value = /^[+-]?\d{1,20}$/.test(text) ? BigInt(text.replace('+', '')) : undefined;
    if (value === undefined || value < -limit || value >= limit) {
      throw new NotOfTypeError(`an integer of ${bits} bits is expected`);
    }
    return value;
  };
}

function double(text: string): number {
  const trimmed = text.trim();
  const number = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[dDfF]?$/.test(trimmed)
    ? Number.parseFloat(trimmed)
    : Number.NaN;
  if (!Number.isFinite(number)) throw new NotOfTypeError('a number is expected');
  return number;
}

function shaped(shape: RegExp, expected: string): Convert {
  return (text) => {
    if (!shape.test(text)) throw new NotOfTypeError(`${expected} is expected`);
    return text;
  };
}
