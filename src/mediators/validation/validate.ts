import { dynamic, expression } from '../../expressions/attribute-types.ts';
import type { Expression } from '../../expressions/expression.ts';
import { plainJson } from '../../expressions/json-text.ts';
import type { DynamicValue } from '../../expressions/value.ts';
import { nonEmptyText, readAttributes, text } from '../../grammar/attributes.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import { logger } from '../../logging/index.ts';
import { aboutMessage } from '../../mediation/about-message.ts';
import { mediator } from '../../mediation/component.ts';
import { runSteps, type StepList } from '../../mediation/step.ts';
import { findEntry } from '../../message/entry.ts';
import { MediationError } from '../../message/errors.ts';
import { JsonSyntaxError, parseLenientJson } from '../../message/json.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { JsonValue } from '../../message/property-value.ts';
import { parseXml, serializeXml, type XmlNode, XmlSyntaxError } from '../../xml/index.ts';
import { jsonSchema } from './json-schema.ts';
import { xsdSchema } from './xsd-schema.ts';

const log = logger('ValidateMediator');

const SCHEMA_ATTRIBUTES = {
  key: dynamic({
    required: true,
    missing: "A 'schema' definition must contain a local property 'key'",
    doc: 'The local entry or registry resource that holds the schema.',
  }),
} as const;
const FEATURE_ATTRIBUTES = {
  name: nonEmptyText({ required: true, doc: 'The feature of the validator.' }),
  value: text({ required: true, doc: 'true or false.' }),
} as const;
const RESOURCE_ATTRIBUTES = {
  location: nonEmptyText({ required: true, doc: 'A schemaLocation, as the schema writes it.' }),
  key: nonEmptyText({ required: true, doc: 'The entry that stands behind it.' }),
} as const;

/** What one `<validate>` says. */
interface Definition {
  readonly source: Expression | undefined;
  readonly schemas: readonly DynamicValue[];
  /** Keys of entries by schemaLocation. */
  readonly resources: ReadonlyMap<string, string>;
  readonly alwaysJson: boolean;
  readonly cache: boolean;
  readonly onFail: StepList;
}

/** What is wrong with a message. */
interface Failure {
  readonly message: string;
  readonly detail: string;
  readonly exception?: string;
}

/** Checks a message against a schema (spec mediators 3.28). Schemas and what they import come from entries, never from the network. */
export const validate = mediator({
  element: 'validate',
  packages: ['libxml2-wasm'],
  doc: 'Checks the message against W3C XML Schemas or a JSON Schema and runs <on-fail> for one that is not valid.',
  attributes: {
    source: expression({
      invalid: "Invalid XPath expression specified for attribute 'source'",
      doc: 'What is checked; the first child of the Body, or the whole JSON payload, if absent.',
    }),
    'cache-schema': text({ doc: 'false compiles the schema for every message.' }),
    'json-source': text({ doc: 'true: the source is JSON whatever the payload is.' }),
  },
  children: ['schema', 'property', 'feature', 'resource', 'on-fail'],
  compile({ element, attributes, reader, compileList }) {
    const schemas = element
      .childrenNamed('schema')
      .flatMap((child) => readAttributes(child, SCHEMA_ATTRIBUTES, reader)?.key ?? []);
    if (element.childrenNamed('schema').length === 0) {
      reader.error(element, 'No schema specified for the validate mediator', { expected: '<schema key="…"/>' });
    }
    readFeatures(element, reader);
    const resources = readResources(element, reader);
    const failing = element.child('on-fail');
    const onFail = failing && compileList(failing, 'on-fail');
    if (!failing?.children.length) {
      reader.error(element, 'A non-empty <on-fail> child element is required for the <validate> mediator');
    }
    if (!onFail || schemas.length === 0) return undefined;
    const definition: Definition = {
      source: attributes.source,
      schemas,
      resources,
      alwaysJson: attributes['json-source']?.toLowerCase() === 'true',
      cache: attributes['cache-schema']?.toLowerCase() !== 'false',
      onFail,
    };
    return (message) => mediate(definition, message);
  },
});

