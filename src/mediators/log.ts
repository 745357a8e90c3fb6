import { expression } from '../expressions/attribute-types.ts';
import { compileExpression } from '../expressions/compile-expression.ts';
import type { Expression } from '../expressions/expression.ts';
import { javaBoolean, nonEmptyText, readAttributes, text, ValueError } from '../grammar/attributes.ts';
import { nearestName } from '../grammar/diagnostic.ts';
import type { ConfigElement } from '../grammar/element.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import { type LogLevel, logger } from '../logging/index.ts';
import { aboutMessage } from '../mediation/about-message.ts';
import { mediator } from '../mediation/component.ts';
import { MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';
import { previewPayload } from '../observation/payload-preview.ts';
import { elementChildren, serializeXml, textOf } from '../xml/index.ts';

const lines = logger('LogMediator');

const LEVELS = ['simple', 'headers', 'full', 'custom'] as const;
const CATEGORIES = ['INFO', 'TRACE', 'DEBUG', 'WARN', 'ERROR', 'FATAL'] as const;
/** A full log shows at most this much of a payload, in characters (OP-94). */
const PAYLOAD_PREVIEW = 64 * 1024;
/** A body of more bytes that nobody has read is not read for the log. */
const LARGE_BYTES = 1024 * 1024;
/** The reference shows every envelope with it (spec proxies 4.2). */
const XML_DECLARATION = "<?xml version='1.0' encoding='utf-8'?>";

type Text = (message: MessageContext) => string;

/** Writes a line about the message to the log (spec proxies 4.2, mediators 3.2). */
export const log = mediator({
  element: 'log',
  doc: 'Writes a line about the message to the log.',
  attributes: {
    level: text({ doc: 'simple, headers, full or custom.' }),
    category: text({ doc: 'INFO, TRACE, DEBUG, WARN, ERROR or FATAL.', default: 'INFO' }),
    separator: text({ doc: 'Between the parts; \\n and \\t are understood.', default: ', ' }),
    logFullPayload: javaBoolean({ doc: 'The same as level="full".' }),
    logMessageID: javaBoolean({ doc: 'Adds the message id to custom lines.' }),
  },
  children: ['property', 'message'],
  compile({ element, attributes, reader, leavesBody }) {
    const level = readLevel(element, reader);
    const category = readCategory(element, attributes.category, reader);
    const properties = readLogProperties(element, reader);
    const template = readTemplate(element, reader);
    if (level === 'invalid' || !category) return undefined;
    const chosen = attributes.logFullPayload ? 'full' : (level ?? (template ? 'template' : 'simple'));
    const reads = chosen === 'headers' || template !== undefined || properties.needBody;
    if (!reads) leavesBody(chosen === 'full' ? 'after a failure' : 'always');
    const rendererWith = (separator: string) =>
      renderer(chosen, {
        separator,
        properties: properties.texts,
        template,
        messageId: attributes.logMessageID === true,
      });
    const render = rendererWith(unescapeText(attributes.separator));
    // Apache's takes the separator as it is written (spec proxies 12).
    const plain = attributes.separator.includes('\\') ? rendererWith(attributes.separator) : render;
    const logLevel = category.toLowerCase() as LogLevel;
    return (message) => {
      if (lines.enabled(logLevel))
        lines.log(
          logLevel,
          artifactPrefix(message) + (readsEscapes(message) ? render : plain)(message),
          aboutMessage(message),
        );
      return true;
    };
  },
});

/** Writes what `<log>` with this level and separator, and nothing else in it, does. */
export function logLine(message: MessageContext, level: (typeof LEVELS)[number], separator: string): void {
  if (!lines.enabled('info')) return;
  const render = renderer(level, { separator, properties: [], template: undefined, messageId: false });
  lines.info(artifactPrefix(message) + render(message), aboutMessage(message));
}

function readsEscapes({ configuration }: MessageContext): boolean {
  return configuration.services.compat?.logSeparatorEscapes ?? true;
}

interface Parts {
  readonly separator: string;
  readonly properties: ReadonlyArray<(message: MessageContext) => string>;
  readonly template: Text | undefined;
  readonly messageId: boolean;
}

function renderer(level: (typeof LEVELS)[number] | 'template', parts: Parts): Text {
  const { separator, properties, template } = parts;
  const propertyText: Text = (message) => properties.map((render) => separator + render(message)).join('');
  const withoutLeadingSeparator = (line: string) => (line.startsWith(separator) ? line.slice(separator.length) : line);
  const opening: Text = (message) => (template ? template(message) + separator : '');
  switch (level) {
    case 'simple':
      return (message) => opening(message) + simpleText(message, separator) + propertyText(message);
    case 'full':
      return (message) =>
        opening(message) + simpleText(message, separator) + propertyText(message) + separator + payloadText(message);
    case 'headers':
      return (message) =>
        opening(message) + withoutLeadingSeparator(headersText(message, separator) + propertyText(message));
    default:
      return (message) => {
        const ids = parts.messageId ? identityText(message, separator) : '';
        return withoutLeadingSeparator(ids + (template ? separator + template(message) : '') + propertyText(message));
      };
  }
}

function simpleText(message: MessageContext, separator: string): string {
  const field = (name: string, value: string | undefined) =>
    value === undefined ? '' : `${separator}${name}: ${value}`;
  return (
    `To: ${message.to ?? ''}` +
    field('From', message.from) +
    field('WSAction', message.action) +
    field('SOAPAction', message.action) +
    field('ReplyTo', message.replyTo) +
    field('MessageID', message.messageId) +
    field('correlation_id', correlationId(message)) +
    field('Direction', message.direction)
  );
}

function headersText(message: MessageContext, separator: string): string {
  const correlation = correlationId(message);
  let line = correlation === undefined ? '' : ` correlation_id : ${correlation}`;
  const header = message.payload.header();
  for (const block of header ? elementChildren(header) : [])
    line += `${separator}${block.localName} : ${textOf(block)}`;
  return line;
}

/** Of what is large the beginning is shown as it is: building or writing all of it for the log would cost many times its size (OP-94). */
function largePayloadText({ payload }: MessageContext): string | undefined {
  const { stream } = payload;
  const bytes = stream ? stream.length : payload.originalBytes()?.byteLength;
  const unread = stream !== undefined || (bytes !== undefined && bytes > LARGE_BYTES);
  if (!unread && payload.kind !== 'envelope') return undefined;
  if (!unread && payload.untouched) return undefined;
  const { text, language, truncated } = previewPayload(payload, PAYLOAD_PREVIEW);
  if (!truncated) return undefined;
  const more = unread
    ? `… (the beginning of ${bytes === undefined ? 'more' : `${bytes} bytes`})`
    : '… (more characters)';
  return `${language === 'json' ? 'Payload' : 'Envelope'}: ${text}${more}`;
}

function payloadText(message: MessageContext): string {
  try {
    const large = largePayloadText(message);
    if (large !== undefined) return large;
    const json = message.payload.json();
    return json !== undefined
      ? `Payload: ${preview(json)}`
      : `Envelope: ${XML_DECLARATION}${preview(serializeXml(message.payload.envelope()))}`;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const { code, status } = cause instanceof MediationError ? cause : {};
    message.payload.clear();
    throw new MediationError(`Could not build full log message: ${reason}`, {
      ...(code !== undefined && { code }),
      ...(status !== undefined && { status }),
      cause,
    });
  }
}

function preview(payload: string): string {
  if (payload.length <= PAYLOAD_PREVIEW) return payload;
  return `${payload.slice(0, PAYLOAD_PREVIEW)}… (${payload.length - PAYLOAD_PREVIEW} more characters)`;
}

function identityText(message: MessageContext, separator: string): string {
  const correlation = correlationId(message);
  const id = `${separator}MessageID: ${message.messageId}`;
  return correlation === undefined ? id : `${id}${separator}correlation_id: ${correlation}`;
}

function correlationId(message: MessageContext): string | undefined {
  const value = message.axis2.get('correlation_id');
  return value === undefined ? undefined : String(value);
}

/** `{proxy:P} ` for a message of proxy P (spec proxies 9.1). */
export function artifactPrefix(message: MessageContext): string {
  const name = message.text('ARTIFACT_NAME');
  if (name === undefined || message.configuration.services.compat?.logPrefix === false) return '';
  for (const kind of ['proxy', 'inboundendpoint', 'api']) {
    if (name.startsWith(kind)) return `{${kind}:${name.slice(kind.length)}} `;
  }
  return `{${name}} `;
}

const PROPERTY_ATTRIBUTES = {
  name: nonEmptyText({
    required: true,
    missing: 'Entry name is a required attribute for a Log property',
    doc: 'Its label.',
  }),
  value: text({ doc: 'The value, literally.' }),
  expression: expression({ doc: 'XPath or json-eval(…) that gives the value.' }),
  scope: text({ doc: 'Accepted and without effect.' }),
  type: text({ doc: 'Accepted and without effect.' }),
} as const;

function readLogProperties(element: ConfigElement, reader: ArtifactReader): { texts: Text[]; needBody: boolean } {
  const found: Text[] = [];
  let needBody = false;
  for (const child of element.childrenNamed('property')) {
    const attributes = readAttributes(child, PROPERTY_ATTRIBUTES, reader);
    if (!attributes) continue;
    const { name, value, expression: computed } = attributes;
    const [xml] = child.children;
    if (value !== undefined) found.push(() => `${name} = ${value}`);
    else if (computed) {
      needBody ||= computed.needsBody;
      found.push((message) => `${name} = ${computed.stringValue(message)}`);
    } else if (xml) {
      const text = serializeXml(xml.node);
      found.push(() => `${name} = ${text}`);
    } else
      reader.error(child, 'A value or an expression must be specified for a property of <log>', {
        expected: 'value="…", expression="…" or an XML child',
      });
  }
  return { texts: found, needBody };
}

/** `<message>`: text with `${…}` placeholders; one that fails becomes empty. */
function readTemplate(element: ConfigElement, reader: ArtifactReader): Text | undefined {
  const child = element.child('message');
  if (!child) return undefined;
  const parts: Array<string | Expression> = [];
  for (const part of unescapeText(child.text).split(/(\$\{.*?\})/s)) {
    if (!part.startsWith('${')) {
      parts.push(part);
      continue;
    }
    try {
      parts.push(compileExpression(part, child.prefixes()));
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      reader.error(child, `Invalid message template : ${error.message}`);
    }
  }
  return (message) =>
    parts.map((part) => (typeof part === 'string' ? part : (part.stringValue(message) ?? ''))).join('');
}

function readLevel(element: ConfigElement, reader: ArtifactReader): (typeof LEVELS)[number] | undefined | 'invalid' {
  const written = element.attribute('level');
  const level = LEVELS.find((known) => known === written);
  if (written === undefined || level) return level;
  reader.error(element, 'Invalid log level. Level has to be one of the following : simple, headers, full, custom', {
    attribute: 'level',
    expected: `one of: ${LEVELS.join(', ')}`,
    ...nearestOf(written, LEVELS),
  });
  return 'invalid';
}

function readCategory(element: ConfigElement, written: string, reader: ArtifactReader) {
  const category = CATEGORIES.find((known) => known === written.trim().toUpperCase());
  if (!category) {
    reader.error(
      element,
      'Invalid log category. Category has to be one of the following : INFO, TRACE, DEBUG, WARN, ERROR, FATAL',
      { attribute: 'category', expected: `one of: ${CATEGORIES.join(', ')}` },
    );
  }
  return category;
}

function nearestOf(written: string, known: readonly string[]): { nearest?: string } {
  const nearest = nearestName(written, known);
  return nearest === undefined ? {} : { nearest };
}

/** In separators and templates, backslash n and t are a line break and a tab. */
function unescapeText(written: string): string {
  return written.replaceAll('\\n', '\n').replaceAll('\\t', '\t');
}
