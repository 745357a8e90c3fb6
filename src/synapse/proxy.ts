import { readEndpoint } from '../endpoints/index.ts';
import {
  DESCRIPTION,
  enableSwitch,
  javaBoolean,
  nonEmptyText,
  readAttributes,
  text,
  type ValuesOf,
} from '../grammar/attributes.ts';
import type { ConfigElement } from '../grammar/element.ts';
import { resolvePlaceholders } from '../grammar/placeholders.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import type { EndpointReference, ProxyDefinition, PublishedWsdl } from '../mediation/proxy-service.ts';
import { readProxySecurity } from '../security/read-enable-sec.ts';
import { serializeXml } from '../xml/index.ts';
import { inlineChild, KEY, type PartPlace, readSequenceReference } from './sequence-reference.ts';

const ATTRIBUTES = {
  name: nonEmptyText({
    required: true,
    missing: "The 'name' attribute is required for a Proxy service definition",
    doc: 'Its name; it is served at /services/NAME and may contain slashes.',
  }),
  transports: text({
    doc: 'The transports that expose it, separated by blanks or commas; `all` or absent: every one.',
  }),
  startOnLoad: javaBoolean({ default: true, doc: 'False: deployed, but stopped.' }),
  pinnedServers: text({ doc: 'The servers it is deployed on; absent: every one.' }),
  serviceGroup: text({ doc: 'Accepted for compatibility.' }),
  statistics: enableSwitch('Collects statistics.'),
  trace: enableSwitch('Traces messages.'),
  description: DESCRIPTION,
} as const;

const CHILDREN = [
  'description',
  'target',
  'publishWSDL',
  'policy',
  'parameter',
  'enableAddressing',
  'enableSec',
  'enableRM',
] as const;

/** Reads a `<proxy>` (spec proxies 1.1); undefined after an error, all of which are reported. */
export function readProxy(element: ConfigElement, reader: ArtifactReader): ProxyDefinition | undefined {
  const attributes = readAttributes(element, ATTRIBUTES, reader);
  reader.warnUnknownChildren(element, CHILDREN);
  const target = readTarget(element, attributes?.name ?? '?', reader);
  const publishWsdl = readPublishWsdl(element, reader);
  const parameters = readServiceParameters(element, reader);
  const maxBodyBytes = readBodyLimit(element, reader);
  const pinnedServers = readPinnedServers(element, attributes, reader);
  const security = readProxySecurity(element, reader);
  if (!attributes || !target) return undefined;
  return {
    name: attributes.name,
    position: element.position,
    transports: readTransports(attributes.transports),
    startOnLoad: attributes.startOnLoad,
    pinnedServers,
    ...target,
    publishWsdl,
    parameters,
    maxBodyBytes,
    security,
  };
}

/** Lists in attributes are separated by blanks and commas. */
function tokens(list: string): string[] {
  return list.split(/[\s,]+/).filter((token) => token !== '');
}

function readTransports(written: string | undefined): readonly string[] | undefined {
  const names = tokens(written ?? '');
  return names.length === 0 || (names.length === 1 && names[0] === 'all') ? undefined : names;
}

function readPinnedServers(
  element: ConfigElement,
  attributes: ValuesOf<typeof ATTRIBUTES> | undefined,
  reader: ArtifactReader,
): readonly string[] {
  const written = attributes?.pinnedServers;
  if (written === undefined) return [];
  return tokens(resolvePlaceholders(written, element, reader) ?? '');
}

type Target = Pick<ProxyDefinition, 'inSequence' | 'outSequence' | 'faultSequence' | 'endpoint'>;

const TARGET_PARTS = ['inSequence', 'outSequence', 'faultSequence', 'endpoint'] as const;
type TargetPart = (typeof TARGET_PARTS)[number];

const TARGET_ATTRIBUTES = {
  inSequence: KEY,
  outSequence: KEY,
  faultSequence: KEY,
  endpoint: KEY,
  description: DESCRIPTION,
} as const;

function readTarget(proxy: ConfigElement, name: string, reader: ArtifactReader): Target | undefined {
  const element = proxy.child('target');
  if (!element) {
    reader.error(proxy, 'Target is required for a Proxy service definition', {
      expected: '<target> with an <inSequence> or an <endpoint>, or both',
    });
    return undefined;
  }
  const keys = readAttributes(element, TARGET_ATTRIBUTES, reader);
  reader.warnUnknownChildren(element, ['description', ...TARGET_PARTS]);
  const place = { element, id: `proxy/${name}`, reader };
  const target = {
    inSequence: readSequenceReference(place, 'inSequence', keys?.inSequence),
    outSequence: readSequenceReference(place, 'outSequence', keys?.outSequence),
    faultSequence: readSequenceReference(place, 'faultSequence', keys?.faultSequence),
    endpoint: readTargetEndpoint(place, keys?.endpoint),
  };
  if (!present(element, 'inSequence') && !present(element, 'endpoint')) {
    reader.error(element, 'Target of the proxy service must declare either an inSequence or endpoint or both', {
      expected: 'an <inSequence> or an <endpoint>, or both',
    });
    return undefined;
  }
  return target;
}

