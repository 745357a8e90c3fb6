import { type DynamicValue, parseDynamicValue } from '../expressions/value.ts';
import { ValueError } from '../grammar/attributes.ts';
import type { ConfigElement } from '../grammar/element.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import type { EndpointSecurity } from '../security/endpoint-security.ts';
import { address } from './address.ts';
import type { EndpointKind, GroupKind } from './component.ts';
import { defaultKind } from './default.ts';
import type { Endpoint } from './endpoint.ts';
import { readEndpointProperties } from './endpoint-property.ts';
import { failover } from './failover.ts';
import type { GroupFrame } from './group.ts';
import { http } from './http.ts';
import { IndirectEndpoint } from './indirect.ts';
import { LeafEndpoint } from './leaf-endpoint.ts';
import { loadBalance } from './load-balance.ts';
import { readTemplateEndpoint } from './read-template-endpoint.ts';
import { recipientList } from './recipient-list.ts';
import { DEFAULT_SETTINGS, readSettings } from './settings.ts';
import { DEFAULT_SUSPENSION } from './suspension.ts';
import { wsdl } from './wsdl.ts';

/** The kinds of leaf endpoints, in the order in which the reference looks for them (spec proxies 5.1). */
export const ENDPOINT_KINDS: readonly EndpointKind[] = [address, wsdl, defaultKind, http];

/** The kinds of endpoints that send to others (spec proxies 5.6, 5.7). */
export const GROUP_KINDS: readonly GroupKind[] = [loadBalance, failover, recipientList];

const DEFINITIONS: readonly string[] = [...ENDPOINT_KINDS, ...GROUP_KINDS].map(({ element }) => element);
/** Kinds that need what is not here: why, and what to use instead. */
const REFUSED: Readonly<Record<string, string>> = {
  dynamicLoadbalance: 'its members are those of an Axis2 cluster, and there is none',
  serviceDynamicLoadbalance: 'its members are those of Axis2 clusters, and there are none',
  class: 'it is a Java class, and those are not run',
};
const ATTRIBUTES = ['name', 'key', 'key-expression', 'template', 'uri', 'onError', 'statistics', 'trace'];
const CHILDREN = ['description', 'property', 'session', 'parameter'];

/**
 * Compiles an `<endpoint>` of any kind (spec proxies 5.1); undefined after an error.
 * @param options.named a top-level definition, which must have a name
 */
export function readEndpoint(
  element: ConfigElement,
  reader: ArtifactReader,
  options: { named: boolean },
): Endpoint | undefined {
  reader.warnUnknownAttributes(element, ATTRIBUTES);
  const name = element.attribute('name')?.trim() || undefined;
  if (options.named && !name) {
    reader.error(element, 'Invalid endpoint definition without a name', {
      expected: '<endpoint name="…">; only a resource of a registry goes by its key',
    });
  }
  const indirect = readIndirect(element, reader, name);
  if (indirect !== undefined) return indirect === 'invalid' ? undefined : indirect;
  if (element.attribute('template') !== undefined) {
    const endpoint = readTemplateEndpoint(element, reader, name);
    return options.named && !name ? undefined : endpoint;
  }
  return readDefinition(element, reader, name, options);
}

/** The `<endpoint>` child of a mediator, if it has one. */
export function readEndpointChild(parent: ConfigElement, reader: ArtifactReader): Endpoint | undefined | 'invalid' {
  const child = parent.child('endpoint');
  const endpoint = child && readEndpoint(child, reader, { named: false });
  if (endpoint) reader.endpoints.push(endpoint);
  return child && (endpoint ?? 'invalid');
}

let implicitDefault: Endpoint | undefined;

/** The endpoint of a `send` without one: wherever the message is addressed to, with the global timeout. */
export function defaultEndpoint(): Endpoint {
  implicitDefault ??= wherever(undefined);
  return implicitDefault;
}

/** The same for one mediator that secures its messages. */
export function securedDefaultEndpoint(security: EndpointSecurity): Endpoint {
  return wherever(security);
}

