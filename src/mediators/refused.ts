import type { MediatorDefinition } from '../mediation/component.ts';

/**
 * Mediators of the reference that are refused on purpose: what each one is for, and what does the same here (MREQ-45, spec mediators
 * 3.41). A new one is one line.
 */
const REFUSED: Readonly<Record<string, string>> = {
  annotatedCommand: 'it runs a Java class; use <class> with a module that the configuration maps the class name to',
  bean: 'it makes Java beans; use <variable> or <property type="JSON"> for values with members',
  dataServiceCall:
    "there is no data services server here; use <dblookup> and <dbreport>, or <call> with the service's endpoint",
  ejb: 'it calls Enterprise JavaBeans; use <call> with an HTTP endpoint of the application server, or <class>',
  entitlementService: 'it asks an XACML server of WSO2; use <call> with its REST endpoint and <filter> on the answer',
  NTLM: 'NTLM is not offered for outgoing calls; use another authentication of the back end',
  oauthService: 'it asks a key manager of WSO2; use <call> with its introspection endpoint and <filter> on the answer',
  opa: 'use <call> with the URL of the policy server and <filter> on the answer',
  pojoCommand: 'it runs a Java class; use <class> with a module that the configuration maps the class name to',
  replace: 'use <payloadFactory> or <enrich>',
  RMSequence: 'WS-ReliableMessaging was removed from the reference, too; use a message store and a message processor',
  rule: 'it runs Drools rules in Java; use <filter>, <switch>, <conditionalRouter> or <script>',
  rules: 'it runs Drools rules in Java; use <filter>, <switch>, <conditionalRouter> or <script>',
  seda: 'it was replaced by message stores and message processors; use <store>',
  smooks: 'Smooks is a Java library; use <datamapper> for CSV, <script> for other texts, <xslt> for XML',
  spring: 'it runs a Java bean; use <class> with a module that the configuration maps the class name to',
};

/** Each is an error at its place in the artifact that says what to do instead; what stands inside is not looked at. */
export const REFUSED_MEDIATORS: readonly MediatorDefinition[] = Object.entries(REFUSED).map(([element, instead]) => ({
  element,
  doc: `Refused: ${instead}.`,
  attributes: {},
  children: 'any',
  compile(written, reader) {
    reader.error(written, `mediator <${element}> is not supported: ${instead}`);
    return undefined;
  },
}));
