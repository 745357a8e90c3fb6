import { DESCRIPTION, enableSwitch, javaBoolean, nonEmptyText, readAttributes, text } from '../grammar/attributes.ts';
import { nearestName } from '../grammar/diagnostic.ts';
import { type ConfigElement, SYNAPSE_NAMESPACE } from '../grammar/element.ts';
import { allInstalled } from '../grammar/packages.ts';
import { readParameters, type WrittenParameter, writtenParameters } from '../grammar/parameters.ts';
import { resolvePlaceholders } from '../grammar/placeholders.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import type { InboundEndpointDefinition, InboundKind } from '../inbound/component.ts';
import { findInboundKind, inboundProtocols } from '../inbound/index.ts';
import { serializeXml } from '../xml/index.ts';
import type { ArtifactLookup } from './lookup.ts';

const ATTRIBUTES = {
  name: nonEmptyText({
    required: true,
    missing: 'Inbound Endpoint name cannot be null',
    doc: 'Its name.',
  }),
  protocol: text({ doc: 'How messages come in.' }),
  class: text({ doc: 'A Java class; not run here.' }),
  sequence: text({ doc: 'The sequence that messages go through.' }),
  onError: text({ doc: 'The sequence that handles faults.' }),
  suspend: javaBoolean({ default: false, doc: '`true`: deployed, and takes nothing in.' }),
  pinnedServers: text({ doc: 'The servers it runs on; absent: every one.' }),
  statistics: enableSwitch('Collects statistics.'),
  trace: enableSwitch('Traces messages.'),
  description: DESCRIPTION,
} as const;

/** What to do instead of what is known and not run here. */
const INSTEAD: Readonly<Record<string, string>> = {
  kafka:
    'a bridge (for example Kafka Connect) that puts the messages on a JMS or RabbitMQ queue, or posts them over HTTP',
  wso2_mb: 'protocol="jms" with the provider URL of an ActiveMQ or Artemis',
  hl7: 'an MLLP gateway that posts the messages over HTTP',
  cxf_ws_rm: 'protocol="https", and message stores for reliable delivery',
  feed: 'a <task> that calls an endpoint with the address of the feed',
};

/** Reads an `<inboundEndpoint>` (spec proxies 6.6); undefined after an error, all of which are reported. */
export function readInboundEndpoint(
  element: ConfigElement,
  reader: ArtifactReader,
  lookup: ArtifactLookup,
): InboundEndpointDefinition | undefined {
  const attributes = readAttributes(element, ATTRIBUTES, reader);
  reader.warnUnknownChildren(element, ['description', 'parameters', 'handlers']);
  const kind = readKind(element, attributes, reader);
  const written = kind && readWritten(element, attributes?.name ?? '', reader, lookup);
  const parameters = kind && written && readParameters(element, kind.parameters, written, reader);
  if (!attributes || !kind || !parameters || !written) return undefined;
  if (!allInstalled(kind.packages ?? [], `protocol "${kind.protocol}"`, element, reader)) return undefined;
  kind.review?.(written, parameters, reader);
  const { name, suspend } = attributes;
  const sequence = reference(attributes.sequence, 'sequence', element, reader);
  const onError = reference(attributes.onError, 'onError', element, reader);
  if (sequence === undefined && !kind.answers) {
    reader.error(element, `the inbound endpoint '${name}' has no sequence for its messages`, {
      expected: 'sequence="…"',
    });
    return undefined;
  }
  if (reader.failed) return undefined;
  const servers = resolvePlaceholders(attributes.pinnedServers ?? '', element, reader) ?? '';
  return {
    name,
    position: element.position,
    kind,
    sequence,
    onError,
    suspended: suspend,
    pinnedServers: servers.split(/[\s,]+/).filter((server) => server !== ''),
    parameters,
    written: new Map([...written.values()].map((parameter) => [parameter.name, parameter.value])),
  };
}

function reference(
  written: string | undefined,
  attribute: 'sequence' | 'onError',
  element: ConfigElement,
  reader: ArtifactReader,
): string | undefined {
  const name = written?.trim();
  if (!name) return undefined;
  reader.refer('sequence', name, element, attribute);
  return name;
}

function readKind(
  element: ConfigElement,
  attributes: { readonly protocol: string | undefined; readonly class: string | undefined } | undefined,
  reader: ArtifactReader,
): InboundKind | undefined {
  const protocols = inboundProtocols();
  const protocol = attributes?.protocol?.trim() ?? '';
  const supported = `protocol="…", one of: ${protocols.join(', ')}`;
  if (protocol === '') {
    const className = attributes?.class;
    const problem = className
      ? `Cannot load the inbound endpoint class ${className}: Java classes are not run`
      : 'Protocol or Class should be specified for inbound endpoint';
    const kafka = className && /kafka/i.test(className) ? `; instead of Kafka: ${INSTEAD.kafka}` : '';
    reader.error(element, problem, { ...(className && { attribute: 'class' }), expected: `${supported}${kafka}` });
    return undefined;
  }
  const kind = findInboundKind(protocol);
  if (kind) return kind;
  const instead = INSTEAD[protocol.toLowerCase()];
  const nearest = instead ? undefined : nearestName(protocol, protocols);
  const problem = instead ? 'are known, not supported yet' : 'do not exist here';
  reader.error(element, `inbound endpoints with the protocol '${protocol}' ${problem}`, {
    attribute: 'protocol',
    expected: instead ? `${supported}; instead of '${protocol}': ${instead}` : supported,
    ...(nearest && { nearest }),
  });
  return undefined;
}

/** The parameters with their final text; undefined after an error. */
function readWritten(
  element: ConfigElement,
  name: string,
  reader: ArtifactReader,
  lookup: ArtifactLookup,
): Map<string, WrittenParameter> | undefined {
  // Where the artifact itself is in no namespace, its parameters often are in Synapse's.
  const groups = element.children.filter(
    (child) => child.name === 'parameters' && [element.namespace, SYNAPSE_NAMESPACE].includes(child.namespace),
  );
  const resolved = new Map<string, WrittenParameter>();
  let complete = true;
  for (const group of groups) {
    for (const [key, parameter] of writtenParameters(group, reader)) {
      const value = textOf(parameter, name, reader, lookup);
      if (value === undefined) complete = false;
      else resolved.set(key, { ...parameter, value });
    }
  }
  return complete ? resolved : undefined;
}

function textOf(
  { element, value }: WrittenParameter,
  name: string,
  reader: ArtifactReader,
  lookup: ArtifactLookup,
): string | undefined {
  const key = element.attribute('key');
  if (key !== undefined) {
    const entry = lookup.localEntry(key);
    if (entry === undefined) {
      reader.error(
        element,
        `Error while deploying inbound endpoint ${name}.Registry entry defined with key: ${key} not found.`,
        { attribute: 'key', expected: 'the key of a local entry that holds text' },
      );
    }
    return entry?.trim();
  }
  const child = element.children[0];
  return child ? serializeXml(child.node) : resolvePlaceholders(value, element, reader);
}
