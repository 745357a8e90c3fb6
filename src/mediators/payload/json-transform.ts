import { JSON_SETTINGS, readJsonSettings } from '../../compat/json-settings.ts';
import { dynamic } from '../../expressions/attribute-types.ts';
import { jsonText } from '../../expressions/json-text.ts';
import type { DynamicValue } from '../../expressions/value.ts';
import { readAttributes, text } from '../../grammar/attributes.ts';
import type { ConfigElement } from '../../grammar/element.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import { mediator } from '../../mediation/component.ts';
import { findEntry } from '../../message/entry.ts';
import { MediationError } from '../../message/errors.ts';
import { type JsonNode, JsonSyntaxError, parseLenientJson } from '../../message/json.ts';
import type { XmlToJsonSettings } from '../../message/json-conversion.ts';
import { XmlToJsonError, xmlToJson } from '../../message/json-xml.ts';
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

/** Types that elements remember are forgotten: the settings are there to decide. */
function readSettings(properties: readonly ConfigElement[], reader: ArtifactReader): XmlToJsonSettings {
  const written = new Map<string, string>();
  const places = new Map<string, ConfigElement>();
  for (const child of properties) {
    const property = readAttributes(child, PROPERTY_ATTRIBUTES, reader);
    if (!property) continue;
    written.set(property.name, property.value);
    places.set(property.name, child);
    if (!JSON_SETTINGS.includes(property.name)) {
      reader.warning(child, `'${property.name}' is no setting of the conversion and has no effect`, {
        attribute: 'name',
        expected: `one of: ${JSON_SETTINGS.join(', ')}`,
      });
    }
  }
  const { toJson } = readJsonSettings(written, (name, problem) => {
    const place = places.get(name);
    if (place) reader.error(place, problem, { attribute: 'value' });
  });
  return { ...toJson, rememberTypes: false };
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
