import { Buffer } from 'node:buffer';
import { elementChildren, textOf, type XmlElement } from '../xml/index.ts';
import { MediationError } from './errors.ts';
import type { MessageContext } from './message-context.ts';
import type { Payload } from './payload.ts';

const NAMESPACES: ReadonlySet<string> = new Set([
  'http://www.w3.org/2005/08/addressing',
  'http://schemas.xmlsoap.org/ws/2004/08/addressing',
]);
/** Occurs in both namespaces. */
const MARK = 'addressing';

/**
 * The WS-Addressing header blocks of a SOAP message. Bodies in which the word does not occur are not parsed.
 * @throws MediationError 601000 when the body cannot be read
 */
export function addressingBlocks(payload: Payload): XmlElement[] {
  const bytes = payload.originalBytes();
  const mayHave = bytes
    ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(MARK)
    : payload.kind === 'envelope';
  if (!mayHave) return [];
  if (payload.format !== undefined && payload.format !== 'soap11' && payload.format !== 'soap12') return [];
  const header = payload.header();
  return header ? elementChildren(header).filter((block) => NAMESPACES.has(block.namespaceURI ?? '')) : [];
}

const FIELDS = {
  To: 'to',
  From: 'from',
  ReplyTo: 'replyTo',
  FaultTo: 'faultTo',
  Action: 'action',
} as const satisfies Record<string, keyof MessageContext>;

/**
 * Takes over what the WS-Addressing headers say of the message (spec proxies 1.7): where it goes, where its answer goes, what is to be
 * done. The message id stays the one that it was received with: store and ledger rely on it being unique, whatever clients write.
 * What cannot be read says nothing.
 */
export function readAddressing(message: MessageContext): void {
  for (const block of readable(message.payload)) {
    const name = block.localName ?? '';
    if (!Object.hasOwn(FIELDS, name)) continue;
    const address = elementChildren(block).find(({ localName }) => localName === 'Address');
    const text = textOf(address ?? block).trim();
    if (text !== '') message[FIELDS[name as keyof typeof FIELDS]] = text;
  }
}

/** Whoever needs the body of a message that cannot be read will say so, with the error that belongs to it. */
function readable(payload: Payload): XmlElement[] {
  try {
    return addressingBlocks(payload);
  } catch (error) {
    if (error instanceof MediationError) return [];
    throw error;
  }
}
