import { dynamic } from '../../expressions/attribute-types.ts';
import { jsonText } from '../../expressions/json-text.ts';
import { compileReplaceAll, compileWholeMatch } from '../../expressions/regex.ts';
import type { DynamicValue } from '../../expressions/value.ts';
import { readAttributes, text, ValueError } from '../../grammar/attributes.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import { mediator } from '../../mediation/component.ts';
import { findEntry } from '../../message/entry.ts';
import { MediationError } from '../../message/errors.ts';
import { type JsonNode, JsonSyntaxError, parseLenientJson } from '../../message/json.ts';
import { DEFAULT_XML_TO_JSON, XmlToJsonError, type XmlToJsonSettings, xmlToJson } from '../../message/json-xml.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { coerced } from './json-coercion.ts';

const PROPERTY_ATTRIBUTES = {
  name: text({ required: true, doc: 'A `synapse.commons.json.…` setting.' }),
  value: text({ required: true, doc: 'Its value.' }),
} as const;

/** Rewrites the payload as JSON: with other settings of the conversion, or brought into the shape of a schema (spec mediators 3.38). */
export const jsonTransform = mediator({
  element: 'jsontransform',
  doc: 'Brings the JSON payload into the shape of a schema, or converts the XML payload with settings of its own.',
  attributes: { schema: dynamic({ doc: 'The entry that holds the JSON Schema; may be `{expression}`.' }) },
  children: ['property'],
  compile({ element, attributes: { schema }, reader }) {
    const properties = element.childrenNamed('property');
    if (!schema && properties.length === 0) {
      reader.error(element, 'jsontransform mediator should contain either a schema or custom properties', {
        expected: 'schema="…" or <property name="synapse.commons.json.…" value="…"/>',
      });
      return undefined;
    }
    const settings = properties.length > 0 ? readSettings(properties, reader) : undefined;
    return (message) => {
      if (settings) convert(message, settings);
      if (schema) shape(message, schema);
      return true;
    };
  },
});

type Mutable = { -readonly [K in keyof XmlToJsonSettings]: XmlToJsonSettings[K] };
type Setting = (settings: Mutable, value: string) => void;

const PREFIX = 'synapse.commons.json.';
const isTrue = (value: string) => value.trim().toLowerCase() === 'true';

const SETTINGS: Readonly<Record<string, Setting>> = {
  [`${PREFIX}preserve.namespace`]: (settings, value) => {
    settings.preserveNamespace = isTrue(value);
  },
  [`${PREFIX}output.namespaceSepChar`]: (settings, value) => {
    settings.namespaceSeparator = value;
  },
  [`${PREFIX}output.enableNSDeclarations`]: (settings, value) => {
    settings.namespaceDeclarations = isTrue(value);
  },
  // Names are always valid here (spec mediators 5.3).
  [`${PREFIX}buildValidNCNames`]: () => undefined,
  [`${PREFIX}output.autoPrimitive`]: (settings, value) => {
    settings.autoPrimitive = isTrue(value);
  },
  [`${PREFIX}output.disableAutoPrimitive.regex`]: (settings, value) => {
    const matches = compileWholeMatch(value);
    settings.keepsString = (content) => matches(content) !== undefined;
  },
  [`${PREFIX}output.jsonoutAutoArray`]: (settings, value) => {
    settings.autoArray = isTrue(value);
  },
  [`${PREFIX}output.jsonoutMultiplePI`]: (settings, value) => {
    settings.multiplePI = isTrue(value);
  },
  [`${PREFIX}output.xmloutAutoArray`]: () => undefined,
  [`${PREFIX}output.xmloutMultiplePI`]: () => undefined,
  'synapse.commons.enableXmlNilReadWrite': (settings, value) => {
    settings.readNil = isTrue(value);
  },
  'synapse.commons.enableXmlNullForEmptyElement': (settings, value) => {
    settings.nullForEmpty = isTrue(value);
  },
};

/** The reference spells these two with `json` twice. */
const REPLACE = `${PREFIX}json.output.disableAutoPrimitive.customReplaceRegex`;
const SEQUENCE = `${PREFIX}json.output.disableAutoPrimitive.customReplaceSequence`;

function readSettings(properties: readonly ConfigElement[], reader: ArtifactReader): XmlToJsonSettings {
  const settings: Mutable = { ...DEFAULT_XML_TO_JSON, rememberTypes: false };
  const written = new Map<string, string>();
  for (const child of properties) {
    const property = readAttributes(child, PROPERTY_ATTRIBUTES, reader);
    if (!property) continue;
    written.set(property.name, property.value);
    const known = [...Object.keys(SETTINGS), REPLACE, SEQUENCE];
    if (!known.includes(property.name)) {
      reader.warning(child, `'${property.name}' is no setting of the conversion and has no effect`, {
        attribute: 'name',
        expected: `one of: ${known.join(', ')}`,
      });
    }
    reported(child, reader, () => SETTINGS[property.name]?.(settings, property.value));
  }
  const regex = written.get(REPLACE);
  const [first] = properties;
  if (regex !== undefined && first) {
    reported(first, reader, () => {
      settings.replaced = beginningReplaced(regex, written.get(SEQUENCE) ?? '');
    });
  }
  return settings;
}

function reported(element: ConfigElement, reader: ArtifactReader, read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    reader.error(element, error.message, { attribute: 'value' });
  }
}

function beginningReplaced(regex: string, replacement: string): (text: string) => string | undefined {
  const begins = compileWholeMatch(`(?s)(?:${regex}).*`);
  const replace = compileReplaceAll(regex, replacement);
  return (content) => (begins(content) ? replace(content) : undefined);
}

function convert({ payload }: MessageContext, settings: XmlToJsonSettings): void {
  const child = payload.firstBodyChild();
  if (!child) return;
  try {
    payload.setJson(xmlToJson(child, settings));
  } catch (cause) {
    if (cause instanceof XmlToJsonError) throw new MediationError(cause.message, { cause });
    throw cause;
  }
}

function shape(message: MessageContext, schema: DynamicValue): void {
  const key = schema.evaluate(message) ?? '';
  const entry = findEntry(message.configuration, key);
  if (!entry) throw new MediationError(`Schema does not exist in the specified location : ${key}`);
  const wanted = schemaOf(entry.text);
  if (wanted === undefined) return;
  message.payload.setJson(jsonText(coerced(readPayload(message), wanted)));
}

/** Undefined for a schema that leaves everything as it is. */
function schemaOf(written: string): unknown {
  const schema = parsedSchema(written);
  if (schema === true) return undefined;
  if (schema === false) throw new MediationError('JSON schema is false, so all validations will fail');
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    throw new MediationError('Can not find valid JSON Schema content');
  }
  if (Object.keys(schema).length === 0) return undefined;
  if (!('type' in schema)) throw new MediationError('JSON schema should contain a type declaration');
  return schema;
}

function parsedSchema(written: string): unknown {
  try {
    return JSON.parse(written);
  } catch (cause) {
    throw new MediationError('Can not find valid JSON Schema content', { cause });
  }
}

function readPayload({ payload }: MessageContext): JsonNode {
  try {
    return parseLenientJson(payload.jsonText());
  } catch (cause) {
    if (!(cause instanceof JsonSyntaxError)) throw cause;
    throw new MediationError(`The payload is not JSON: ${cause.message}`, { cause });
  }
}
