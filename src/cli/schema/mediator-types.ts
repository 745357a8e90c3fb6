import { DESCRIBED, type ElementType, SWITCHED, suggested, TRUE_OR_FALSE, words } from './element-type.ts';

const text = (doc: string): ElementType => ({ doc, children: 'text' });
const any = (doc: string): ElementType => ({ doc, children: 'any' });
const VALUE = {
  value: 'Its value.',
  expression: 'The value is worked out for every message: an XPath, json-eval(path) or $' + '{…}.',
} as const;
const named = (doc: string): ElementType => ({
  doc,
  attributes: { 'name!': 'Its name.', ...VALUE, type: 'Its type.', scope: 'Where it stands.', ...DESCRIBED },
  children: 'any',
});
const mediators = (doc: string, attributes: ElementType['attributes'] = {}): ElementType => ({
  doc,
  attributes: { ...attributes, ...DESCRIBED },
  children: 'mediators',
});
const SEQUENCE_KEY = { sequence: 'The sequence that is used, by its key.' } as const;
const SOURCE_OR_TARGET = {
  type: 'What it is: body, envelope, property, custom, inline, variable …',
  xpath: 'The place, of the type custom.',
  property: 'The name of the property.',
  clone: TRUE_OR_FALSE('False: what is taken is gone from where it was.'),
  key: 'A local entry, of the type inline.',
  action: words('What becomes of what is there.', 'replace', 'child', 'sibling', 'remove'),
  contentType: 'Of what is taken or given.',
  'content-type': 'Of what is taken or given.',
  ...DESCRIBED,
} as const;
const DB_PROPERTY: ElementType = {
  doc: 'A setting of the pool of connections.',
  attributes: { 'name!': 'Its name.', value: 'Its value.' },
  children: 'text',
};

