import { compileExpression } from '../../expressions/compile-expression.ts';
import { parseDynamicValue } from '../../expressions/value.ts';
import { ValueError } from '../../grammar/attributes.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { cloneInto, newDocument, serializeXml } from '../../xml/index.ts';
import { fillTemplate, parseTemplate } from '../payload/payload-template.ts';
import type { MediaType } from '../payload/payload-values.ts';
import { type ParameterSource, sourceOf } from './call-template.ts';

/** One parameter of an operation. */
export interface OperationParameter {
  /** For operations that are built in. @throws MediationError when an expression fails */
  text(message: MessageContext): string | null;
  /** For templates. */
  readonly source: ParameterSource;
}

/** Parameters whose text is a payload of that type. */
const MEDIA: Readonly<Record<string, MediaType>> = { requestBodyJson: 'json', requestBodyXml: 'xml' };
const NO_ARGUMENTS = { args: [], escapeControls: true };

/** Reads the children of an operation (spec mediators 3.22); undefined after an error. */
export function readOperationParameters(
  element: ConfigElement,
  reader: ArtifactReader,
): ReadonlyMap<string, OperationParameter> | undefined {
  const parameters = new Map<string, OperationParameter>();
  let complete = true;
  for (const child of element.children) {
    if (child.name === 'description') continue;
    const parameter = readParameter(child, reader);
    if (parameter) parameters.set(child.name, parameter);
    else complete = false;
  }
  return complete ? parameters : undefined;
}

function readParameter(element: ConfigElement, reader: ArtifactReader): OperationParameter | undefined {
  try {
    if (element.children.length > 0 || element.attributeNames().length > 0) return structured(element);
    return plain(element, reader);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    reader.error(element, `parameter '${element.name}': ${error.message}`, {
      expected: error.expected ?? 'text or {expression}',
    });
    return undefined;
  }
}

/** Text, `{expression}`, or text with `${expression}` in it. */
function plain(element: ConfigElement, reader: ArtifactReader): OperationParameter | undefined {
  const text = element.text.trim();
  const media = MEDIA[element.name] ?? 'text';
  if (/\$\{[^}]*\}/.test(text) && !/^\{.*\}$/s.test(text)) return filled(text, media, element);
  // Text in braces need not be an expression: it may be JSON.
  if (media === 'json' && !/^\{\s*(?:\$\{|json-eval\(|\$\w+:)/.test(text)) return filled(text, media, element);
  const value = parseDynamicValue(text, element.prefixes());
  const source = sourceOf(value, element, reader);
  return source && { text: (message) => value.evaluate(message), source };
}

function filled(text: string, media: MediaType, element: ConfigElement): OperationParameter {
  const only = /^\$\{[^}]*\}$/.test(text) ? compileExpression(text, element.prefixes()) : undefined;
  if (only) return { text: (message) => only.stringValue(message), source: (message) => only.stringValue(message) };
  // `$1` is an argument of a payload factory, and text here.
  const template = parseTemplate(text.replace(/\$(?=\d)/g, '\uE000'), media, element.prefixes());
  const fill = (message: MessageContext) => fillTemplate(template, message, NO_ARGUMENTS).replaceAll('\uE000', '$');
  return { text: fill, source: fill };
}

/** What has elements or attributes is given as it is; to what is built in, as the XML inside. */
function structured(element: ConfigElement): OperationParameter {
  const copy = () => cloneInto(newDocument(null, 'parameter'), element.node);
  const inside = element.children.map((child) => serializeXml(child.node)).join('') || element.text.trim();
  const { text } = filled(inside, 'xml', element);
  return { text, source: copy };
}
