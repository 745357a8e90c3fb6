import { compileExpression } from '../../expressions/compile-expression.ts';
import type { Expression, Prefixes } from '../../expressions/expression.ts';
import { ERROR_CODES, MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';
import {
  cloneInto,
  joinTexts,
  maxPayloadLength,
  NODE_TYPES,
  newDocument,
  serializeXml,
  TooLargeError,
  type XmlElement,
  type XmlNode,
} from '../../xml/index.ts';
import { type ArgumentValue, argumentText, expressionText, type MediaType } from './payload-values.ts';

/** A `$N` of a template, counting from 1. */
interface ArgumentPlace {
  readonly kind: 'argument';
  readonly number: number;
}
interface ExpressionPlace {
  readonly kind: 'expression';
  readonly expression: Expression;
  /** Written with quotes around it, which belong to the place. */
  readonly quoted: boolean;
}
type Part = string | ArgumentPlace | ExpressionPlace;

/** A default template, cut into literal text and places (spec mediators 3.7.1). */
export interface PayloadTemplate {
  readonly parts: readonly Part[];
  readonly media: MediaType;
}

/** In one left-to-right scan: `"${expression}"`, `${expression}`, `$N`. An expression ends at the first closing brace. */
const PLACE = /("?)\$\{([^}]*)\}("?)|\$(\d+)/g;

/**
 * @throws ValueError for an expression that is wrong
 */
export function parseTemplate(text: string, media: MediaType, prefixes: Prefixes): PayloadTemplate {
  const parts: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(PLACE)) {
    const [whole, opening = '', source, closing = '', number] = match;
    const quoted = opening !== '' && closing !== '';
    // A single quote mark beside an expression is text.
    const from = match.index + (quoted ? 0 : opening.length);
    parts.push(text.slice(end, from));
    end = match.index + whole.length - (quoted ? 0 : closing.length);
    if (number !== undefined) parts.push({ kind: 'argument', number: Number(number) });
    else parts.push({ kind: 'expression', quoted, expression: compilePlace(source ?? '', media, prefixes) });
  }
  parts.push(text.slice(end));
  return { parts: parts.filter((part) => part !== ''), media };
}

/** In XML the text of an expression is escaped as all text is. */
function compilePlace(source: string, media: MediaType, prefixes: Prefixes): Expression {
  const text = media === 'xml' ? unescaped(source) : source;
  return compileExpression(`\${${text}}`, prefixes);
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replace(/&(lt|gt|amp|quot|apos);/g, (_, name: string) => ENTITIES[name] ?? '');
}

/** The numbers of the arguments that a template asks for. */
export function argumentNumbers({ parts }: PayloadTemplate): number[] {
  return parts.flatMap((part) => (typeof part === 'object' && part.kind === 'argument' ? [part.number] : []));
}

/** An argument of the factory, evaluated for one message. */
export type Argument = (message: MessageContext) => ArgumentValue;

export interface FillOptions {
  readonly args: readonly Argument[];
  /** Control characters inside JSON arguments are escaped. */
  readonly escapeControls: boolean;
}

/**
 * The text that a template gives for a message. Every argument and every distinct expression is evaluated once.
 * @throws MediationError when it asks for an argument that there is not (MREQ-9), or one cannot be evaluated; 601000 when the text is too
 *   large to be a payload (OP-91)
 */
export function fillTemplate(template: PayloadTemplate, message: MessageContext, options: FillOptions): string {
  const { media, parts } = template;
  const quoteText = media === 'json' && message.text('QUOTE_STRING_IN_PAYLOAD_FACTORY_JSON') === 'true';
  const known = new Map<string, string>();
  const once = (key: string, make: () => string) => {
    const text = known.get(key) ?? make();
    known.set(key, text);
    return text;
  };
  const fill = (part: Part) => {
    if (typeof part === 'string') return part;
    if (part.kind === 'expression')
      return once(`${part.quoted} ${part.expression.source}`, () =>
        expressionText(part.expression, part.quoted, media, message),
      );
    return once(String(part.number), () => {
      const argument = options.args[part.number - 1];
      if (!argument) throw missingArgument(part.number, options.args.length);
      return argumentText(argument(message), media, { ...options, quoteText });
    });
  };
  const texts = parts.map(fill);
  try {
    return joinTexts(texts, 'payloadFactory', maxPayloadLength());
  } catch (cause) {
    if (!(cause instanceof TooLargeError)) throw cause;
    throw new MediationError(cause.message, { code: ERROR_CODES.payloadParseFailed, cause });
  }
}

export function missingArgument(number: number, count: number): MediationError {
  return new MediationError(`payloadFactory: no argument for $${number} (${count} arguments defined)`);
}

/** An XML template as text, without the text nodes that hold nothing but white space. */
export function templateOfElement(element: XmlElement): string {
  const copy = cloneInto(newDocument(null, 'template'), element);
  stripBlanks(copy);
  return serializeXml(copy);
}

function stripBlanks(element: XmlElement): void {
  let next: XmlNode | null = element.firstChild;
  while (next) {
    const node: XmlNode = next;
    next = node.nextSibling;
    if (node.nodeType === NODE_TYPES.element) stripBlanks(node as XmlElement);
    else if (node.nodeType === NODE_TYPES.text && (node.nodeValue ?? '').trim() === '') element.removeChild(node);
  }
}
