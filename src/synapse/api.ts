import { compileWholeMatch } from '../expressions/regex.ts';
import {
  DESCRIPTION,
  enableSwitch,
  integer,
  nonEmptyText,
  oneOf,
  readAttributes,
  text,
  type ValuesOf,
  type ValueType,
} from '../grammar/attributes.ts';
import type { ConfigElement } from '../grammar/element.ts';
import { resolvePlaceholders } from '../grammar/placeholders.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import type { ResourceDefinition, ResourceMapping } from '../rest/resource.ts';
import type { ApiDefinition } from '../rest/rest-api.ts';
import { DEFAULT_BINDING } from '../rest/select-api.ts';
import { UriTemplate, UriTemplateError } from '../rest/uri-template.ts';
import { KEY, readSequenceReference } from './sequence-reference.ts';

const TRANSPORTS = ['http', 'https'] as const;

const ATTRIBUTES = {
  name: nonEmptyText({
    required: true,
    missing: "Attribute 'name' is required for an API definition",
    doc: 'Its name.',
  }),
  context: nonEmptyText({
    required: true,
    missing: "Attribute 'context' is required for an API definition",
    doc: 'Where its URLs begin; `{version}` stands for the version.',
  }),
  hostname: nonEmptyText({ doc: 'Serves only requests to this host.' }),
  port: integer({ minimum: 1, maximum: 65_535, doc: 'Serves only requests to this port.' }),
  version: text({ doc: 'Its version.' }),
  'version-type': oneOf(['url', 'context'], { doc: 'Where the version stands: after the context, or in it.' }),
  publishSwagger: nonEmptyText({ doc: 'The key of its OpenAPI document.' }),
  transports: text({ doc: '`http`, `https` or both; absent: both.' }),
  'binds-to': text({ doc: 'The inbound endpoints that serve it; `default` is the server itself.' }),
  statistics: enableSwitch('Collects statistics.'),
  trace: enableSwitch('Traces messages.'),
  description: DESCRIPTION,
} as const;

type ApiAttributes = ValuesOf<typeof ATTRIBUTES>;

/** Reads an `<api>` (spec proxies 6.1); undefined after an error, all of which are reported. */
export function readApi(element: ConfigElement, reader: ArtifactReader): ApiDefinition | undefined {
  const attributes = readAttributes(element, ATTRIBUTES, reader);
  reader.warnUnknownChildren(element, ['description', 'resource', 'handlers']);
  warnAboutHandlers(element, reader);
  const resources = readResources(element, attributes?.name ?? '?', reader);
  const context = attributes && readContext(element, attributes, reader);
  const transports = attributes && readTransports(element, attributes.transports, reader);
  if (!attributes || context === undefined || resources.length === 0) return undefined;
  const { name, hostname, port, publishSwagger } = attributes;
  return {
    name,
    position: element.position,
    ...context,
    hostname: hostname === undefined ? undefined : resolvePlaceholders(hostname, element, reader),
    port,
    transports,
    bindsTo: attributes['binds-to'] === undefined ? [DEFAULT_BINDING] : tokens(attributes['binds-to']),
    resources,
    publishSwagger,
  };
}

function tokens(list: string): string[] {
  return list.split(/[\s,]+/).filter((token) => token !== '');
}

function readContext(
  element: ConfigElement,
  { context, version, 'version-type': strategy }: ApiAttributes,
  reader: ArtifactReader,
): Pick<ApiDefinition, 'context' | 'version'> | undefined {
  const resolved = resolvePlaceholders(context, element, reader);
  if (resolved === undefined) return undefined;
  if (!resolved.startsWith('/')) {
    reader.error(element, "API context must begin with '/' character", {
      attribute: 'context',
      expected: `context="/${resolved}"`,
    });
    return undefined;
  }
  const plain = resolved.replace(/\/+$/, '');
  if (version === undefined || version.trim() === '') return { context: plain, version: undefined };
  if (strategy === undefined) {
    reader.error(element, 'A version of an API needs a version-type', { expected: 'version-type="url" or "context"' });
    return undefined;
  }
  const filled = strategy === 'context' ? plain.replaceAll('{version}', version) : plain;
  return { context: filled, version: { name: version, strategy } };
}

function readTransports(
  element: ConfigElement,
  written: string | undefined,
  reader: ArtifactReader,
): readonly string[] | undefined {
  const names = tokens(written ?? '');
  for (const name of names) {
    if (TRANSPORTS.some((known) => known === name)) continue;
    reader.error(element, `Invalid protocol name: ${name}`, {
      attribute: 'transports',
      expected: 'http, https or both',
    });
  }
  return names.length === 0 || names.length === TRANSPORTS.length ? undefined : names;
}

