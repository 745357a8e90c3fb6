import { ConfigElement } from '../grammar/element.ts';
import { ArtifactReader } from '../grammar/reader.ts';
import type { SequenceTemplate } from '../mediation/sequence-template.ts';
import { parseXml, type XmlElement } from '../xml/index.ts';
import { readSequenceTemplate } from './sequence-template.ts';

/**
 * The package of the EIP library, which Apache Synapse comes with: artifacts import it and call its templates as
 * `synapse.lang.eip.NAME` (samples 850 to 857). It is built in; templates of these names that are deployed win.
 */
export const EIP_PACKAGE = 'synapse.lang.eip';

const CLASSES = 'org.apache.synapse.libraries.eip';
const PAYLOAD =
  'xmlns:s11="http://schemas.xmlsoap.org/soap/envelope/" xmlns:s12="http://www.w3.org/2003/05/soap-envelope" default="{{s11:Body/child::*[fn:position()=1] | s12:Body/child::*[fn:position()=1]}}"';
/** What parts are sent to; the library's page calls it endpoint_url, its samples endpoint_uri. */
const TO_ENDPOINT = `
  <filter xpath="$func:endpoint_uri != ''">
    <then><header name="To" expression="$func:endpoint_uri"/></then>
    <else><filter xpath="$func:endpoint_url != ''"><then><header name="To" expression="$func:endpoint_url"/></then></filter></else>
  </filter>`;
const SEND_PART = `<target><sequence>${TO_ENDPOINT}<send/></sequence></target>`;
/** Parts alone, or attached to what is left of the message. */
const SPLIT = `
  <filter xpath="$func:attach_path_enabled='true'">
    <then><iterate preservePayload="true" attachPath="$func:attach_path" expression="$func:iterate_exp">${SEND_PART}</iterate></then>
    <else><iterate expression="$func:iterate_exp">${SEND_PART}</iterate></else>
  </filter>`;
/** The answers as one, for the client or for a sequence. */
const AGGREGATE = `
  <aggregate>
    <completeCondition><messageCount min="-1" max="-1"/></completeCondition>
    <onComplete expression="$func:aggregator_exp">
      <filter xpath="$func:oncomplete_seq_enabled='true'">
        <then><sequence key="{$func:sequence_ref}"/></then>
        <else><send/></else>
      </filter>
    </onComplete>
  </aggregate>`;
const SEND_TO_ALL = `<send><endpoint><recipientlist><endpoints value="{$func:recipient_list}"/></recipientlist></endpoint></send>`;

interface Template {
  /** Declarations, as attributes. */
  readonly parameters: readonly string[];
  readonly body: string;
}

const SPLITTING = [
  'name="iterate_exp"',
  'name="attach_path"',
  'name="attach_path_enabled" default="false"',
  'name="endpoint_uri"',
  'name="endpoint_url"',
];
const AGGREGATING = ['name="aggregator_exp"', 'name="sequence_ref"', 'name="oncomplete_seq_enabled" default="false"'];
const ROUTING: Template = {
  parameters: ['name="routing_exp"', 'name="match_content"'],
  body: `<class name="${CLASSES}.ContentBasedRouterMediator"/>`,
};

const TEMPLATES: Readonly<Record<string, Template>> = {
  callout_block: {
    parameters: [
      'name="service_URL"',
      'name="action"',
      `name="source_xpath" ${PAYLOAD}`,
      `name="target_xpath" ${PAYLOAD}`,
      'name="source_key"',
      'name="target_key"',
    ],
    body: `<class name="${CLASSES}.CalloutBlockMediator"/>`,
  },
  splitter: { parameters: SPLITTING, body: SPLIT },
  aggregator: { parameters: AGGREGATING, body: AGGREGATE },
  splitter_aggregator: {
    parameters: [...SPLITTING, ...AGGREGATING],
    body: `<in>${SPLIT}</in><out>${AGGREGATE}</out>`,
  },
  scatter_gather: {
    parameters: ['name="recipient_list"', ...AGGREGATING],
    body: `<in>${SEND_TO_ALL}</in><out>${AGGREGATE}</out>`,
  },
  wire_tap: {
    parameters: ['name="destination_uri"', 'name="wiretap_uri"'],
    body: `
  <clone continueParent="true">
    <target><sequence><header name="To" expression="$func:wiretap_uri"/><property name="OUT_ONLY" value="true"/><send/></sequence></target>
  </clone>
  <header name="To" expression="$func:destination_uri"/>
  <send/>`,
  },
  content_based_router: ROUTING,
  // As the library's page spells it.
  content_base_router: ROUTING,
  dynamic_router: {
    parameters: ['name="conditions"'],
    body: `<class name="${CLASSES}.DynamicRouterMediator"/>`,
  },
  recipient_list: { parameters: ['name="recipient_list"'], body: SEND_TO_ALL },
};

/** The names that artifacts call them by. */
export const EIP_TEMPLATE_NAMES: readonly string[] = Object.keys(TEMPLATES).map((name) => `${EIP_PACKAGE}.${name}`);

const compiled = new Map<string, SequenceTemplate>();

/** A template of the library, compiled when it is first asked for; undefined for any other name. */
export function eipTemplate(name: string): SequenceTemplate | undefined {
  const known = compiled.get(name);
  if (known) return known;
  const own = name.startsWith(`${EIP_PACKAGE}.`) ? name.slice(EIP_PACKAGE.length + 1) : '';
  const template = Object.hasOwn(TEMPLATES, own) ? TEMPLATES[own] : undefined;
  if (!template) return undefined;
  const fresh = compile(name, template);
  compiled.set(name, fresh);
  return fresh;
}

function compile(name: string, { parameters, body }: Template): SequenceTemplate {
  const declared = parameters.map((attributes) => `<parameter ${attributes}/>`).join('\n  ');
  const text = `<template xmlns="http://ws.apache.org/ns/synapse" name="${name}">\n  ${declared}\n<sequence>${body}</sequence></template>`;
  const root = new ConfigElement(parseXml(text).documentElement as XmlElement, {
    file: `(EIP library, ${name})`,
    text,
  });
  const reader = new ArtifactReader();
  const sequence = root.child('sequence');
  const template = sequence && readSequenceTemplate(root, sequence, reader);
  if (!template || reader.failed)
    throw new Error(`${name} does not compile: ${reader.diagnostics.map(({ message }) => message).join('; ')}`);
  return template;
}
