import type { Configuration } from '../../src/message/configuration.ts';
import type { LocalEntry } from '../../src/message/local-entry.ts';
import { MessageContext } from '../../src/message/message-context.ts';
import { Payload } from '../../src/message/payload.ts';
import { parseXml, type XmlElement } from '../../src/xml/index.ts';

/** A configuration with nothing but local entries. */
export function configurationWith(entries: readonly LocalEntry[] = []): Configuration {
  const find = (kind: string, name: string) =>
    kind === 'localEntry' ? entries.find(({ key }) => key === name) : undefined;
  return { version: 1, services: {}, find, names: () => [] } as unknown as Configuration;
}

/** A message whose SOAP Body holds this XML. */
export function messageWithBody(xml: string, entries: readonly LocalEntry[] = []): MessageContext {
  return new MessageContext(configurationWith(entries), Payload.ofBodyChild(elementOf(xml)));
}

/** A message with a JSON payload. */
export function messageWithJson(text: string): MessageContext {
  return new MessageContext(configurationWith(), Payload.ofJson(text));
}

export function elementOf(xml: string): XmlElement {
  return parseXml(xml).documentElement as XmlElement;
}