function present(target: ConfigElement, part: TargetPart): boolean {
  return target.attribute(part) !== undefined || target.child(part) !== undefined;
}

function readTargetEndpoint(place: PartPlace, key: string | undefined): EndpointReference | undefined {
  const { element, reader } = place;
  const child = inlineChild(place, 'endpoint');
  if (child) {
    const endpoint = readEndpoint(child, reader, { named: false });
    return endpoint && { kind: 'inline', endpoint };
  }
  if (key === undefined) return undefined;
  reader.refer('endpoint', key, element, 'endpoint');
  return { kind: 'key', key };
}

const PUBLISH_ATTRIBUTES = {
  endpoint: nonEmptyText({ doc: 'The endpoint whose WSDL is published.' }),
  key: nonEmptyText({ doc: 'The local entry that holds the WSDL.' }),
  uri: nonEmptyText({ doc: 'The address of the WSDL.' }),
  preservePolicy: javaBoolean({ default: true, doc: 'False: policies are taken out of the WSDL.' }),
} as const;

const WSDL_NAMESPACES: Readonly<Record<string, string>> = {
  definitions: 'http://schemas.xmlsoap.org/wsdl/',
  description: 'http://www.w3.org/ns/wsdl',
};

function readPublishWsdl(proxy: ConfigElement, reader: ArtifactReader): PublishedWsdl | undefined {
  const element = proxy.child('publishWSDL');
  if (!element) return undefined;
  const attributes = readAttributes(element, PUBLISH_ATTRIBUTES, reader);
  const resources = readWsdlResources(element, reader);
  const source = attributes && readWsdlSource(element, attributes, reader);
  return source && { source, preservePolicy: attributes.preservePolicy, resources };
}

function readWsdlSource(
  element: ConfigElement,
  attributes: ValuesOf<typeof PUBLISH_ATTRIBUTES>,
  reader: ArtifactReader,
): PublishedWsdl['source'] | undefined {
  const { endpoint, key, uri } = attributes;
  if (endpoint !== undefined) {
    reader.refer('endpoint', endpoint, element, 'endpoint');
    return { kind: 'endpoint', value: endpoint };
  }
  if (key !== undefined) {
    reader.refer('localEntry', key, element, 'key');
    return { kind: 'key', value: key };
  }
  if (uri !== undefined) {
    const value = resolvePlaceholders(uri, element, reader);
    return value === undefined ? undefined : { kind: 'uri', value };
  }
  const wsdl = element.children.find((child) => WSDL_NAMESPACES[child.name] === child.namespace);
  if (wsdl) return { kind: 'inline', wsdl: wsdl.node };
  reader.warning(element, 'publishWSDL names no WSDL and is ignored', {
    expected: 'an endpoint, a key, a uri or an inline WSDL',
  });
  return undefined;
}

function readWsdlResources(element: ConfigElement, reader: ArtifactReader): PublishedWsdl['resources'] {
  const resources: { location: string; key: string }[] = [];
  for (const child of element.childrenNamed('resource')) {
    const location = child.attribute('location');
    const key = child.attribute('key');
    if (!location || !key) {
      reader.error(child, 'a WSDL resource needs a location and a key', {
        expected: '<resource location="…" key="…"/>',
      });
      continue;
    }
    reader.refer('localEntry', key, child, 'key');
    resources.push({ location, key });
  }
  return resources;
}

function readServiceParameters(proxy: ConfigElement, reader: ArtifactReader): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const element of proxy.childrenNamed('parameter')) {
    const name = element.attribute('name')?.trim();
    if (!name) {
      reader.error(element, 'a parameter of a proxy service must have a name', {
        expected: '<parameter name="…">value</parameter>',
      });
      continue;
    }
    const child = element.children[0];
    const value = child ? serializeXml(child.node) : resolvePlaceholders(element.text.trim(), element, reader);
    if (value !== undefined && value !== '') parameters.set(name, value);
  }
  return parameters;
}

const BODY_LIMIT = 'x.max.body.bytes';
const MAX_BODY_LIMIT = 2 ** 31 - 1;

/** `x.max.body.bytes` (OP-91): how long requests may be where that differs from `[mini_synapse] max_body_bytes`. */
function readBodyLimit(proxy: ConfigElement, reader: ArtifactReader): number | undefined {
  const element = proxy.childrenNamed('parameter').find((child) => child.attribute('name')?.trim() === BODY_LIMIT);
  if (!element) return undefined;
  const written = resolvePlaceholders(element.text.trim(), element, reader) ?? '';
  const bytes = /^\d{1,10}$/.test(written) ? Number(written) : Number.NaN;
  if (bytes >= 1 && bytes <= MAX_BODY_LIMIT) return bytes;
  reader.error(element, `'${written}' is not a valid number for ${BODY_LIMIT}`, {
    expected: `bytes, an integer from 1 to ${MAX_BODY_LIMIT}`,
  });
  return undefined;
}