/** Features belong to the reference's validator; ours needs none of them. */
function readFeatures(element: ConfigElement, reader: ArtifactReader): void {
  for (const child of element.childrenNamed('feature')) {
    const feature = readAttributes(child, FEATURE_ATTRIBUTES, reader);
    if (feature && !['true', 'false'].includes(feature.value.toLowerCase())) {
      reader.error(child, 'The feature must have value true or false', {
        attribute: 'value',
        expected: 'true or false',
      });
    }
  }
}

function readResources(element: ConfigElement, reader: ArtifactReader): Map<string, string> {
  const found = new Map<string, string>();
  for (const child of element.childrenNamed('resource')) {
    const resource = readAttributes(child, RESOURCE_ATTRIBUTES, reader);
    if (resource) found.set(resource.location, resource.key);
  }
  return found;
}

async function mediate(definition: Definition, message: MessageContext): Promise<boolean> {
  const isJson = definition.alwaysJson || message.payload.json() !== undefined;
  const failure = await (isJson ? checkJson(definition, message) : checkXml(definition, message));
  if (!failure) return true;
  log.debug(`The message is not valid: ${failure.detail}`, aboutMessage(message));
  message.properties.set('ERROR_MESSAGE', failure.message);
  message.properties.set('ERROR_DETAIL', failure.detail);
  if (failure.exception !== undefined) message.properties.set('ERROR_EXCEPTION', failure.exception);
  return runSteps(definition.onFail, message);
}

async function checkJson({ source, schemas }: Definition, message: MessageContext): Promise<Failure | undefined> {
  const key = (schemas.at(-1) as DynamicValue).evaluate(message) ?? '';
  const entry = findEntry(message.configuration, key);
  if (!entry) throw new MediationError(`Can not find JSON Schema ${key}`);
  if (source?.kind === 'xpath') {
    throw new MediationError(
      'Could not find JSONPath or Synapse Expression to extract the message to validate from the payload',
    );
  }
  const check = await jsonSchema(entry.text);
  const text = (source ? source.stringValue(message) : message.payload.jsonText())?.trim() || '{}';
  const problem = check(valueToCheck(text, source));
  return problem === undefined
    ? undefined
    : { message: problem, detail: `Error while validating Json message ${problem}` };
}

/** Text that an expression selects may be a plain word, which stands for itself. */
function valueToCheck(text: string, source: Expression | undefined): unknown {
  try {
    return plainJson(parseLenientJson(text));
  } catch (cause) {
    if (!(cause instanceof JsonSyntaxError)) throw cause;
    if (source) return text;
    throw new MediationError(`Error while validating the JSON message: ${cause.message}`, { cause });
  }
}

async function checkXml(definition: Definition, message: MessageContext): Promise<Failure | undefined> {
  const { source, schemas, resources, cache } = definition;
  const xml = xmlToCheck(source, message);
  if (xml === undefined) {
    const text = `Error occurred while accessing source element: ${source?.source ?? 's11:Body/child::*[position()=1]'}`;
    return { message: text, detail: text };
  }
  const texts = schemas.map((schema) => schemaText(schema.evaluate(message) ?? '', message));
  const schema = await xsdSchema(
    texts,
    (location) => {
      const key = resources.get(location);
      return key === undefined ? undefined : findEntry(message.configuration, key)?.text;
    },
    cache,
  );
  const problems = schema.problems(xml);
  if (problems.length === 0) return undefined;
  const all = problems.map((problem) => `${problem}\n`).join('');
  return { message: all, detail: all, exception: problems[0] ?? '' };
}

function schemaText(key: string, { configuration }: MessageContext): string {
  const entry = findEntry(configuration, key);
  if (!entry) throw new MediationError(`No Schema is available with the key  : ${key}`);
  return entry.text;
}

/** The source as a document of its own; undefined when there is none. */
function xmlToCheck(source: Expression | undefined, message: MessageContext): string | undefined {
  if (!source) {
    const child = message.payload.firstBodyChild();
    return child && serializeXml(child);
  }
  const [node] = source.nodes(message);
  if (node && !(node instanceof JsonValue) && isElement(node)) return serializeXml(node);
  const written = source.stringValue(message)?.trim();
  if (!written?.startsWith('<')) return undefined;
  try {
    return serializeXml(parseXml(written));
  } catch (error) {
    if (error instanceof XmlSyntaxError) return undefined;
    throw error;
  }
}

function isElement(node: XmlNode): boolean {
  return node.nodeType === 1;
}
