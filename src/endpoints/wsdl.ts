import type { ConfigElement } from '../grammar/element.ts';
import { resolvePlaceholders } from '../grammar/placeholders.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import { MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';
import { readResource } from '../registry/resource-files.ts';
import { elementChildren, parseXml, type XmlElement, XmlSyntaxError } from '../xml/index.ts';
import { checkScheme } from './address-scheme.ts';
import { endpointKind } from './component.ts';

declare module '../message/configuration.ts' {
  interface Services {
    /** Where relative `file:` addresses are looked for, in this order. */
    resourceDirectories?: readonly string[];
  }
}

const WSDL_11 = 'http://schemas.xmlsoap.org/wsdl/';
/** The reference's limit for reading a WSDL (spec proxies 1.2), shortened: a message waits for it. */
const FETCH_TIMEOUT_MS = 20_000;

/**
 * `<wsdl service="…" port="…">`: the address stands in a WSDL (spec proxies 5.4): an inline one is read at deployment, one behind
 * `uri` is fetched by the first message that needs it, and again after a failure, so that a deployment never waits for a back end. A
 * relative `file:` uri is looked for as those of local entries are (sample 56).
 */
export const wsdl = endpointKind({
  element: 'wsdl',
  attributes: ['uri', 'service', 'port'],
  children: ['definitions', 'description'],
  read(element, reader) {
    const service = element.attribute('service');
    const port = element.attribute('port');
    for (const name of ['service', 'port']) {
      if (!element.attribute(name))
        reader.error(element, `The '${name}' attribute is required for a WSDL endpoint`, { expected: `${name}="…"` });
    }
    if (!service || !port) return undefined;
    const written = element.attribute('uri')?.trim();
    if (written) {
      const uri = resolvePlaceholders(written, element, reader);
      if (uri === undefined) return undefined;
      if (!isFile(uri)) checkScheme(uri, element, reader, 'uri');
      return { staticAddress: uri, address: fetchedAddress(uri, service, port) };
    }
    const definitions = element.children.find((child) => child.name === 'definitions' && child.namespace === WSDL_11);
    const found = definitions && portAddress(definitions.node, service, port);
    if (found) return { staticAddress: found, address: () => found };
    reportMissing(element, definitions, reader);
    return undefined;
  },
});

function reportMissing(element: ConfigElement, definitions: ConfigElement | undefined, reader: ArtifactReader): void {
  const message = definitions
    ? 'The WSDL has no such service and port with an address'
    : 'A WSDL endpoint needs a uri or an inline WSDL 1.1';
  reader.error(element, message, { expected: 'uri="http://host/service?wsdl" or <wsdl:definitions>' });
}

function fetchedAddress(uri: string, service: string, port: string) {
  let known: Promise<string> | undefined;
  return (message: MessageContext) => {
    known ??= fetchAddress(message, uri, service, port).catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return known;
  };
}

async function fetchAddress(message: MessageContext, uri: string, service: string, port: string): Promise<string> {
  if (isFile(uri)) return addressInFile(message, uri, service, port);
  const answer = await message.configuration.services.http.send({
    method: 'GET',
    url: uri,
    headers: [],
    body: undefined,
    responseTimeoutMs: FETCH_TIMEOUT_MS,
  });
  const root = answer.status === 200 ? parsed(answer.body, uri) : undefined;
  const address = root && portAddress(root, service, port);
  if (!address)
    throw new MediationError(
      `The WSDL at ${withoutCredentials(uri)} (status ${answer.status}) has no port '${port}' of service '${service}'`,
    );
  return address;
}

function isFile(uri: string): boolean {
  return /^file:/i.test(uri);
}

async function addressInFile({ configuration }: MessageContext, uri: string, service: string, port: string) {
  const bytes = await readResource(uri, configuration.services.resourceDirectories ?? []).catch((cause: unknown) => {
    throw new MediationError(`The WSDL at ${uri} cannot be read`, { cause });
  });
  const root = parsed(bytes, uri);
  const address = root && portAddress(root, service, port);
  if (address) return address;
  throw new MediationError(`The WSDL at ${uri} has no port '${port}' of service '${service}'`);
}

/** For messages, which clients and logs get to see. */
function withoutCredentials(uri: string): string {
  return uri.replace(/\/\/[^/@]*@/, '//');
}

function parsed(body: Uint8Array, uri: string): XmlElement | null {
  try {
    return parseXml(body).documentElement;
  } catch (cause) {
    if (!(cause instanceof XmlSyntaxError)) throw cause;
    throw new MediationError(`What ${withoutCredentials(uri)} answers is no WSDL: ${cause.message}`, { cause });
  }
}

function portAddress(definitions: XmlElement, service: string, port: string): string | undefined {
  const serviceElement = wsdlChild(definitions, 'service', service);
  const portElement = serviceElement && wsdlChild(serviceElement, 'port', port);
  const address = portElement && elementChildren(portElement).find((child) => child.localName === 'address');
  return address?.getAttribute('location') ?? undefined;
}

function wsdlChild(parent: XmlElement, kind: string, name: string | undefined): XmlElement | undefined {
  return elementChildren(parent).find((child) => child.localName === kind && child.getAttribute('name') === name);
}
