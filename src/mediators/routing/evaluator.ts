import { compileExpression } from '../../expressions/compile-expression.ts';
import { compileWholeMatch } from '../../expressions/regex.ts';
import { ValueError } from '../../grammar/attributes.ts';
import { nearestName } from '../../grammar/diagnostic.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { FRAGMENT_NAMES, type UriFragments } from './uri-fragments.ts';

/** What an evaluator looks at. */
export interface EvaluatorFacts {
  readonly message: MessageContext;
  readonly url: UriFragments;
  /** The URL as a whole. */
  readonly fullUrl: string;
}

/**
 * A condition of rewrite and conditionalRouter, compiled once (spec mediators 3.20.1).
 * @throws MediationError when it cannot be evaluated
 */
export type Evaluator = (facts: EvaluatorFacts) => boolean;

const ELEMENTS = ['match', 'equal', 'and', 'or', 'not'];
const TYPES = ['header', 'param', 'url', 'property', 'soap'];

/** The evaluator inside an element such as `<condition>`, in whatever namespace it stands; undefined when there is none. */
export function evaluatorElement(parent: ConfigElement): ConfigElement | undefined {
  return parent.children[0];
}

/** Compiles an evaluator; undefined after an error. */
export function readEvaluator(element: ConfigElement, reader: ArtifactReader): Evaluator | undefined {
  switch (element.name) {
    case 'match':
      return readComparison(element, reader, 'regex');
    case 'equal':
      return readComparison(element, reader, 'value');
    case 'and':
    case 'or':
      return readSeveral(element, reader);
    case 'not':
      return readNegation(element, reader);
    default: {
      const nearest = nearestName(element.name, ELEMENTS);
      reader.error(element, `Invalid configuration element: ${element.name}`, {
        expected: `one of: ${ELEMENTS.join(', ')}`,
        ...(nearest && { nearest }),
      });
      return undefined;
    }
  }
}

function readSeveral(element: ConfigElement, reader: ArtifactReader): Evaluator | undefined {
  const { children } = element;
  const isAnd = element.name === 'and';
  const evaluators = children.map((child) => readEvaluator(child, reader));
  if (children.length < 2) {
    const name = isAnd ? 'And' : 'Or';
    reader.error(element, `Two or more expressions should be provided under ${name}`, {
      expected: 'two or more evaluators',
    });
    return undefined;
  }
  const complete = evaluators.filter((evaluator) => evaluator !== undefined);
  if (complete.length < evaluators.length) return undefined;
  return isAnd
    ? (facts) => complete.every((evaluator) => evaluator(facts))
    : (facts) => complete.some((evaluator) => evaluator(facts));
}

function readNegation(element: ConfigElement, reader: ArtifactReader): Evaluator | undefined {
  const [child] = element.children;
  if (!child) {
    reader.error(element, 'An expression should be provided under Not', { expected: `one of: ${ELEMENTS.join(', ')}` });
    return undefined;
  }
  const evaluator = readEvaluator(child, reader);
  return evaluator && ((facts) => !evaluator(facts));
}

/** `match` needs a regex for the whole value, `equal` a value that is compared without regard to case. */
function readComparison(
  element: ConfigElement,
  reader: ArtifactReader,
  attribute: 'regex' | 'value',
): Evaluator | undefined {
  reader.warnUnknownAttributes(element, ['type', 'source', attribute]);
  const read = readSource(element, reader);
  const test = readTest(element, reader, attribute);
  if (!read || !test) return undefined;
  return (facts) => {
    const value = read(facts);
    return value !== null && value !== undefined && test(value);
  };
}

type Test = (value: string) => boolean;
type Read = (facts: EvaluatorFacts) => string | null | undefined;

function readTest(element: ConfigElement, reader: ArtifactReader, attribute: 'regex' | 'value'): Test | undefined {
  const written = element.attribute(attribute);
  if (written === undefined) {
    reader.error(element, `${attribute} attribute is required`, { expected: `${attribute}="…"` });
    return undefined;
  }
  if (attribute === 'value') {
    const wanted = written.toLowerCase();
    return (value) => value.toLowerCase() === wanted;
  }
  try {
    const match = compileWholeMatch(written);
    return (value) => match(value) !== undefined;
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    reader.error(element, error.message, { attribute, expected: 'a regular expression' });
    return undefined;
  }
}

function readSource(element: ConfigElement, reader: ArtifactReader): Read | undefined {
  const type = element.attribute('type') ?? 'header';
  const source = element.attribute('source');
  if (!TYPES.includes(type)) {
    reader.error(element, `Unknown ${element.name} evaluator type: ${type}`, {
      attribute: 'type',
      expected: `one of: ${TYPES.join(', ')}`,
    });
    return undefined;
  }
  if (type === 'url') return urlSource(element, source, reader);
  if (source === undefined) {
    reader.error(element, 'source attribute is required', { expected: 'source="…"' });
    return undefined;
  }
  if (type === 'soap') return expressionSource(element, source, reader);
  if (type === 'property') return ({ message }) => message.text(source);
  if (type === 'param') return ({ url }) => queryParameter(url.query, source);
  // Names compare exactly, as in the reference.
  return ({ message }) => {
    for (const [name, value] of message.headers.pairs()) if (name === source) return value;
    return undefined;
  };
}

function urlSource(element: ConfigElement, source: string | undefined, reader: ArtifactReader): Read | undefined {
  if (source === undefined) return ({ fullUrl }) => fullUrl;
  const name = FRAGMENT_NAMES.find((known) => known === source);
  if (name) return ({ url }) => url[name];
  reader.error(element, `Unknown URL fragment name: ${source}`, {
    attribute: 'source',
    expected: `one of: ${FRAGMENT_NAMES.join(', ')}`,
  });
  return undefined;
}

function expressionSource(element: ConfigElement, source: string, reader: ArtifactReader): Read | undefined {
  try {
    const expression = compileExpression(source, element.prefixes());
    return ({ message }) => expression.stringValue(message);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    reader.error(element, `attribute 'source' of <${element.name}>: ${error.message}`, {
      attribute: 'source',
      expected: error.expected ?? 'an expression',
    });
    return undefined;
  }
}

/** The query is decoded already; pairs without a value do not count. */
function queryParameter(query: string | undefined, name: string): string | undefined {
  for (const pair of query?.split('&') ?? []) {
    const equals = pair.indexOf('=');
    if (equals !== -1 && pair.slice(0, equals) === name) return pair.slice(equals + 1);
  }
  return undefined;
}
