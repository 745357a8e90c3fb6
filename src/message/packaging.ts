import type { XmlElement } from '../xml/index.ts';
import { cloneWithOrigins } from './json-xml.ts';
import { parseMediaType } from './media-type.ts';
import type { MessageContext } from './message-context.ts';
import type { Payload } from './payload.ts';
import { openRelated, type Packaging, packagingOf, type RelatedMessage, type Root, writeRelated } from './related.ts';
import { createEnvelope, documentOf, soapVersionOf } from './soap.ts';
import { holdsBinary, holdsIncludes, putIn, takeOut } from './xop.ts';

/*
 * How binary content travels with an envelope (spec proxies 2.4 `enableMTOM`, `enableSwA`; 5.1 `optimize`; sample 51).
 *
 *              came as MTOM                 came with attachments (SwA)     came as an envelope alone
 *     mtom     MTOM                         attachments stay, as MTOM       what is known to be bytes is taken out
 *     swa      bytes as Base64, the rest    as it came                      the only part
 *              stays beside it
 *     none     bytes as Base64, alone       alone                           as it came
 *     as came  MTOM                         as it came                      as it came
 */

/** `none`: in the envelope itself; undefined: as it came. */
export type WantedPackaging = Packaging | 'none' | undefined;

/**
 * How the message is to be packaged: as its endpoint says, else as axis2 `enableMTOM` and `enableSwA` do. A property that is false unpacks
 * what came so; `optional` leaves it.
 * @param endpoint the endpoint's `optimize`
 */
export function wantedPackaging({ axis2, payload }: MessageContext, endpoint?: Packaging): WantedPackaging {
  if (endpoint) return endpoint;
  const [mtom, swa] = [axis2.get('enableMTOM'), axis2.get('enableSwA')];
  if (mtom === undefined && swa === undefined) return undefined;
  const enabled = { mtom: flag(mtom), swa: flag(swa) };
  if (enabled.mtom) return 'mtom';
  if (enabled.swa) return 'swa';
  const came = packagingOf(payload.contentType);
  return came && enabled[came] === false ? 'none' : undefined;
}

function flag(value: unknown): boolean | undefined {
  const word = value === undefined ? '' : String(value).trim().toLowerCase();
  if (word === 'true' || word === 'yes' || word === '1') return true;
  return word === 'false' || word === 'no' || word === '0' ? false : undefined;
}

/** True when bytes as received are packaged as wanted. */
export function isPackaged({ contentType }: Payload, wanted: WantedPackaging): boolean {
  if (wanted === undefined) return true;
  return packagingOf(contentType) === (wanted === 'none' ? undefined : wanted);
}

/**
 * An envelope as it is sent, with what belongs beside it. The envelope is left as it is.
 * @param write writes an envelope by itself
 * @throws MediationError when an attachment is missing
 */
export function packEnvelope(
  payload: Payload,
  envelope: XmlElement,
  wanted: WantedPackaging,
  write: (envelope: XmlElement) => Root,
): Root {
  const received = payload.attachments();
  const came = received && openRelated(received);
  const beside = came?.attachments ?? [];
  const related = (packaging: Packaging, root: Root, attachments: RelatedMessage['attachments']) =>
    writeRelated({ packaging, start: came?.start, action: actionOf(root), root, attachments });
  switch (wanted) {
    case undefined:
      return came && beside.length > 0 ? related(came.packaging, write(envelope), beside) : write(envelope);
    case 'none':
      return write(embedded(envelope, beside).element);
    case 'swa': {
      const { element, left } = embedded(envelope, beside);
      return related('swa', write(element), left);
    }
    case 'mtom': {
      const element = holdsBinary(envelope) ? copyOf(envelope) : envelope;
      const parts = takeOut(element);
      return related('mtom', write(element), [...beside, ...parts]);
    }
  }
}

/** What came first in a Body, for those who write it without anything beside it. */
export function embeddedChild(payload: Payload): XmlElement | undefined {
  const child = payload.firstBodyChild();
  return child && selfContained(payload, child);
}

/**
 * An element of a payload that goes without the rest of it: bytes that stand beside the envelope are in it as Base64, and still known to be
 * bytes. The element itself where there are none.
 * @throws MediationError when an attachment is missing
 */
export function selfContained(payload: Payload, element: XmlElement): XmlElement {
  const received = payload.attachments();
  return received ? embedded(element, openRelated(received).attachments).element : element;
}

/** With the bytes that stand beside it as Base64 in it; the element itself where there are none. */
function embedded(element: XmlElement, parts: RelatedMessage['attachments']) {
  if (!holdsIncludes(element)) return { element, left: parts };
  const copy = copyOf(element);
  return { left: putIn(copy, parts), element: copy };
}

function copyOf(element: XmlElement): XmlElement {
  return cloneWithOrigins(documentOf(createEnvelope(soapVersionOf(element) ?? '1.1')), element);
}

/** SOAP 1.2 says what is to be done in the Content-Type. */
function actionOf({ contentType }: Root): string | undefined {
  return parseMediaType(contentType).parameters.get('action');
}
