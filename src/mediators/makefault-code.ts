import { nearestName } from '../grammar/diagnostic.ts';
import type { ConfigElement } from '../grammar/element.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import type { MessageContext } from '../message/message-context.ts';
import { type SoapVersion, soapNamespace } from '../message/soap.ts';

/** Gives a part of a fault for one message. */
export type FaultTextSource = (message: MessageContext) => string;

const CODES: Readonly<Record<SoapVersion, readonly string[]>> = {
  '1.1': ['VersionMismatch', 'MustUnderstand', 'Client', 'Server'],
  '1.2': ['VersionMismatch', 'MustUnderstand', 'DataEncodingUnknown', 'Sender', 'Receiver'],
};

/** Checks a literal fault code, a QName of the version's own codes (spec mediators 3.9). */
export function readFaultCode(
  element: ConfigElement,
  value: string,
  version: SoapVersion,
  reader: ArtifactReader,
): FaultTextSource | 'invalid' {
  const written = value.trim();
  const colon = written.indexOf(':');
  const prefix = written.slice(0, Math.max(colon, 0));
  const local = written.slice(colon + 1);
  const namespace = colon === -1 ? undefined : element.prefixes()[prefix];
  const label = version === '1.1' ? 'soap11' : 'soap12';
  const known = CODES[version].join(', ');
  const refuse = (message: string, expected: string, nearest?: string) => {
    reader.error(element, message, { attribute: 'value', expected, ...(nearest && { nearest }) });
    return 'invalid' as const;
  };
  if (colon === -1)
    return refuse('A QName is expected for fault code as prefix:name', `prefix:name, name one of: ${known}`);
  if (namespace === undefined) {
    return refuse(
      `Invalid namespace prefix '${prefix}' in code attribute`,
      `xmlns:${prefix}="${soapNamespace(version)}"`,
    );
  }
  if (namespace !== soapNamespace(version)) {
    return refuse(
      `Invalid namespace in fault code for ${label} version. Namespace should be corrected as ${soapNamespace(version)}.`,
      `xmlns:${prefix}="${soapNamespace(version)}"`,
    );
  }
  if (!CODES[version].includes(local)) {
    return refuse(
      `Invalid code value for ${label} version. Code value has to be one of the following : ${known}`,
      `one of: ${known}`,
      nearestName(local, CODES[version]),
    );
  }
  return always(local);
}

/** By itself, since a closure beside those that refuse would keep the XML of the artifact with it. */
function always(text: string): FaultTextSource {
  return () => text;
}
