import { dynamic, expression } from '../../expressions/attribute-types.ts';
import { compileExpression } from '../../expressions/compile-expression.ts';
import type { Expression } from '../../expressions/expression.ts';
import { readAttributes, text } from '../../grammar/attributes.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import { limitsOf } from '../../isolation/limits.ts';
import { IsolationError, runIsolated } from '../../isolation/worker-pool.ts';
import { logger } from '../../logging/index.ts';
import { aboutMessage } from '../../mediation/about-message.ts';
import { mediator } from '../../mediation/component.ts';
import { type Entry, findEntry } from '../../message/entry.ts';
import { MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { JsonValue } from '../../message/property-value.ts';
import { textOfEntry } from '../../scripting/sent-message.ts';
import type { XqueryResult, XqueryType } from '../../transform/xquery-job.ts';
import { serializeXml, type XmlElement, XPathError } from '../../xml/index.ts';
import { isElement, replaceSource, resultElement } from './transform-target.ts';

const log = logger('XQueryMediator');

const FAILED = 'Unable to execute the query ';
/** The reference's types, by what they are here. */
const TYPES: Readonly<Record<string, XqueryType>> = {
  INT: 'integer',
  INTEGER: 'integer',
  SHORT: 'integer',
  LONG: 'integer',
  BYTE: 'integer',
  BOOLEAN: 'boolean',
  DOUBLE: 'double',
  FLOAT: 'float',
  STRING: 'string',
  DOCUMENT: 'node',
  ELEMENT: 'node',
};
const VARIABLE_ATTRIBUTES = {
  name: text({ doc: 'The external variable of the query.' }),
  type: text({ doc: `One of: ${Object.keys(TYPES).join(', ')}.` }),
  value: text({ doc: 'The value, literally.' }),
  key: text({ doc: 'An entry that is the value, or that the expression looks into.' }),
  expression: text({ doc: 'An XPath over the entry, or over the message; relative to the first child of the Body.' }),
} as const;

/** One `<variable>`; undefined: the message has no value for it. */
interface Variable {
  readonly name: string;
  readonly type: XqueryType;
  value(message: MessageContext): string | undefined;
}

/** Runs an XQuery over the message (spec mediators 3.30), in an isolated thread. Queries can fetch nothing. */
export const xquery = mediator({
  element: 'xquery',
  packages: ['fontoxpath'],
  doc: 'Replaces the payload, or a part of the message, by the result of an XQuery.',
  attributes: {
    key: dynamic({
      required: true,
      missing: "The 'key' attribute is required for the XQuery mediator",
      doc: 'The local entry or registry resource that holds the query.',
    }),
    target: expression({ doc: 'What the result replaces; the first child of the Body if absent.' }),
  },
  children: ['dataSource', 'variable'],
  compile({ element, attributes: { key, target }, reader }) {
    const errors = reader.diagnostics.length;
    const variables = element.childrenNamed('variable').flatMap((child) => readVariable(child, reader));
    if (reader.diagnostics.slice(errors).some(({ severity }) => severity === 'error')) return undefined;
    return async (message) => {
      try {
        const entry = findEntry(message.configuration, key.evaluate(message) ?? '');
        if (!entry) throw new MediationError(`there is no entry with the key '${key.evaluate(message) ?? ''}'`);
        const query = textOfEntry(entry).trim();
        if (query === '') return true;
        const result = await run(query, variables, message);
        place(result, target, message);
      } catch (cause) {
        if (!(cause instanceof IsolationError) && !(cause instanceof MediationError)) throw cause;
        throw new MediationError(`${FAILED}: ${cause.message}`, { cause });
      }
      return true;
    };
  },
});

async function run(query: string, variables: readonly Variable[], message: MessageContext): Promise<XqueryResult> {
  const bound = variables.flatMap(({ name, type, value }) => {
    const given = value(message);
    return given === undefined ? [] : [{ name, type, value: given }];
  });
  return runIsolated('xquery', { query, variables: bound }, limitsOf(message.configuration).transformMs);
}

/** Without name or type it is skipped, as in the reference, though not in silence. */
function readVariable(element: ConfigElement, reader: ArtifactReader): Variable[] {
  const attributes = readAttributes(element, VARIABLE_ATTRIBUTES, reader);
  if (!attributes) return [];
  const { name, type: written, value, key, expression: path } = attributes;
  if (!name || !written) {
    reader.warning(element, 'a <variable> without name or type is ignored', { expected: 'name="…" type="…"' });
    return [];
  }
  const type = Object.hasOwn(TYPES, written) ? TYPES[written] : undefined;
  if (!type) {
    reader.error(element, `Unsupported Type : ${written}`, {
      attribute: 'type',
      expected: `one of: ${Object.keys(TYPES).join(', ')}`,
    });
    return [];
  }
  if (value?.trim()) return [{ name, type, value: () => value.trim() }];
  const compiled = path === undefined ? undefined : readPath(element, path, reader);
  if (path !== undefined && !compiled) return [];
  return [{ name, type, value: (message) => found(message, key, compiled, type) }];
}

function readPath(element: ConfigElement, path: string, reader: ArtifactReader): Expression | undefined {
  try {
    return compileExpression(path, element.prefixes());
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    reader.error(element, `Invalid XPath specified for the variable: ${cause.message}`, { attribute: 'expression' });
    return undefined;
  }
}

/** The value of a variable that is not written in the artifact. */
function found(
  message: MessageContext,
  key: string | undefined,
  path: Expression | undefined,
  type: XqueryType,
): string | undefined {
  if (key === undefined) return path ? selected(path, message, type) : inBody(message, type);
  const entry = findEntry(message.configuration, key);
  if (!entry) throw new MediationError(`there is no entry with the key '${key}'`);
  if (!path) return type === 'node' ? entry.text : textOfEntry(entry);
  return selected(path, messageOfEntry(message, key, entry), type);
}

/** The entry in the place of the Body's child, so that expressions look into it. */
function messageOfEntry(message: MessageContext, key: string, { text: content, xml }: Entry): MessageContext {
  const copy = message.copy();
  try {
    copy.payload.replaceBody(xml ?? resultElement(content));
  } catch (cause) {
    throw new MediationError(`the entry '${key}' is no XML`, { cause });
  }
  return copy;
}

function selected(path: Expression, message: MessageContext, type: XqueryType): string | undefined {
  try {
    if (type !== 'node') return path.stringValue(message) ?? undefined;
    const [node] = path.nodes(message);
    if (node && !(node instanceof JsonValue) && isElement(node)) return serializeXml(node);
    return path.stringValue(message) ?? undefined;
  } catch (cause) {
    if (cause instanceof XPathError) throw new MediationError(cause.message, { cause });
    throw cause;
  }
}

function inBody({ payload }: MessageContext, type: XqueryType): string | undefined {
  const child = payload.firstBodyChild();
  if (!child) return undefined;
  return type === 'node' ? serializeXml(child) : (child.textContent ?? '');
}

/** Only the first item of a result counts: XML replaces the target, anything else becomes its text. */
function place(result: XqueryResult, target: Expression | undefined, message: MessageContext): void {
  if (result.kind === 'nothing') {
    log.debug('The query gives nothing', aboutMessage(message));
    return;
  }
  const { payload } = message;
  const node = targetOf(target, message);
  if (result.kind === 'xml') {
    replaceSource(message, node, resultElement(result.value));
    return;
  }
  if (!node)
    throw new MediationError(`the query gives the text '${result.value}', and there is no element to put it into`);
  while (node.firstChild) node.removeChild(node.firstChild);
  const document = node.ownerDocument;
  if (document) node.appendChild(document.createTextNode(result.value));
  payload.changed();
}

function targetOf(target: Expression | undefined, message: MessageContext): XmlElement | undefined {
  if (!target) return message.payload.firstBodyChild();
  const [node] = target.nodes(message);
  if (node && !(node instanceof JsonValue) && isElement(node)) return node;
  throw new MediationError(`the target '${target.source}' selects no element`);
}