/** Elements inside mediators, as {@link ARTIFACT_PARTS}. */
export const MEDIATOR_PARTS: Readonly<Record<string, ElementType>> = {
  'filter/then': mediators('What messages go through that fit.', SEQUENCE_KEY),
  'filter/else': mediators('What the other messages go through.', SEQUENCE_KEY),
  'switch/case': mediators('What messages go through whose value fits.', { 'regex!': 'A regular expression.' }),
  'switch/default': mediators('What messages go through that no case fits.'),
  'aggregate/correlateOn': {
    doc: 'Messages of one value belong together.',
    attributes: { 'expression!': VALUE.expression },
    children: 'text',
  },
  completeCondition: {
    doc: 'When a group is complete.',
    attributes: { timeout: 'Seconds.' },
    children: ['messageCount'],
  },
  messageCount: {
    doc: 'How many messages.',
    attributes: { min: 'At least.', max: 'At most.' },
    children: 'text',
  },
  onComplete: mediators('What an aggregate goes through.', {
    expression: 'What of each message is put together.',
    enclosingElementProperty: 'The property with the element around it.',
    'result-content-type': 'Of the aggregate.',
    aggregateElementType: words('What stands around it.', 'root', 'child'),
    ...SEQUENCE_KEY,
  }),
  messageBuilder: {
    doc: 'Accepted for content types that are known.',
    attributes: { contentType: 'Which.', class: 'A Java class.', formatterClass: 'A Java class.' },
    children: 'text',
  },
  source: { doc: 'What is taken.', attributes: SOURCE_OR_TARGET, children: 'any' },
  target: { doc: 'Where it is put.', attributes: SOURCE_OR_TARGET, children: 'any' },
  'callout/configuration': {
    doc: 'Accepted.',
    attributes: { axis2xml: 'Accepted.', repository: 'Accepted.' },
    children: 'text',
  },
  'with-param': {
    doc: 'A value for the template.',
    attributes: { 'name!': 'Its name.', value: 'Its value; may be {expression}.' },
    children: 'text',
  },
  inputs: { doc: 'What the code is given.', attributes: { type: 'Their type.' }, children: ['argument'] },
  argument: {
    doc: 'One value that the code is given.',
    attributes: { name: 'Its name.', type: 'Its type.', ...VALUE },
    children: 'any',
  },
  'class/property': named('A property of the class.'),
  'log/property': named('A value that is logged.'),
  'log/message': text('A text that is logged; {expression} or $' + '{…} in it is worked out.'),
  'jsontransform/property': named('A setting of the transformation.'),
  'clone/target': sending('What one copy goes through.'),
  'iterate/target': sending('What every part goes through.'),
  'sampler/target': sending('What the messages go through that are let through.'),
  'router/target': sending('What messages go through that fit.'),
  'conditionalRouter/target': sending('What messages go through that fit.'),
  'sampler/messageQueue': { doc: 'Accepted.', attributes: { 'class!': 'A Java class.' }, children: 'text' },
  conditionalRoute: {
    doc: 'One way, and who takes it.',
    attributes: {
      breakRoute: TRUE_OR_FALSE('Accepted.'),
      breakAfter: TRUE_OR_FALSE('False: later ways are looked at, too.'),
      asynchronous: TRUE_OR_FALSE('Accepted.'),
    },
    children: ['condition', 'target'],
  },
  condition: any('When: equal, match, exists, and, or, not.'),
  route: {
    doc: 'One way, and who takes it.',
    attributes: {
      'expression!': VALUE.expression,
      match: 'A regular expression for its value.',
      breakRouter: TRUE_OR_FALSE('False: later ways are looked at, too.'),
    },
    children: ['target'],
  },
  'route/target': sending('What messages go through that fit.'),
  'conditionalRoute/target': sending('What messages go through that fit.'),
  rewriterule: { doc: 'When, and what is rewritten.', children: ['condition', 'action'] },
  'rewriterule/action': {
    doc: 'What of the address is rewritten.',
    attributes: {
      type: suggested('How.', ['set', 'append', 'prepend', 'replace', 'remove']),
      value: 'By what.',
      xpath: 'By what is worked out.',
      regex: 'What is replaced.',
      fragment: suggested('Which part of it.', ['protocol', 'host', 'port', 'path', 'query', 'ref', 'user', 'full']),
      resolve: TRUE_OR_FALSE('True: {name} in the new text is replaced by the property of that name.'),
    },
    children: 'text',
  },
  connection: { doc: 'The database.', children: ['pool'] },
  pool: {
    doc: 'How it is reached.',
    children: ['driver', 'url', 'user', 'password', 'dsName', 'icClass', 'property'],
  },
  driver: {
    doc: 'The class of the JDBC driver.',
    attributes: { key: 'The local entry that has it.' },
    children: 'text',
  },
  url: { doc: 'The JDBC URL.', attributes: { key: 'The local entry that has it.' }, children: 'text' },
  user: { doc: 'Its user.', attributes: { key: 'The local entry that has it.' }, children: 'text' },
  password: { doc: 'Its password.', attributes: { key: 'The local entry that has it.' }, children: 'text' },
  dsName: { doc: 'The name of a data source.', attributes: { key: 'The local entry that has it.' }, children: 'text' },
  icClass: { doc: 'Accepted.', attributes: { key: 'The local entry that has it.' }, children: 'text' },
  'pool/property': DB_PROPERTY,
  statement: { doc: 'What is asked or told.', children: ['sql', 'parameter', 'result'] },
  sql: text('SQL with a question mark for each parameter.'),
  'statement/parameter': {
    doc: 'What stands for a question mark.',
    attributes: { type: 'Its JDBC type.', ...VALUE },
    children: 'text',
  },
  result: {
    doc: 'A property out of a column of the first row.',
    attributes: { 'name!': 'The name of the property.', 'column!': 'The column, by its name or number.' },
    children: 'text',
  },
  onCacheHit: mediators('What an answer out of the cache goes through.', SEQUENCE_KEY),
  'cache/protocol': {
    doc: 'What is kept.',
    attributes: { 'type!': 'HTTP.' },
    children: [
      'methods',
      'headersToExcludeInHash',
      'headersToIncludeInHash',
      'responseCodes',
      'enableCacheControl',
      'includeAgeHeader',
      'hashGenerator',
    ],
  },
  'cache/implementation': {
    doc: 'How much is kept.',
    attributes: { type: 'Accepted.', maxSize: 'How many answers.' },
    children: 'text',
  },
  methods: text('HTTP methods, separated by commas; * is all.'),
  headersToExcludeInHash: text('Headers that make no difference.'),
  headersToIncludeInHash: text('Headers that make a difference.'),
  responseCodes: text('A regular expression for the statuses that are kept.'),
  enableCacheControl: text('true: Cache-Control of the back end is heeded.'),
  includeAgeHeader: text('true: answers out of the cache say their age.'),
  hashGenerator: text('A Java class.'),
  'throttle/policy': {
    doc: 'Who may ask how often.',
    attributes: { key: 'The local entry or resource with it.' },
    children: 'any',
  },
  onReject: mediators('What messages go through that are too many.', SEQUENCE_KEY),
  onAccept: mediators('What the others go through.', SEQUENCE_KEY),
  'makefault/code': { doc: 'The code of the fault.', attributes: VALUE, children: 'any' },
  'makefault/reason': { doc: 'Its reason.', attributes: VALUE, children: 'any' },
  'makefault/node': text('Who has found it.'),
  'makefault/role': text('In which role.'),
  'makefault/detail': { doc: 'What more there is to say.', attributes: VALUE, children: 'any' },
  'payloadFactory/format': {
    doc: 'What the payload will be, with $1, $2 … or $' + '{…} for values.',
    attributes: { key: 'The local entry or resource with it.', ...DESCRIBED },
    children: 'any',
  },
  args: { doc: 'What stands for $1, $2 ….', children: ['arg'] },
  arg: {
    doc: 'What stands for a number.',
    attributes: {
      ...VALUE,
      evaluator: words('What the expression is.', 'xml', 'json'),
      deepCheck: TRUE_OR_FALSE('Accepted.'),
      literal: TRUE_OR_FALSE('True: what looks like XML or JSON stays a text.'),
    },
    children: 'any',
  },
  'validate/schema': {
    doc: 'An XSD or JSON schema.',
    attributes: { 'key!': 'The local entry or resource with it.' },
    children: 'text',
  },
  'validate/property': named('A setting of the check.'),
  'on-fail': mediators('What messages go through that are not valid.'),
  feature: {
    doc: 'A feature of the processor.',
    attributes: { 'name!': 'Its name.', value: 'true or false.', attribute: 'Accepted.' },
    children: 'text',
  },
  resource: {
    doc: 'What imports and includes refer to.',
    attributes: { 'location!': 'As it is written there.', 'key!': 'The local entry or resource with it.' },
    children: 'text',
  },
  'xslt/property': named('A parameter of the stylesheet.'),
  'fastXSLT/property': named('A parameter of the stylesheet.'),
  'xslt/attribute': named('An attribute of the processor.'),
  'fastXSLT/attribute': named('An attribute of the processor.'),
  include: {
    doc: 'A script that is loaded first.',
    attributes: { 'key!': 'The local entry or resource with it.' },
    children: 'text',
  },
  'xquery/dataSource': named('Accepted.'),
  'xquery/variable': {
    doc: 'A value for an external variable.',
    attributes: { 'name!': 'Its name.', 'type!': 'Its type.', key: 'The local entry with it.', ...VALUE },
    children: 'any',
  },
  aggregation: {
    doc: 'How the answers are put together.',
    attributes: {
      expression: 'What of each answer is put together.',
      condition: 'When no more answers are waited for.',
      timeout: 'Seconds.',
      'min-messages': 'At least.',
      'max-messages': 'At most.',
      value: 'What of each answer is put together.',
    },
    children: 'text',
  },
  streamName: text('Accepted.'),
  streamVersion: text('Accepted.'),
  eventSink: text('Accepted.'),
  async: text('Accepted.'),
  'publishEvent/attributes': any('Accepted.'),
};

function sending(doc: string): ElementType {
  return {
    doc,
    attributes: {
      to: 'The address.',
      soapAction: 'The SOAPAction.',
      endpoint: 'The endpoint, by its key.',
      ...SEQUENCE_KEY,
      onError: 'The sequence that handles faults.',
      ...SWITCHED,
    },
    children: ['sequence', 'endpoint'],
  };
}
