import { integer, nonEmptyText, readAttributes } from '../grammar/attributes.ts';
import type { ConfigElement } from '../grammar/element.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import { MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';
import type { Endpoint } from './endpoint.ts';
import { GROUP_ERROR_CODES } from './group.ts';
import { LeafEndpoint } from './leaf-endpoint.ts';
import { DEFAULT_SETTINGS } from './settings.ts';

const port = (doc: string) => integer({ minimum: 1, maximum: 65_535, doc });

const ATTRIBUTES = {
  hostName: nonEmptyText({ required: true, doc: 'The host that takes the place of the one in the To address.' }),
  httpPort: port('Its port for messages that came over http.'),
  httpsPort: port('Its port for messages that came over https.'),
} as const;

interface Member {
  readonly host: string;
  readonly ports: { readonly http: number | undefined; readonly https: number | undefined };
}

/** `<member hostName httpPort httpsPort>`: the To address of the message, on another host (spec proxies 5.6). */
export function readMember(element: ConfigElement, reader: ArtifactReader): Endpoint | undefined {
  const attributes = readAttributes(element, ATTRIBUTES, reader);
  reader.warnUnknownChildren(element, []);
  if (!attributes) return undefined;
  const { hostName, httpPort, httpsPort } = attributes;
  if (httpPort === undefined && httpsPort === undefined) {
    reader.error(element, 'A member needs a port', { expected: 'httpPort="…", httpsPort="…" or both' });
    return undefined;
  }
  const name = hostName.trim();
  const member: Member = {
    host: name.includes(':') && !name.startsWith('[') ? `[${name}]` : name,
    ports: { http: httpPort, https: httpsPort },
  };
  return memberEndpoint(member, element);
}

function memberEndpoint(member: Member, element: ConfigElement): Endpoint {
  const { http, https } = member.ports;
  return new LeafEndpoint({
    name: undefined,
    kind: 'default',
    position: element.position,
    settings: DEFAULT_SETTINGS,
    properties: [],
    onError: undefined,
    method: undefined,
    staticAddress: http === undefined ? `https://${member.host}:${https}` : `http://${member.host}:${http}`,
    address: (message) => memberAddress(member, message),
  });
}

/** Path and query of the To address; the transport is that of the address, else the one that the message came by. */
function memberAddress({ host, ports }: Member, message: MessageContext): string {
  const to = URL.parse(message.to ?? '');
  const came = message.text('TRANSPORT_IN_NAME');
  const scheme = (to?.protocol ?? `${came}:`) === 'https:' ? 'https' : 'http';
  if (ports[scheme] === undefined) {
    throw new MediationError(`The member ${host} has no port for ${scheme}`, { code: GROUP_ERROR_CODES.noneReady });
  }
  const path = to ? `${to.pathname}${to.search}` : (message.to ?? '');
  return `${scheme}://${host}:${ports[scheme]}${path.startsWith('/') ? path : `/${path}`}`;
}
