import { nearestName } from '../grammar/diagnostic.ts';
import type { ConfigElement } from '../grammar/element.ts';
import type { ArtifactReader } from '../grammar/reader.ts';

const SUPPORTED = ['http', 'https', 'jms', 'mqtt', 'rabbitmq', 'ws', 'wss'];
const KNOWN = [
  'mailto',
  'vfs',
  'local',
  'tcp',
  'udp',
  'fix',
  'hl7',
  'amqp',
  'kafka',
  'file',
  'ftp',
  'sftp',
  'mailto',
  'sap',
  'idoc',
  'bapi',
  'gov',
  'conf',
];

/** An address with a scheme that nothing here can send to is found at deployment, not with the first message. */
export function checkScheme(uri: string, element: ConfigElement, reader: ArtifactReader, attribute: string): void {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(uri)?.[1]?.toLowerCase();
  if (scheme === undefined || SUPPORTED.includes(scheme) || /^vfs:file:/i.test(uri)) return;
  const expected = 'an http:, https:, jms:, mqtt:, rabbitmq:, ws:, wss: or vfs:file: address';
  if (KNOWN.includes(scheme)) {
    reader.warning(element, `addresses with '${scheme}:' are known, not supported yet: sending to '${uri}' will fail`, {
      attribute,
      expected,
    });
    return;
  }
  const nearest = nearestName(scheme, SUPPORTED);
  reader.warning(element, `'${scheme}:' is not a transport of this server`, {
    attribute,
    expected,
    ...(nearest && { nearest }),
  });
}
