import { ConfigElement } from '../grammar/element.ts';
import {
  type ParametersOf,
  type ParameterTypes,
  readParameters,
  type WrittenParameter,
} from '../grammar/parameters.ts';
import { ArtifactReader } from '../grammar/reader.ts';
import { logger } from '../logging/index.ts';
import type { ProxyDefinition } from '../mediation/proxy-service.ts';
import { newDocument, parseXml, type XmlElement, XmlSyntaxError } from '../xml/index.ts';
import type { InboundServices, InboundTransport } from './component.ts';
import { proxyEntry } from './entry.ts';
import { folderRules } from './file/file.ts';
import { FolderListener } from './file/folder-listener.ts';
import { FOLDER_PARAMETERS } from './file/parameters.ts';
import { JmsListener, maxRedeliveries } from './jms/jms.ts';
import { DEFAULT_PROVIDER_URL } from './jms/jms-address.ts';
import type { JmsContentType } from './jms/message.ts';
import { brokerAccess, JMS_INBOUND_PARAMETERS, queueOf } from './jms/parameters.ts';
import { redeliveryOf } from './queue-parameters.ts';

const log = logger('ProxyService');
/** What the reference polls in, seconds. */
const DEFAULT_POLL_S = 300;

/**
 * The listeners of a proxy service beside HTTP: for each of `transports="jms vfs"` that it names. What cannot be listened to is said in
 * the log; the proxy serves its other transports all the same.
 */
export function proxyListeners(
  definition: ProxyDefinition,
  services: InboundServices,
  previous: ReadonlyMap<string, InboundTransport>,
): ReadonlyMap<string, InboundTransport> {
  const listeners = new Map<string, InboundTransport>();
  for (const transport of definition.transports ?? []) {
    const open = OPENERS[transport];
    if (!open) continue;
    try {
      listeners.set(transport, open(definition, services, previous.get(transport)));
    } catch (error) {
      const { file, line, column } = definition.position;
      const reason = error instanceof Error ? error.message : String(error);
      log.error(
        `${file}:${line}:${column}: proxy '${definition.name}' cannot be reached over '${transport}': ${reason}`,
      );
    }
  }
  return listeners;
}

type Opener = (
  definition: ProxyDefinition,
  services: InboundServices,
  previous: InboundTransport | undefined,
) => InboundTransport;

const OPENERS: Readonly<Record<string, Opener>> = { jms: openJms, vfs: openFolder };

function openJms(
  definition: ProxyDefinition,
  services: InboundServices,
  previous: InboundTransport | undefined,
): JmsListener {
  const { name, parameters: written } = definition;
  const contentType = contentTypeRules(written.get('transport.jms.ContentType'));
  const all = new Map(written);
  all.delete('transport.jms.ContentType');
  const factory = all.get('transport.jms.ConnectionFactory');
  if (!all.has('java.naming.provider.url')) {
    all.set('java.naming.provider.url', DEFAULT_PROVIDER_URL);
    log.info(
      `{proxy:${name}} JMS connection factory '${factory ?? 'default'}': no java.naming.provider.url is given, ${DEFAULT_PROVIDER_URL} is used`,
    );
  }
  const parameters = readTexts(definition, JMS_INBOUND_PARAMETERS, all);
  const providerUrl = parameters['java.naming.provider.url'].text;
  return new JmsListener({
    entry: proxyEntry(name),
    services,
    previous,
    access: brokerAccess(parameters, services.stores),
    queue: queueOf(parameters['transport.jms.Destination'] || name, all),
    contentType: {
      property: parameters['transport.jms.ContentTypeProperty'] || contentType.property,
      fixed: contentType.fixed,
    },
    replyDestination: parameters['transport.jms.ReplyDestination'] || undefined,
    concurrency: consumersOf(written),
    redelivery: redeliveryOf(parameters),
    maxRedeliveries: maxRedeliveries(providerUrl),
    providerUrl,
    wrapper: wrapperOf(written.get('Wrapper')),
  });
}

function consumersOf(written: ReadonlyMap<string, string>): number {
  const count = Number(written.get('transport.jms.ConcurrentConsumers') ?? 1);
  return Number.isInteger(count) ? Math.min(64, Math.max(1, count)) : 1;
}

function openFolder(
  definition: ProxyDefinition,
  services: InboundServices,
  previous: InboundTransport | undefined,
): FolderListener {
  const parameters = readTexts(definition, FOLDER_PARAMETERS, definition.parameters);
  const seconds = Number(definition.parameters.get('transport.PollInterval') ?? DEFAULT_POLL_S);
  const intervalMs = (seconds > 0 ? seconds : DEFAULT_POLL_S) * 1000;
  const rules = folderRules(parameters, { intervalMs, concurrency: 1 });
  return new FolderListener({ entry: proxyEntry(definition.name), services, previous, rules });
}

/** @throws an error with everything that is wrong with the parameters */
function readTexts<P extends ParameterTypes>(
  { name, position }: ProxyDefinition,
  types: P,
  texts: ReadonlyMap<string, string>,
): ParametersOf<P> {
  const node = newDocument(null, 'proxy').documentElement as XmlElement;
  node.setAttribute('name', name);
  const element = new ConfigElement(node, { file: position.file, text: '' });
  const reader = new ArtifactReader();
  const written = new Map<string, WrittenParameter>();
  for (const [key, value] of texts) if (Object.hasOwn(types, key)) written.set(key, { name: key, value, element });
  const values = readParameters(element, types, written, reader);
  if (values) return values;
  throw new Error(
    reader.diagnostics
      .map(({ message, expected }) => `${message}${expected ? ` (expected ${expected})` : ''}`)
      .join('; '),
  );
}

/** A media type, or `<rules><jmsProperty>name</jmsProperty><default>type</default></rules>` (sample 250). */
export function contentTypeRules(written: string | undefined): JmsContentType {
  if (!written) return { property: undefined, fixed: undefined };
  if (!written.startsWith('<')) return { property: undefined, fixed: written };
  try {
    const rules = new ConfigElement(parseXml(written).documentElement as XmlElement, { file: '', text: written });
    const text = (name: string) => rules.child(name)?.text.trim() || undefined;
    return { property: text('jmsProperty'), fixed: text('default') };
  } catch (error) {
    if (error instanceof XmlSyntaxError) return { property: undefined, fixed: undefined };
    throw error;
  }
}

/** `{namespace}name`: the element that texts and bytes are put into (sample 252). */
function wrapperOf(
  written: string | undefined,
): { readonly namespace: string | null; readonly name: string } | undefined {
  const [, namespace, name] = /^(?:\{([^}]*)\})?([\w.-]+)$/.exec(written?.trim() ?? '') ?? [];
  return name === undefined ? undefined : { namespace: namespace || null, name };
}
