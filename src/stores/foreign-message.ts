import type { StoredMessage } from './stored-message.ts';

/** What is known of a message that no store mediator of ours has stored. */
type Known = Pick<StoredMessage, 'id' | 'body' | 'headers'> & Partial<Omit<StoredMessage, 'v'>>;

/** What another application has sent, or what could not be decoded, as a stored message: a request that has only what is known of it. */
export function foreignMessage(known: Known): StoredMessage {
  return {
    v: 1,
    originalId: known.id,
    correlationId: undefined,
    storedAt: Date.now(),
    service: undefined,
    addressing: {},
    direction: 'request',
    doingRest: false,
    axis2: new Map(),
    properties: new Map(),
    variables: new Map(),
    priority: undefined,
    history: [],
    ...known,
  };
}

/** The SOAP action that transport headers carry, without its quotes; AMQP and STOMP senders spell the name with an underscore. */
export function soapActionIn(headers: StoredMessage['headers']): string | undefined {
  const [, written] = headers.find(([name]) => /^soap_?action$/i.test(name)) ?? [];
  return written?.trim().replaceAll('"', '');
}
