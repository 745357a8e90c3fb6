import { describe, expect, it } from 'vitest';
import type { Endpoint } from '../../src/endpoints/endpoint.ts';
import { answerPasses, requestPasses } from '../../src/mediation/body-passing.ts';
import type { Sequence } from '../../src/mediation/sequence.ts';
import { endpoint, FakeConfiguration, sequence } from './harness.ts';

const address = (inside = '', attributes = '') =>
  `<endpoint${attributes}><address uri="http://back.end/">${inside}</address></endpoint>`;
const send = `<send>${address()}</send>`;

interface Around {
  readonly sequences?: Readonly<Record<string, string>>;
  readonly endpoints?: Readonly<Record<string, Endpoint>>;
  readonly fault?: string;
  readonly target?: Endpoint;
}

const inline = (mediators: string) => ({ kind: 'inline', sequence: sequence(mediators) }) as const;

function flow(mediators: string, { sequences = {}, endpoints = {}, fault, target }: Around) {
  const named: Record<string, Sequence> = {};
  for (const [name, inside] of Object.entries(sequences)) named[name] = sequence(inside, `name="${name}"`);
  const configuration = new FakeConfiguration({ sequence: named, endpoint: endpoints });
  const faultSequence = fault === undefined ? undefined : inline(fault);
  return [configuration, { sequences: [inline(mediators)], endpoint: target, faultSequence }] as const;
}

const request = (mediators: string, around: Around = {}) => requestPasses(...flow(mediators, around));
const answer = (mediators: string, around: Around = {}) => answerPasses(...flow(mediators, around));

