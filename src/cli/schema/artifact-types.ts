import { inboundProtocols } from '../../inbound/index.ts';
import { PROCESSOR_KINDS } from '../../processors/index.ts';
import { STORE_KINDS } from '../../stores/index.ts';
import { DESCRIBED, type ElementType, SWITCHED, suggested, TRUE_OR_FALSE, words } from './element-type.ts';

const SEQUENCE_ATTRIBUTES = {
  name: 'Its name.',
  onError: 'The sequence that handles faults inside.',
  key: 'Another sequence that is used here.',
  ...SWITCHED,
} as const;
const KEYS = {
  inSequence: 'The sequence of requests, by its key.',
  outSequence: 'The sequence of responses, by its key.',
  faultSequence: 'The sequence that handles faults, by its key.',
} as const;
const IN_SEQUENCES = ['inSequence', 'outSequence', 'faultSequence'] as const;
/** What secures messages, and what of the reference is accepted beside it. */
const QUALITY = ['enableAddressing', 'enableSec', 'enableRM'] as const;

const classes = (kinds: ReadonlyArray<{ readonly classes: readonly string[]; readonly doc: string }>) =>
  kinds.flatMap(({ classes: all, doc }) => all.map((value) => ({ value, doc })));

/** The elements that an artifact file may have as its root, in their order of use. */
export const ARTIFACT_TYPES: Readonly<Record<string, ElementType>> = {
  proxy: {
    doc: 'A proxy service: takes messages at /services/NAME.',
    attributes: {
      'name!': 'Its name; it is served at /services/NAME and may contain slashes.',
      transports: 'The transports that expose it, separated by blanks or commas; all or absent: every one.',
      startOnLoad: TRUE_OR_FALSE('False: deployed, but stopped.'),
      pinnedServers: 'The servers it is deployed on; absent: every one.',
      serviceGroup: 'Accepted for compatibility.',
      ...SWITCHED,
    },
    children: ['description', 'target', 'publishWSDL', 'policy', 'parameter', ...QUALITY],
  },
  api: {
    doc: 'A REST API: resources below one context.',
    attributes: {
      'name!': 'Its name.',
      'context!': 'The path that its resources stand below; begins with a slash.',
      hostname: 'Serves only requests to this host.',
      port: 'Serves only requests to this port.',
      version: 'Its version.',
      'version-type': words('Where the version stands: after the context, or in it.', 'url', 'context'),
      publishSwagger: 'The key of its OpenAPI document.',
      transports: 'http, https or both; absent: both.',
      'binds-to': 'The inbound endpoints that serve it; default is the server itself.',
      ...SWITCHED,
    },
    children: ['description', 'resource', 'handlers'],
  },
  endpoint: {
    doc: 'Where messages are sent to: an address, or a group of endpoints; with a key another endpoint.',
    attributes: {
      name: 'Its name; a definition at the top level must have one.',
      key: 'The endpoint that is used here; may be {expression} inside mediators.',
      'key-expression': 'The name of the endpoint, worked out for every message.',
      template: 'The template that it is made of.',
      uri: 'What stands for $uri in the template.',
      onError: 'The sequence that handles faults of sending.',
      ...SWITCHED,
    },
    children: [
      'address',
      'http',
      'wsdl',
      'default',
      'loadbalance',
      'failover',
      'recipientlist',
      'session',
      'property',
      'parameter',
      'description',
    ],
  },
  template: {
    doc: 'A sequence or an endpoint with parameters.',
    attributes: { 'name!': 'Its name.', onError: 'The sequence that handles faults inside.', ...SWITCHED },
    children: ['parameter', 'sequence', 'endpoint', 'description'],
  },
  localEntry: {
    doc: 'A value by a key: text, XML, or what is read from src.',
    attributes: {
      'key!': 'Its key.',
      src: 'Where its value is read from, once, when it is deployed.',
      ...DESCRIBED,
    },
    children: 'any',
  },
  messageStore: {
    doc: 'Keeps messages until a message processor takes them.',
    attributes: {
      'name!': 'Its name.',
      class: suggested('The kind of store; absent: in memory.', classes(STORE_KINDS)),
      ...DESCRIBED,
    },
    children: ['description', 'parameter'],
  },
  messageProcessor: {
    doc: 'Takes messages from a store and forwards, samples or resequences them.',
    attributes: {
      'name!': 'Its name.',
      'class!': suggested('What it does.', classes(PROCESSOR_KINDS)),
      'messageStore!': 'The store it takes messages from.',
      targetEndpoint: 'The endpoint that it forwards to.',
      ...SWITCHED,
    },
    children: ['description', 'parameter'],
  },
  task: {
    doc: 'Injects a message at times.',
    attributes: {
      'name!': 'Its name.',
      class: 'What it does; the message injector.',
      group: 'Its group in the scheduler.',
      pinnedServers: 'The servers it runs on; absent: every one.',
      ...DESCRIBED,
    },
    children: ['description', 'property', 'trigger'],
  },
  inboundEndpoint: {
    doc: 'Takes messages in on its own: from a port, a broker or a folder.',
    attributes: {
      'name!': 'Its name.',
      protocol: suggested('How messages come in.', inboundProtocols()),
      class: 'A Java class; not run here.',
      sequence: 'The sequence that messages go through.',
      onError: 'The sequence that handles faults.',
      suspend: TRUE_OR_FALSE('True: deployed, and takes nothing in.'),
      pinnedServers: 'The servers it runs on; absent: every one.',
      ...SWITCHED,
    },
    children: ['description', 'parameters', 'handlers'],
  },
  registry: {
    doc: 'Where resources are read from that are no local entries.',
    attributes: { provider: 'The Java class; what has a root is read from there.', ...DESCRIBED },
    children: ['parameter', 'description'],
  },
  import: {
    doc: 'Uses a connector library.',
    attributes: {
      'name!': 'The name of the library: what stands before the dot of its operations.',
      'package!': 'The package of the library.',
      status: words('Disabled: its operations cannot be used.', 'enabled', 'disabled'),
      ...DESCRIBED,
    },
    children: ['description'],
  },
  eventSource: {
    doc: 'Sends events to those who have subscribed.',
    attributes: { 'name!': 'Its name.', ...DESCRIBED },
    children: ['subscriptionManager', 'subscription', 'description'],
  },
  priorityExecutor: {
    doc: 'Mediates messages in the order of their priority.',
    attributes: { 'name!': 'Its name.', ...DESCRIBED },
    children: ['queues', 'threads', 'description'],
  },
  taskManager: {
    doc: 'How the server runs tasks; accepted.',
    attributes: { provider: 'Accepted and without effect.', ...DESCRIBED },
    children: ['parameter', 'description'],
  },
};

