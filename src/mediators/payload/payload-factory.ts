import { dynamic } from '../../expressions/attribute-types.ts';
import { compileExpression } from '../../expressions/compile-expression.ts';
import type { Expression } from '../../expressions/expression.ts';
import type { DynamicValue } from '../../expressions/value.ts';
import { javaBoolean, oneOf, readAttributes, text, ValueError } from '../../grammar/attributes.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import { always, type MediatorCompilation, mediator } from '../../mediation/component.ts';
import { findEntry } from '../../message/entry.ts';
import { MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { elementChildren } from '../../xml/index.ts';
import { setGeneratedPayload } from './payload-result.ts';
import {
  type Argument,
  argumentNumbers,
  fillTemplate,
  type PayloadTemplate,
  parseTemplate,
  templateOfElement,
} from './payload-template.ts';
import type { MediaType } from './payload-values.ts';

const ATTRIBUTES = {
  'media-type': oneOf(['xml', 'json', 'text'], { doc: 'What the template makes.', default: 'xml' }),
  'template-type': text({ doc: '`default`.', default: 'default' }),
  escapeXmlChars: javaBoolean({ doc: '`true` escapes line ends and tabs inside JSON arguments.', default: false }),
} as const;
const FORMAT_ATTRIBUTES = {
  key: dynamic({ doc: 'The local entry or registry resource that holds the template; may be `{expression}`.' }),
} as const;
const ARG_ATTRIBUTES = {
  value: text({ doc: 'The value, literally.' }),
  expression: text({ doc: 'The expression that gives the value.' }),
  evaluator: text({ doc: '`json`: the expression is a JSONPath.' }),
  literal: javaBoolean({ doc: '`true`: the value is plain text even if it looks like JSON or XML.', default: false }),
  deepCheck: text({ doc: 'Accepted and without effect.' }),
} as const;

type Compilation = MediatorCompilation<typeof ATTRIBUTES>;
type TemplateFor = (message: MessageContext) => PayloadTemplate;

/** Makes the payload anew from a template and arguments (spec mediators 3.7). */
export const payloadFactory = mediator({
  element: 'payloadFactory',
  doc: 'Replaces the payload by what a template gives with its arguments and expressions filled in.',
  attributes: ATTRIBUTES,
  children: ['format', 'args'],
  compile(compilation) {
    const { element, attributes, reader } = compilation;
    const media = attributes['media-type'];
    if (attributes['template-type'].toLowerCase() === 'freemarker') {
      reader.error(
        element,
        'FreeMarker templates of <payloadFactory> are not supported: FreeMarker is a Java library',
        {
          attribute: 'template-type',
          expected:
            'template-type="default", which knows $1, $2 … and expressions; loops and conditions: <script> or <xslt>',
        },
      );
      return undefined;
    }
    const args = readArguments(compilation);
    const template = readFormat(compilation, media, args?.length ?? 0);
    if (!args || !template) return undefined;
    const options = { args, escapeControls: attributes.escapeXmlChars };
    return always((message) => {
      const filled = fillTemplate(template(message), message, options).trim();
      setGeneratedPayload(message, filled, media);
    });
  },
});

function readFormat({ element, reader }: Compilation, media: MediaType, count: number): TemplateFor | undefined {
  const format = element.child('format');
  if (!format) {
    reader.error(element, 'format element of payloadFactoryMediator is required', { expected: '<format>…</format>' });
    return undefined;
  }
  const key = readAttributes(format, FORMAT_ATTRIBUTES, reader);
  if (!key) return undefined;
  return key.key ? templateByKey(key.key, media, format, reader) : inlineTemplate(format, media, count, reader);
}

function inlineTemplate(
  format: ConfigElement,
  media: MediaType,
  count: number,
  reader: ArtifactReader,
): TemplateFor | undefined {
  const [child] = media === 'xml' ? elementChildren(format.node) : [];
  const written = child ? templateOfElement(child) : format.text;
  try {
    const template = parseTemplate(written, media, format.prefixes());
    for (const number of argumentNumbers(template)) {
      if (number > 0 && number <= count) continue;
      reader.warning(format, `there is no argument for $${number}: every message will fail`, {
        expected: `${count} arguments are defined`,
      });
    }
    return () => template;
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    reader.error(format, `Invalid Payload format : ${error.message}`, { expected: error.expected ?? 'an expression' });
    return undefined;
  }
}

/** The template of an entry is looked up for every message and parsed again when its text is another. */
function templateByKey(
  key: DynamicValue,
  media: MediaType,
  format: ConfigElement,
  reader: ArtifactReader,
): TemplateFor {
  if (key.static !== undefined && !/^\w+:/.test(key.static)) reader.refer('localEntry', key.static, format, 'key');
  const prefixes = format.prefixes();
  let latest: { readonly text: string; readonly template: PayloadTemplate } | undefined;
  return (message) => {
    const name = key.static ?? key.evaluate(message) ?? '';
    const entry = findEntry(message.configuration, name);
    if (!entry) throw new MediationError(`Key ${name} not found `);
    const written = entry.xml ? templateOfElement(entry.xml) : entry.text;
    if (latest?.text !== written) latest = { text: written, template: parsed(written) };
    return latest.template;
  };

  function parsed(written: string): PayloadTemplate {
    try {
      return parseTemplate(written, media, prefixes);
    } catch (cause) {
      if (!(cause instanceof ValueError)) throw cause;
      throw new MediationError(`Invalid Payload format : ${cause.message}`, { cause });
    }
  }
}

function readArguments({ element, reader }: Compilation): Argument[] | undefined {
  const found: Argument[] = [];
  let complete = true;
  for (const child of element.child('args')?.childrenNamed('arg') ?? []) {
    const argument = readArgument(child, reader);
    if (argument) found.push(argument);
    else complete = false;
  }
  return complete ? found : undefined;
}

function readArgument(element: ConfigElement, reader: ArtifactReader): Argument | undefined {
  const attributes = readAttributes(element, ARG_ATTRIBUTES, reader);
  if (!attributes) return undefined;
  const { value, expression: written, literal } = attributes;
  if (value !== undefined) return () => ({ text: value, isJson: false, literal });
  if (written === undefined) {
    reader.error(element, 'Unsupported arg type. value or expression attribute required', {
      expected: 'value="…" or expression="…"',
    });
    return undefined;
  }
  const expression = readExpression(element, written, attributes.evaluator === 'json', reader);
  if (!expression) return undefined;
  const mayBeJson = expression.kind !== 'xpath';
  return (message) => {
    const evaluated = expression.stringValue(message) ?? '';
    return { text: evaluated, isJson: mayBeJson && !literal && /^\s*[{[]/.test(evaluated), literal };
  };
}

function readExpression(
  element: ConfigElement,
  written: string,
  isJsonPath: boolean,
  reader: ArtifactReader,
): Expression | undefined {
  const details = { attribute: 'expression', expected: isJsonPath ? 'a JSONPath' : 'an expression' };
  if (written.trim() === '') {
    reader.error(element, 'Attribute value for xpath cannot be empty', details);
    return undefined;
  }
  try {
    const source = isJsonPath && !written.startsWith('json-eval(') ? `json-eval(${written})` : written;
    const compiled = compileExpression(source, element.prefixes());
    for (const warning of compiled.warnings) reader.warning(element, warning, { attribute: 'expression' });
    return compiled;
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    const problem = `Invalid XPath expression for attribute expression : ${written}: ${error.message}`;
    reader.error(element, problem, { ...details, expected: error.expected ?? details.expected });
    return undefined;
  }
}
