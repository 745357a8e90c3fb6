import { DESCRIBED, type ElementType, SWITCHED, suggested, TRUE_OR_FALSE, words } from './element-type.ts';

const SETTINGS = {
  format: suggested('What messages are sent as.', ['soap11', 'soap12', 'pox', 'get', 'rest']),
  optimize: suggested('How binary content goes with the envelope: taken out of it (mtom), or as attachments (swa).', [
    'mtom',
    'swa',
  ]),
  encoding: 'The character encoding that is sent.',
  ...SWITCHED,
} as const;
const SETTING_PARTS = [
  'timeout',
  'markForSuspension',
  'suspendOnFailure',
  'suspendDurationOnFailure',
  'retryConfig',
  'enableAddressing',
  'enableSec',
  'enableRM',
  'description',
] as const;
const text = (doc: string): ElementType => ({ doc, children: 'text' });

/** Elements inside `<endpoint>`, as {@link ARTIFACT_PARTS}. */
export const ENDPOINT_PARTS: Readonly<Record<string, ElementType>> = {
  'endpoint/address': {
    doc: 'One fixed address.',
    attributes: { 'uri!': 'For example http://host/path; $name in templates.', ...SETTINGS },
    children: SETTING_PARTS,
  },
  'endpoint/http': {
    doc: 'An address made for every message.',
    attributes: {
      'uri-template': 'A URI template: {uri.var.name} is a property.',
      method: suggested('Absent: that of the message.', ['get', 'post', 'put', 'patch', 'delete', 'head', 'options']),
      ...SETTINGS,
    },
    children: [...SETTING_PARTS, 'authentication'],
  },
  'endpoint/wsdl': {
    doc: 'The address that a WSDL names.',
    attributes: {
      uri: 'The address of the WSDL; else it stands inside.',
      'service!': 'The service in it.',
      'port!': 'Its port.',
      ...SETTINGS,
    },
    children: 'any',
  },
  'endpoint/default': {
    doc: 'Wherever the message is addressed to.',
    attributes: SETTINGS,
    children: SETTING_PARTS,
  },
  'endpoint/loadbalance': {
    doc: 'Messages are spread over several endpoints.',
    attributes: {
      algorithm: suggested('Who is next.', [
        'org.apache.synapse.endpoints.algorithms.RoundRobin',
        'org.apache.synapse.endpoints.algorithms.WeightedRoundRobin',
        'org.apache.synapse.endpoints.algorithms.WeightedRRLCAlgorithm',
      ]),
      policy: words('The same as algorithm, in short.', 'roundRobin', 'RoundRobin'),
      failover: TRUE_OR_FALSE('False: what fails is not sent to another one.'),
      buildMessage: TRUE_OR_FALSE('Accepted.'),
      ...SWITCHED,
    },
    children: ['endpoint', 'member', 'description'],
  },
  'endpoint/failover': {
    doc: 'The first endpoint that works.',
    attributes: {
      dynamic: TRUE_OR_FALSE('False: the one that took over stays.'),
      buildMessage: TRUE_OR_FALSE('Accepted.'),
      ...SWITCHED,
    },
    children: ['endpoint', 'description'],
  },
  'endpoint/recipientlist': {
    doc: 'Every message goes to all of them.',
    attributes: SWITCHED,
    children: ['endpoint', 'member', 'endpoints', 'description'],
  },
  'recipientlist/endpoints': {
    doc: 'Addresses that are worked out for every message.',
    attributes: {
      'value!': '{expression}: addresses separated by commas.',
      'max-cache': 'How many are kept.',
    },
    children: 'text',
  },
  member: {
    doc: 'A host of the group.',
    attributes: { 'hostName!': 'Its name or address.', httpPort: 'Its HTTP port.', httpsPort: 'Its HTTPS port.' },
    children: 'text',
  },
  'endpoint/session': {
    doc: 'Messages of one session go to the same endpoint.',
    attributes: { 'type!': words('By what sessions are told apart.', 'http', 'soap', 'simpleClientSession') },
    children: ['sessionTimeout'],
  },
  sessionTimeout: text('ms after which a session is forgotten.'),
  'endpoint/property': {
    doc: 'A property of every message that is sent there.',
    attributes: {
      'name!': 'Its name.',
      value: 'Its value.',
      expression: 'The value is worked out for every message.',
      scope: suggested('Where it is set.', ['default', 'transport', 'axis2', 'axis2-client']),
      type: 'Its type.',
      ...DESCRIBED,
    },
    children: 'any',
  },
  'endpoint/parameter': {
    doc: 'A value for the template.',
    attributes: { 'name!': 'Its name.', value: 'Its value.', ...DESCRIBED },
    children: 'text',
  },
  timeout: { doc: 'When an answer is waited for no longer.', children: ['duration', 'responseAction', 'action'] },
  duration: text('ms.'),
  responseAction: text('fault or discard.'),
  'timeout/action': text('The older name of responseAction.'),
  markForSuspension: {
    doc: 'Failures after which it is tried again some times before it is suspended.',
    children: ['errorCodes', 'retriesBeforeSuspension', 'retryDelay'],
  },
  suspendOnFailure: {
    doc: 'Failures after which it is sent nothing for a while.',
    children: ['errorCodes', 'initialDuration', 'progressionFactor', 'maximumDuration'],
  },
  suspendDurationOnFailure: text('Seconds; the older way to say it.'),
  retryConfig: {
    doc: 'Failures after which another endpoint of the group is, or is not, tried.',
    children: ['disabledErrorCodes', 'enabledErrorCodes'],
  },
  errorCodes: text('Separated by commas.'),
  disabledErrorCodes: text('Separated by commas.'),
  enabledErrorCodes: text('Separated by commas.'),
  retriesBeforeSuspension: text('How often.'),
  retryDelay: text('ms.'),
  initialDuration: text('ms.'),
  progressionFactor: text('What the duration is multiplied by each time.'),
  maximumDuration: text('ms.'),
  authentication: { doc: 'Who sends: <basicAuth> or <oauth>.', children: 'any' },
};
