import type { Entry } from '../message/entry.ts';
import { findEntry } from '../message/entry.ts';
import type { MessageContext } from '../message/message-context.ts';
import { JsonValue, type PropertyValue, TypedNumber } from '../message/property-value.ts';
import { serializeXml, type XmlElement } from '../xml/index.ts';
import type { PayloadPart, SentMessage, SentValue, SentValues } from './script-job.ts';

/** Which parts of the payload a script is likely to ask for, by what stands in it. */
const SIGNS: ReadonlyArray<readonly [RegExp, PayloadPart]> = [
  [/PayloadJSON|PayloadText/, 'json'],
  [/getPayloadXML/, 'body'],
  [/Envelope|XpathResult/, 'envelope'],
];

export function likelyParts(code: string): PayloadPart[] {
  return SIGNS.filter(([sign]) => sign.test(code)).map(([, part]) => part);
}

/** What a script is given of a message. @throws MediationError when the payload cannot be read */
export function sentMessage(
  message: MessageContext,
  parts: Iterable<PayloadPart>,
  entries: Iterable<string>,
): SentMessage {
  const payload: Partial<Record<PayloadPart, string | null>> = {};
  for (const part of parts) payload[part] = payloadPart(message, part);
  const { to, from, replyTo, faultTo, action, messageId, relatesTo } = message;
  return {
    properties: sentValues(message.properties),
    variables: sentValues(message.variables),
    addresses: {
      ...(to !== undefined && { to }),
      ...(from !== undefined && { from }),
      ...(replyTo !== undefined && { replyTo }),
      ...(faultTo !== undefined && { faultTo }),
      ...(action !== undefined && { action }),
    },
    messageId,
    relatesTo,
    isResponse: message.direction === 'response',
    isRest: message.doingRest,
    isGet: message.axis2.get('HTTP_METHOD') === 'GET',
    isSoap11: message.payload.soapVersion === '1.1',
    payload,
    entries: Object.fromEntries([...entries].map((key) => [key, findEntry(message.configuration, key)?.text ?? null])),
  };
}

function payloadPart({ payload }: MessageContext, part: PayloadPart): string | null {
  switch (part) {
    case 'json':
      return payload.json() ?? null;
    case 'body': {
      const child = payload.firstBodyChild();
      return child ? serializeXml(child) : null;
    }
    case 'envelope':
      return serializeXml(payload.envelope());
  }
}

function sentValues(values: ReadonlyMap<string, PropertyValue>): SentValues {
  return Object.fromEntries([...values].map(([name, value]) => [name, sentValue(value)]));
}

/** A property's value for the sandbox. */
export function sentValue(value: PropertyValue): SentValue {
  if (typeof value === 'string') return { kind: 'text', value };
  if (typeof value === 'boolean') return { kind: 'boolean', value };
  if (value instanceof JsonValue) return { kind: 'json', value: value.text };
  if (value instanceof TypedNumber) {
    const number = Number(value.value);
    const exact = typeof value.value === 'number' || Number.isSafeInteger(number);
    return exact && Number.isFinite(number)
      ? { kind: 'number', value: number }
      : { kind: 'text', value: String(value) };
  }
  if (Array.isArray(value))
    return { kind: 'text', value: value.map((element: XmlElement) => serializeXml(element)).join('') };
  return { kind: 'xml', value: serializeXml(value as XmlElement) };
}

/** The text of an entry that is a script, a query or a schema: of one that is XML, the text in it. */
export function textOfEntry({ text, xml }: Entry): string {
  return xml ? (xml.textContent ?? '') : text;
}