describe('a request passes', () => {
  it.each([
    ['a property', '<property name="a" value="b"/>'],
    ['a property of a property', '<property name="a" expression="get-property(\'transport\', \'X\')"/>'],
    [
      'an HTTP header',
      '<property name="X-A" value="b" scope="transport"/><header name="X-B" value="c" scope="transport"/>',
    ],
    ['an addressing value', '<header name="To" value="http://back.end/"/>'],
    ['a path', '<property name="REST_URL_POSTFIX" scope="axis2" action="remove"/>'],
    ['a group of properties', '<propertyGroup><property name="a" value="b"/></propertyGroup>'],
    ['a log without body', '<log level="custom"><property name="a" expression="$ctx:a"/></log><log/>'],
    [
      'a switch on a header',
      `<switch source="$trp:X"><case regex="a">${send}</case><default><drop/></default></switch>`,
    ],
    ['a filter on a property', `<filter source="$ctx:a" regex="b"><then>${send}</then><else><drop/></else></filter>`],
    ['a sequence inside', '<sequence><property name="a" value="b"/></sequence>'],
  ])('%s', (_, mediators) => {
    expect(request(mediators + send)).toBe(true);
  });

  it.each([
    ['a property of the body', '<property name="a" expression="$body/*"/>'],
    ['a property of the JSON', '<property name="a" expression="json-eval($.a)"/>'],
    ['a name of the message', '<property name="{$ctx:a}" value="b"/>'],
    ['another format', '<property name="messageType" value="application/json" scope="axis2"/>'],
    ['no waiting client', '<property name="OUT_ONLY" value="true"/>'],
    ['chunks or not', '<property name="DISABLE_CHUNKING" value="true" scope="axis2"/>'],
    ['another Content-Type', '<header name="Content-Type" value="a/b" scope="transport"/>'],
    ['a SOAP header', '<header xmlns:h="urn:h" name="h:a" value="b"/>'],
    ['a full log', '<log level="full"/>'],
    ['a log of the body', '<log level="custom"><property name="a" expression="//b"/></log>'],
    ['a switch on the body', '<switch source="//a"><case regex="a"/></switch>'],
    ['a filter on the body', '<filter xpath="//a"><then/></filter>'],
    ['a branch that reads', '<filter source="$ctx:a" regex="b"><then><log level="full"/></then></filter>'],
    ['a clone', `<clone><target><sequence>${send}</sequence></target></clone>`],
    ['a call', `<call>${address()}</call>`],
    ['a store', '<store messageStore="S"/>'],
    ['a payload', '<payloadFactory><format><a/></format><args/></payloadFactory>'],
    ['a sequence of the message', '<sequence key="{$ctx:a}"/>'],
    ['an answer', '<respond/>'],
  ])('not %s', (_, mediators) => {
    expect(request(mediators + send)).toBe(false);
  });

  it.each([
    ['plain', address(), true],
    ['with a time', address('<timeout><duration>1000</duration></timeout>'), true],
    ['http', '<endpoint><http uri-template="http://back.end/{uri.var.a}" method="post"/></endpoint>', true],
    ['default', '<endpoint><default/></endpoint>', true],
    ['with addressing', address('<enableAddressing/>'), false],
    ['with a time of the message', address('<timeout><duration>{//a}</duration></timeout>'), false],
    ['with properties', `<endpoint><address uri="http://back.end/"/><property name="a" value="b"/></endpoint>`, false],
    ['failover', `<endpoint><failover>${address()}${address()}</failover></endpoint>`, false],
    ['recipients', `<endpoint><recipientlist>${address()}</recipientlist></endpoint>`, false],
  ])('an endpoint: %s', (_, xml, expected) => {
    expect(request(`<send>${xml}</send>`)).toBe(expected);
    expect(request('<property name="a" value="b"/>', { target: endpoint(xml) })).toBe(expected);
  });

  it('a send that names what takes the answer does not', () => {
    expect(request(`<send receive="R">${address()}</send>`)).toBe(false);
    expect(request(`<send buildmessage="true">${address()}</send>`)).toBe(false);
  });

  it('where a named sequence and endpoint do, and not where they do not, or lead in circles', () => {
    const mediators = '<sequence key="S"/>';
    expect(request(mediators, { sequences: { S: send } })).toBe(true);
    expect(request(mediators, { sequences: { S: `<log level="full"/>${send}` } })).toBe(false);
    expect(request(mediators, { sequences: { S: '<sequence key="S"/>' } })).toBe(true);
    const keyed = '<send><endpoint key="E"/></send>';
    expect(request(keyed, { endpoints: { E: endpoint(address()) } })).toBe(true);
    expect(request(keyed, { endpoints: { E: endpoint(address('<enableAddressing/>')) } })).toBe(false);
    expect(request(keyed)).toBe(false);
  });

  it('where every fault sequence does without the body: the own, the common one, of sequences and endpoints', () => {
    const full = '<log level="full"><property name="e" expression="get-property(\'ERROR_MESSAGE\')"/></log><drop/>';
    expect(request(send, { fault: full })).toBe(true);
    expect(request(send, { sequences: { fault: full } })).toBe(true);
    const store = '<store messageStore="Failed"/>';
    expect(request(send, { fault: store })).toBe(false);
    expect(request(send, { sequences: { fault: store } })).toBe(false);
    expect(request(send, { sequences: { fault: store }, fault: full })).toBe(true);
    expect(request(`<sequence onError="E">${send}</sequence>`, { sequences: { E: store } })).toBe(false);
    const failing = `<send>${address('', ' onError="E"')}</send>`;
    expect(request(failing, { sequences: { E: store } })).toBe(false);
    expect(request(failing, { sequences: { E: full } })).toBe(true);
    // What is half gone cannot be sent.
    expect(request(send, { fault: send })).toBe(false);
    expect(request(send, { fault: '<respond/>' })).toBe(false);
  });

  it('where pre-mediate does', () => {
    expect(request(send, { sequences: { 'pre-mediate': '<property name="a" value="b"/>' } })).toBe(true);
    expect(request(send, { sequences: { 'pre-mediate': '<log level="full"/>' } })).toBe(false);
  });
});

describe('an answer passes', () => {
  it.each([
    ['back', '<send/>', true],
    ['back by respond', '<property name="a" value="b"/><respond/>', true],
    ['nowhere', '<drop/>', true],
    ['on to another', send, false],
    ['through a reader', '<log level="full"/><send/>', false],
    ['through a transformation', '<xslt key="x"/><send/>', false],
    ['with another status', '<property name="HTTP_SC" value="204" scope="axis2"/><send/>', false],
  ])('%s', (_, mediators, expected) => {
    expect(answer(mediators)).toBe(expected);
  });

  it('where its fault sequences do without the body', () => {
    expect(answer('<send/>', { fault: '<log level="full"/><respond/>' })).toBe(true);
    expect(answer('<send/>', { fault: '<store messageStore="Failed"/>' })).toBe(false);
  });
});
