import { randomUUID } from 'node:crypto';
import type { ConfigElement } from '../grammar/element.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import { addressingBlocks } from '../message/addressing-headers.ts';
import { formatOf } from '../message/builder.ts';
import { mediaTypeOf } from '../message/media-type.ts';
import type { MessageContext } from '../message/message-context.ts';
import { isFlagSet } from '../message/property-value.ts';
import { documentOf } from '../message/soap.ts';
import { createElement, textOf, type XmlElement } from '../xml/index.ts';
import type { Format } from './settings.ts';

/** `<enableAddressing>`: WS-Addressing headers of one of the two versions. */
export interface Addressing {
  readonly version: 'final' | 'submission';
}

const NAMESPACES = {
  final: 'http://www.w3.org/2005/08/addressing',
  submission: 'http://schemas.xmlsoap.org/ws/2004/08/addressing',
} as const;
const ANONYMOUS = 'http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous';
const NONE = 'http://www.w3.org/2005/08/addressing/none';
const SOAP_FORMATS: ReadonlySet<string | undefined> = new Set([undefined, 'soap11', 'soap12', 'related']);

/** Reads `<enableAddressing version="final|submission" separateListener="true|false"/>` (spec proxies 5.1). */
export function readAddressing(element: ConfigElement | undefined, reader: ArtifactReader): Addressing | undefined {
  if (!element) return undefined;
  reader.warnUnknownAttributes(element, ['version', 'separateListener']);
  if (element.attribute('separateListener')?.trim().toLowerCase() === 'true') {
    reader.warning(
      element,
      'separateListener="true" has no effect: answers come over the connection of their request',
      {
        attribute: 'separateListener',
      },
    );
  }
  const version = element.attribute('version')?.trim() || 'final';
  if (version === 'final' || version === 'submission') return { version };
  reader.error(
    element,
    "Unknown value for the addressing version. Possible values for the addressing version are 'final' and 'submission' only.",
    { attribute: 'version', expected: 'final or submission' },
  );
  return undefined;
}

/**
 * Writes the WS-Addressing headers of a SOAP message that goes to an address, instead of those that it has; the message id of the client
 * stays, so that its answer still belongs to its request. Messages that are not sent as SOAP have none, and axis2
 * `disableAddressingForOutMessages` and `PRESERVE_WS_ADDRESSING` leave them alone.
 * @throws MediationError 601000 when the message cannot be read
 */
export function writeAddressing(
  message: MessageContext,
  { version }: Addressing,
  sent: { readonly to: string; readonly format: Format | undefined; readonly outOnly: boolean },
): void {
  if (!goesAsSoap(message, sent.format) || isFlagSet(message.axis2.get('disableAddressingForOutMessages'))) return;
  if (message.text('PRESERVE_WS_ADDRESSING') === 'true') return;
  const former = addressingBlocks(message.payload);
  const id = former.find(({ localName }) => localName === 'MessageID');
  const namespace = NAMESPACES[version];
  message.payload.editHeader((header) => {
    for (const block of former) block.parentNode?.removeChild(block);
    const add = (parent: XmlElement, name: string, text = '') => {
      const block = createElement(documentOf(header), namespace, `wsa:${name}`);
      if (text !== '') block.appendChild(documentOf(header).createTextNode(text));
      parent.appendChild(block);
      return block;
    };
    add(header, 'To', sent.to);
    const replyTo = replyAddress(version, sent.outOnly);
    if (replyTo !== undefined) add(add(header, 'ReplyTo'), 'Address', replyTo);
    add(header, 'MessageID', (id && textOf(id).trim()) || `urn:uuid:${randomUUID()}`);
    if (message.action) add(header, 'Action', message.action);
  });
}

/** The final version means the connection itself where nothing is said; the submission wants it said, and has no word for none. */
function replyAddress(version: Addressing['version'], outOnly: boolean): string | undefined {
  if (version === 'final') return outOnly ? NONE : undefined;
  return outOnly ? undefined : ANONYMOUS;
}

function goesAsSoap({ axis2, doingRest, payload }: MessageContext, format: Format | undefined): boolean {
  if (format !== undefined) return format === 'soap11' || format === 'soap12';
  const messageType = axis2.get('messageType');
  const wanted = messageType === undefined ? '' : mediaTypeOf(String(messageType));
  if (doingRest || payload.plain) return false;
  return SOAP_FORMATS.has(wanted === '' ? payload.format : formatOf(wanted)) && payload.kind !== 'empty';
}