function wherever(security: EndpointSecurity | undefined): LeafEndpoint {
  return new LeafEndpoint({
    name: undefined,
    kind: 'default',
    position: { file: '(implicit default endpoint)', line: 1, column: 1 },
    settings: {
      ...DEFAULT_SETTINGS,
      // Shared by all flows: one unreachable address must not suspend the others.
      suspension: {
        ...DEFAULT_SUSPENSION,
        suspendOnFailure: { ...DEFAULT_SUSPENSION.suspendOnFailure, initialDurationMs: 0 },
      },
      security,
    },
    properties: [],
    onError: undefined,
    method: undefined,
    staticAddress: undefined,
    address: (message) => message.to,
  });
}

function readDefinition(
  element: ConfigElement,
  reader: ArtifactReader,
  name: string | undefined,
  options: { named: boolean },
): Endpoint | undefined {
  reader.warnUnknownChildren(element, [...CHILDREN, ...DEFINITIONS, ...Object.keys(REFUSED)]);
  const properties = readEndpointProperties(element, reader);
  const onError = element.attribute('onError');
  if (onError !== undefined) reader.refer('sequence', onError, element, 'onError');
  const frame = { name, position: element.position, properties, onError };
  const endpoint = readLeaf(element, reader, frame) ?? readGroup(element, reader, frame);
  if (endpoint === undefined) reportMissingKind(element, reader);
  return endpoint === 'invalid' || (options.named && !name) ? undefined : endpoint;
}

/** Undefined when it is no leaf. */
function readLeaf(element: ConfigElement, reader: ArtifactReader, frame: GroupFrame): Endpoint | undefined | 'invalid' {
  const kind = ENDPOINT_KINDS.find((candidate) => element.child(candidate.element));
  const definition = kind && element.child(kind.element);
  if (!kind || !definition) return undefined;
  const settings = readSettings(definition, reader);
  const parts = kind.read(definition, reader);
  if (!parts) return 'invalid';
  const { method, authentication, staticAddress, address } = parts;
  const kindName = kind.element;
  return new LeafEndpoint({ ...frame, kind: kindName, settings, method, authentication, staticAddress, address });
}

/** Undefined when it is no group. */
function readGroup(
  element: ConfigElement,
  reader: ArtifactReader,
  frame: GroupFrame,
): Endpoint | undefined | 'invalid' {
  const found = GROUP_KINDS.find((candidate) => element.child(candidate.element));
  const fixed = found ? undefined : withFixedMembers(element, reader);
  const kind = fixed ? loadBalance : found;
  const definition = fixed ?? (found && element.child(found.element));
  if (!kind || !definition) return undefined;
  const endpoint = kind.read({
    element: definition,
    reader,
    frame,
    session: element.child('session'),
    readEndpoint: (child) => readEndpoint(child, reader, { named: false }),
  });
  return endpoint ?? 'invalid';
}

/** A dynamic group that has its members written in it is as good as one that is not dynamic. */
function withFixedMembers(element: ConfigElement, reader: ArtifactReader): ConfigElement | undefined {
  const definition = element.child('dynamicLoadbalance');
  if (!definition?.children.some(({ name }) => name === 'member' || name === 'endpoint')) return undefined;
  reader.warning(definition, '<dynamicLoadbalance> is read as <loadbalance>: its members are those that are written', {
    expected: '<loadbalance>',
  });
  return definition;
}

function readIndirect(
  element: ConfigElement,
  reader: ArtifactReader,
  name: string | undefined,
): Endpoint | undefined | 'invalid' {
  const expression = element.attribute('key-expression');
  const attribute = expression === undefined ? 'key' : 'key-expression';
  const written = expression === undefined ? element.attribute('key') : `{${expression}}`;
  if (written === undefined) return undefined;
  let key: DynamicValue;
  try {
    key = parseDynamicValue(written, element.prefixes());
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    reader.error(element, error.message, { attribute, expected: 'the name of an endpoint or {expression}' });
    return 'invalid';
  }
  if (key.static !== undefined) reader.refer('endpoint', key.static, element, attribute);
  return new IndirectEndpoint(key, element.position, name);
}

function reportMissingKind(element: ConfigElement, reader: ArtifactReader): void {
  const known = element.children.find((child) => Object.hasOwn(REFUSED, child.name));
  const expected = `one of: ${DEFINITIONS.join(', ')}, or key="…"`;
  if (known) {
    const why = REFUSED[known.name] ?? '';
    reader.error(known, `endpoint kind <${known.name}> is not supported: ${why}`, {
      expected: '<loadbalance> with the members, or <failover>',
    });
  } else reader.error(element, 'Invalid endpoint configuration.', { expected });
}
