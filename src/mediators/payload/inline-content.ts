import { compileExpression } from '../../expressions/compile-expression.ts';
import type { Expression } from '../../expressions/expression.ts';
import { ValueError } from '../../grammar/attributes.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import { isJsonText } from '../../message/json.ts';
import type { MessageContext } from '../../message/message-context.ts';
import {
  elementChildren,
  escapeAttribute,
  parseXml,
  serializeXml,
  type XmlElement,
  XmlSyntaxError,
} from '../../xml/index.ts';

/** XML or text that stands inside an element of the configuration, with `{expression}` placeholders (spec mediators 3.13, 4.4). */
export interface InlineContent {
  /** Whether it is XML as written. */
  readonly isXml: boolean;
  /**
   * For one message: an element of its own, or text.
   * @throws MediationError when a placeholder cannot be evaluated
   */
  evaluate(message: MessageContext): XmlElement | string;
}

/** A placeholder holds no blanks, quotes, commas or brackets: what JSON looks like is none. */
const PLACEHOLDER = /\{([^{}\s'",<>\]]+)\}/;

/** What stands inside: the first child element, else text that is not blank; undefined when there is nothing. */
export function readInlineContent(element: ConfigElement, reader: ArtifactReader): InlineContent | undefined {
  const [child] = elementChildren(element.node);
  if (child) return xmlContent(child, element, reader);
  const text = element.text.trim();
  return text === '' ? undefined : textContent(text, element, reader);
}

/** Text that is not written in the artifact but comes from an entry; placeholders are not looked for. */
export function fixedContent(text: string): InlineContent {
  return { isXml: asElement(text) !== undefined, evaluate: () => asElement(text) ?? text };
}

/** A text, such as a JSONPath, with the values of its placeholders in their places. */
export function readPlaceholders(
  text: string,
  element: ConfigElement,
  reader: ArtifactReader,
): (message: MessageContext) => string {
  const parts = split(text, element, reader);
  if (!parts.some(isExpression)) return () => text;
  return (message) => parts.map((part) => (isExpression(part) ? (part.stringValue(message) ?? '') : part)).join('');
}

function xmlContent(child: XmlElement, element: ConfigElement, reader: ArtifactReader): InlineContent {
  const text = serializeXml(child);
  const parts = split(text, element, reader);
  if (!parts.some(isExpression)) return { isXml: true, evaluate: () => child.cloneNode(true) as XmlElement };
  return {
    isXml: true,
    evaluate(message) {
      const filled = parts.map((part) => (typeof part === 'string' ? part : forXml(part.stringValue(message) ?? '')));
      const whole = filled.join('');
      return asElement(whole) ?? whole;
    },
  };
}

/** A value that is XML stands in XML as it is, any other one as text. */
function forXml(value: string): string {
  return asElement(value) ? value : escapeAttribute(value);
}

function textContent(text: string, element: ConfigElement, reader: ArtifactReader): InlineContent {
  const parts = split(text, element, reader);
  if (!parts.some(isExpression)) return fixedContent(text);
  return {
    isXml: false,
    evaluate(message) {
      const whole = parts.map((part, index) => (typeof part === 'string' ? part : filled(part, parts, index, message)));
      const joined = whole.join('');
      return asElement(joined) ?? joined;
    },
  };
}

/** A value that is neither XML nor JSON gets quotes unless it stands in some. */
function filled(
  part: Expression,
  parts: ReadonlyArray<string | Expression>,
  index: number,
  message: MessageContext,
): string {
  const value = part.stringValue(message) ?? '';
  const [before, after] = [parts[index - 1], parts[index + 1]];
  const quoted =
    typeof before === 'string' && before.endsWith('"') && typeof after === 'string' && after.startsWith('"');
  if (quoted) return JSON.stringify(value).slice(1, -1);
  return isJsonText(value) || asElement(value) ? value : JSON.stringify(value);
}

/** Literal text and expressions, in turn. What does not compile is taken for text: JSON with bare keys looks like a placeholder. */
function split(text: string, element: ConfigElement, reader: ArtifactReader): Array<string | Expression> {
  const prefixes = element.prefixes();
  return text.split(PLACEHOLDER).map((part, index) => {
    if (index % 2 === 0) return part;
    try {
      return compileExpression(part, prefixes);
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      reader.warning(element, `{${part}} is taken for text: ${error.message}`, { expected: '{expression}' });
      return `{${part}}`;
    }
  });
}

function isExpression(part: string | Expression): part is Expression {
  return typeof part !== 'string';
}

/** The element that a text is; undefined when it is something else. */
export function asElement(text: string): XmlElement | undefined {
  const trimmed = text.trim();
  if (trimmed.length < 4 || !trimmed.startsWith('<') || !trimmed.endsWith('>')) return undefined;
  try {
    return parseXml(trimmed).documentElement ?? undefined;
  } catch (error) {
    if (error instanceof XmlSyntaxError) return undefined;
    throw error;
  }
}