/** Handlers are Java classes: what they would do must not be missing silently. */
function warnAboutHandlers(api: ConfigElement, reader: ArtifactReader): void {
  for (const handler of api.child('handlers')?.childrenNamed('handler') ?? []) {
    reader.warning(handler, `the API handler '${handler.attribute('class') ?? ''}' is a Java class and is not run`, {
      expected: 'mediators in the sequences of the resources instead',
    });
  }
}

/** The whole header has to match, as with Java's matches(). */
const USER_AGENT: ValueType<(header: string) => boolean> = {
  expected: 'a regular expression',
  doc: 'Only requests whose User-Agent matches.',
  parse(pattern) {
    const match = compileWholeMatch(pattern);
    return (header) => match(header) !== undefined;
  },
};

const RESOURCE_ATTRIBUTES = {
  methods: text({ doc: 'HTTP methods; absent: all.' }),
  'uri-template': text({ doc: 'A URI template for what follows the context.' }),
  'url-mapping': text({ doc: 'An exact path, a prefix `/…/*` or an extension `*.ext`.' }),
  protocol: oneOf(TRANSPORTS, { doc: 'Only requests by this protocol.' }),
  'content-type': text({ doc: 'Only requests with exactly this Content-Type.' }),
  'user-agent': USER_AGENT,
  inSequence: KEY,
  outSequence: KEY,
  faultSequence: KEY,
  description: DESCRIPTION,
} as const;

function readResources(api: ConfigElement, name: string, reader: ArtifactReader): ResourceDefinition[] {
  const elements = api.childrenNamed('resource');
  if (elements.length === 0) {
    reader.error(api, `API ${name} must contain at least one resource definition`, { expected: 'a <resource>' });
    return [];
  }
  const resources = elements.map((element, index) => readResource(element, `api/${name}/${index + 1}`, reader));
  const good = resources.filter((resource) => resource !== undefined);
  if (good.filter(({ mapping }) => mapping.kind === 'default').length > 1) warnAboutDefaults(elements, reader);
  return good.length === elements.length ? good : [];
}

/** The reference sends every request to one of them; so do we, to the first that fits. */
function warnAboutDefaults(elements: readonly ConfigElement[], reader: ArtifactReader): void {
  const defaults = elements.filter(
    (element) => element.attribute('uri-template') === undefined && element.attribute('url-mapping') === undefined,
  );
  const methods = defaults.map((element) => element.attribute('methods'));
  const [, second] = defaults;
  if (second && new Set(methods).size < methods.length)
    reader.warning(second, 'several resources without uri-template and url-mapping: the first that fits is used');
}

function readResource(element: ConfigElement, id: string, reader: ArtifactReader): ResourceDefinition | undefined {
  const attributes = readAttributes(element, RESOURCE_ATTRIBUTES, reader);
  reader.warnUnknownChildren(element, ['description', 'inSequence', 'outSequence', 'faultSequence']);
  const place = { element, id, reader };
  const sequences = {
    inSequence: readSequenceReference(place, 'inSequence', attributes?.inSequence),
    outSequence: readSequenceReference(place, 'outSequence', attributes?.outSequence),
    faultSequence: readSequenceReference(place, 'faultSequence', attributes?.faultSequence),
  };
  if (!attributes) return undefined;
  const mapping = readMapping(element, attributes, reader);
  if (mapping === undefined) return undefined;
  return {
    mapping,
    methods: tokens(attributes.methods ?? '').map((method) => method.toUpperCase()),
    protocol: attributes.protocol,
    contentType: attributes['content-type'],
    userAgent: attributes['user-agent'],
    ...sequences,
  };
}

function readMapping(
  element: ConfigElement,
  attributes: ValuesOf<typeof RESOURCE_ATTRIBUTES>,
  reader: ArtifactReader,
): ResourceMapping | undefined {
  const { 'uri-template': template, 'url-mapping': mapping } = attributes;
  if (template !== undefined && mapping !== undefined) {
    reader.error(element, 'Resource cannot have both a uri-template and a url-mapping', {
      attribute: 'url-mapping',
      expected: 'one of the two',
    });
    return undefined;
  }
  if (mapping !== undefined) return { kind: 'url-mapping', text: mapping };
  if (template === undefined) return { kind: 'default' };
  try {
    return { kind: 'uri-template', template: new UriTemplate(template) };
  } catch (error) {
    if (!(error instanceof UriTemplateError)) throw error;
    reader.error(element, `Invalid uri-template : ${template}: ${error.message}`, {
      attribute: 'uri-template',
      expected: 'for example /users/{id}?limit={limit}',
    });
    return undefined;
  }
}