/** `sequence` is an artifact, and a mediator that uses one. */
export const SEQUENCE: ElementType = {
  doc: 'A list of mediators with a name; inside others with a key, another sequence that is used.',
  attributes: SEQUENCE_ATTRIBUTES,
  children: 'mediators',
};

/** Elements inside artifacts, by the name of the element around them, `/` and their own; by their own name where they are all the same. */
export const ARTIFACT_PARTS: Readonly<Record<string, ElementType>> = {
  description: { doc: 'Documentation only.', children: 'any' },
  parameter: {
    doc: 'A named value.',
    attributes: {
      'name!': 'Its name.',
      value: 'Its value, instead of the text.',
      key: 'The local entry that has its value.',
      expression: 'The value is worked out for every message.',
      locked: 'Accepted.',
      ...DESCRIBED,
    },
    children: 'any',
  },
  'proxy/target': {
    doc: 'What becomes of messages to the proxy service.',
    attributes: { ...KEYS, endpoint: 'The endpoint they are sent to, by its key.', ...DESCRIBED },
    children: [...IN_SEQUENCES, 'endpoint', 'description'],
  },
  inSequence: { doc: 'What requests go through.', attributes: SEQUENCE_ATTRIBUTES, children: 'mediators' },
  outSequence: { doc: 'What responses go through.', attributes: SEQUENCE_ATTRIBUTES, children: 'mediators' },
  faultSequence: { doc: 'What handles faults.', attributes: SEQUENCE_ATTRIBUTES, children: 'mediators' },
  publishWSDL: {
    doc: 'The WSDL of the service.',
    attributes: {
      endpoint: 'The endpoint whose WSDL is published.',
      key: 'The local entry that holds the WSDL.',
      uri: 'The address of the WSDL.',
      preservePolicy: TRUE_OR_FALSE('False: policies are taken out of the WSDL.'),
    },
    children: 'any',
  },
  policy: {
    doc: 'A WS-SecurityPolicy.',
    attributes: {
      key: 'The local entry or resource with the policy.',
      type: words('Which messages.', 'in', 'out'),
      operationName: 'Only of this operation.',
      operationNamespace: 'Its namespace.',
    },
    children: 'any',
  },
  enableSec: {
    doc: 'WS-Security: messages are signed, encrypted, checked as the policy says.',
    attributes: {
      policy: 'The policy of both directions, by its key.',
      inboundPolicy: 'The policy of responses, by its key.',
      outboundPolicy: 'The policy of requests, by its key.',
    },
    children: ['description'],
  },
  enableAddressing: {
    doc: 'WS-Addressing headers.',
    attributes: {
      version: words('Of WS-Addressing.', 'final', 'submission'),
      separateListener: TRUE_OR_FALSE('Accepted and without effect.'),
    },
    children: ['description'],
  },
  enableRM: {
    doc: 'WS-ReliableMessaging; accepted and without effect.',
    attributes: { policy: 'Accepted.' },
    children: ['description'],
  },
  'api/resource': {
    doc: 'Requests to some paths by some methods.',
    attributes: {
      methods: 'HTTP methods; absent: all.',
      'uri-template': 'A URI template for what follows the context.',
      'url-mapping': 'An exact path, a prefix /…/* or an extension *.ext.',
      protocol: words('Only requests by this protocol.', 'http', 'https'),
      'content-type': 'Only requests with exactly this Content-Type.',
      'user-agent': 'Only requests of clients that this fits.',
      ...KEYS,
      ...DESCRIBED,
    },
    children: ['description', ...IN_SEQUENCES],
  },
  handlers: { doc: 'Handlers of the API.', children: ['handler'] },
  handler: {
    doc: 'CORS and the like; Java classes are not run.',
    attributes: { 'class!': 'Its class.' },
    children: ['property', 'description'],
  },
  'handler/property': {
    doc: 'A setting of the handler.',
    attributes: { 'name!': 'Its name.', value: 'Its value.' },
    children: 'any',
  },
  'inboundEndpoint/parameters': { doc: 'How it is set up.', children: ['parameter'] },
  'task/property': {
    doc: 'What is injected, and where.',
    attributes: { 'name!': 'Its name.', value: 'Its value; else what stands inside.' },
    children: 'any',
  },
  'task/trigger': {
    doc: 'When it runs.',
    attributes: {
      count: 'How often it runs; absent or negative: for ever.',
      interval: 'Seconds between runs.',
      once: TRUE_OR_FALSE('True: it runs once, at the start.'),
      cron: 'A Quartz expression.',
      ...DESCRIBED,
    },
    children: 'text',
  },
  'template/parameter': {
    doc: 'A parameter of the template.',
    attributes: {
      'name!': 'Its name; $func:name in sequences, $name in endpoints.',
      isMandatory: TRUE_OR_FALSE('True: a call without a value is a fault.'),
      defaultValue: 'The value of a call that gives none.',
      default: 'The older name of defaultValue.',
      optional: TRUE_OR_FALSE('Accepted: what is not mandatory is optional.'),
      ...DESCRIBED,
    },
    children: 'text',
  },
  subscriptionManager: {
    doc: 'Keeps subscriptions.',
    attributes: { 'class!': 'Its class.' },
    children: ['property'],
  },
  'subscriptionManager/property': {
    doc: 'A setting.',
    attributes: { 'name!': 'Its name.', value: 'Its value.' },
    children: 'any',
  },
  subscription: {
    doc: 'One who is sent events.',
    attributes: { id: 'Its id.' },
    children: ['filter', 'endpoint', 'expires'],
  },
  'subscription/filter': {
    doc: 'Which events.',
    attributes: { source: 'An XPath.', dialect: 'The language of the filter.' },
    children: 'any',
  },
  'subscription/expires': { doc: 'Until when.', children: 'text' },
  queues: {
    doc: 'One queue for each priority.',
    attributes: { isFixedSize: 'Accepted.', nextQueue: 'Accepted and without effect.' },
    children: ['queue'],
  },
  queue: {
    doc: 'Messages of one priority.',
    attributes: { size: 'Messages that may wait.', 'priority!': 'Higher numbers are served more often.' },
    children: 'text',
  },
  threads: {
    doc: 'How many at a time.',
    attributes: {
      max: 'Messages that are mediated at the same time.',
      core: 'Accepted and without effect.',
      'keep-alive': 'Accepted and without effect.',
    },
    children: 'text',
  },
};
