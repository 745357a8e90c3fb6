import { describe, expect, test } from 'vitest';
import {
  bodyOf,
  convertEnvelope,
  createEnvelope,
  createFault,
  ensureHeader,
  faultReason,
  faultToPox,
  headerOf,
  isEnvelope,
  isFault,
  soapVersionOf,
} from '../../src/message/soap.ts';
import { firstElement, parseXml, serializeXml, type XmlElement } from '../../src/xml/index.ts';

const S11 = 'http://schemas.xmlsoap.org/soap/envelope/';
const S12 = 'http://www.w3.org/2003/05/soap-envelope';
const element = (text: string) => parseXml(text).documentElement as XmlElement;

describe('envelopes', () => {
  test('a fresh one has an empty Header and Body', () => {
    expect(serializeXml(createEnvelope('1.1'))).toBe(
      `<soapenv:Envelope xmlns:soapenv="${S11}"><soapenv:Header/><soapenv:Body/></soapenv:Envelope>`,
    );
    expect(soapVersionOf(createEnvelope('1.2'))).toBe('1.2');
  });

  test('Body is never missing, Header can be made', () => {
    const envelope = element(`<Envelope xmlns="${S12}"/>`);
    expect(headerOf(envelope)).toBeUndefined();
    expect(bodyOf(envelope).localName).toBe('Body');
    ensureHeader(envelope);
    expect(serializeXml(envelope)).toBe(`<Envelope xmlns="${S12}"><Header/><Body/></Envelope>`);
    expect(isEnvelope(envelope)).toBe(true);
    expect(isEnvelope(element('<Envelope/>'))).toBe(false);
  });
});

describe('conversion between the versions', () => {
  const source = `<S:Envelope xmlns:S="${S11}" xmlns:xsd="urn:xsd" xmlns:soapenv="urn:mine"><S:Header><h:a xmlns:h="urn:h" S:mustUnderstand="1" S:actor="http://schemas.xmlsoap.org/soap/actor/next" k="v">t</h:a></S:Header><S:Body id="b"><soapenv:x type="xsd:int">1</soapenv:x><y/></S:Body></S:Envelope>`;

  test('1.1 to 1.2 keeps blocks, children, attributes and the prefixes that content refers to', () => {
    const original = element(source);
    const converted = convertEnvelope(original, '1.2');
    expect(serializeXml(converted)).toBe(
      `<soapenv1:Envelope xmlns:xsd="urn:xsd" xmlns:soapenv="urn:mine" xmlns:soapenv1="${S12}"><soapenv1:Header><h:a xmlns:h="urn:h" k="v" soapenv1:mustUnderstand="1" soapenv1:role="${S12}/role/next">t</h:a></soapenv1:Header><soapenv1:Body id="b"><soapenv:x type="xsd:int">1</soapenv:x><y/></soapenv1:Body></soapenv1:Envelope>`,
    );
    expect(serializeXml(original)).toBe(source);
    expect(serializeXml(convertEnvelope(converted, '1.1'))).toContain(
      'actor="http://schemas.xmlsoap.org/soap/actor/next"',
    );
  });

  test('the same version is the same envelope', () => {
    const envelope = createEnvelope('1.1');
    expect(convertEnvelope(envelope, '1.1')).toBe(envelope);
  });

  test('a 1.1 fault in the words of 1.2', () => {
    const fault = createFault('1.1', {
      code: 'Client.Authentication',
      reason: 'no & never',
      role: 'urn:r',
      detail: [element('<d xmlns="u">1</d>')],
    });
    expect(serializeXml(bodyOf(convertEnvelope(fault, '1.2')))).toBe(
      `<soapenv:Body xmlns:soapenv="${S12}"><soapenv:Fault><soapenv:Code><soapenv:Value>soapenv:Sender</soapenv:Value></soapenv:Code><soapenv:Reason><soapenv:Text xml:lang="en">no &amp; never</soapenv:Text></soapenv:Reason><soapenv:Role>urn:r</soapenv:Role><soapenv:Detail><d xmlns="u">1</d></soapenv:Detail></soapenv:Fault></soapenv:Body>`,
    );
  });

  test("an application's own 1.1 code becomes a subcode", () => {
    const fault = element(
      `<S:Envelope xmlns:S="${S11}"><S:Body><S:Fault xmlns:my="urn:my"><faultcode>my:Busy</faultcode><faultstring xml:lang="de">nein</faultstring></S:Fault></S:Body></S:Envelope>`,
    );
    const text = serializeXml(convertEnvelope(fault, '1.2'));
    expect(text).toContain(
      '<soapenv:Value>soapenv:Receiver</soapenv:Value><soapenv:Subcode><soapenv:Value>my:Busy</soapenv:Value>',
    );
    expect(text).toContain('xmlns:my="urn:my"');
    expect(text).toContain('<soapenv:Text xml:lang="de">nein</soapenv:Text>');
  });

  test('a 1.2 fault in the words of 1.1', () => {
    const fault = element(
      `<e:Envelope xmlns:e="${S12}"><e:Body><e:Fault><e:Code><e:Value>e:Receiver</e:Value></e:Code><e:Reason><e:Text xml:lang="fr">non</e:Text><e:Text xml:lang="en-GB">no</e:Text></e:Reason><e:Role>r</e:Role><e:Detail>why</e:Detail></e:Fault></e:Body></e:Envelope>`,
    );
    expect(serializeXml(bodyOf(convertEnvelope(fault, '1.1')))).toBe(
      `<soapenv:Body xmlns:soapenv="${S11}"><soapenv:Fault><faultcode>soapenv:Server</faultcode><faultstring xml:lang="en-GB">no</faultstring><faultactor>r</faultactor><detail>why</detail></soapenv:Fault></soapenv:Body>`,
    );
  });
});

describe('faults', () => {
  test.each(['1.1', '1.2'] as const)('%s: made, recognised, read', (version) => {
    const envelope = createFault(version, { code: 'Server', reason: 'broken', node: 'urn:n', detail: 'because' });
    const fault = firstElement(bodyOf(envelope));
    expect(isFault(fault)).toBe(true);
    if (!fault) throw new Error('no fault');
    expect(faultReason(fault)).toBe('broken');
    expect(serializeXml(faultToPox(fault))).toBe('<Exception>because</Exception>');
  });

  test('without detail the reason is the exception', () => {
    const fault = firstElement(bodyOf(createFault('1.2', { code: 'Sender', reason: 'a < b' }))) as XmlElement;
    expect(serializeXml(faultToPox(fault))).toBe('<Exception>a &lt; b</Exception>');
  });

  test('an element that is only called so is none', () => {
    expect(isFault(element('<Fault/>'))).toBe(false);
    expect(isFault(undefined)).toBe(false);
  });
});
