import { describe, expect, it } from 'vitest';
import type { MessageContext } from '../../src/message/message-context.ts';
import { serializeXml, type XmlElement } from '../../src/xml/index.ts';
import { message, problemLines, problems, sequence } from '../mediation/harness.ts';

const SOAP11 = 'http://schemas.xmlsoap.org/soap/envelope/';
const SOAP12 = 'http://www.w3.org/2003/05/soap-envelope';
const CODE11 = `<code xmlns:s="${SOAP11}" value="s:Server"/>`;
const CODE12 = `<code xmlns:s="${SOAP12}" value="s:Receiver"/>`;
const REASON = '<reason value="because"/>';

function soapMessage(body = '<a/>', header = ''): MessageContext {
  const envelope = `<s:Envelope xmlns:s="${SOAP11}"><s:Header>${header}</s:Header><s:Body>${body}</s:Body></s:Envelope>`;
  return message({ body: envelope, contentType: 'text/xml', soapAction: true });
}

function made(children: string, attributes = '', request = soapMessage()): { request: MessageContext; body: string } {
  expect(sequence(`<makefault ${attributes}>${children}</makefault>`).mediate(request)).toBe(true);
  return { request, body: bodyOf(request) };
}

function bodyOf(request: MessageContext): string {
  return serializeXml(request.payload.firstBodyChild() as XmlElement).replaceAll(/ xmlns:soapenv="[^"]*"/g, '');
}

describe('a SOAP fault', () => {
  it('1.1 is the default, with code, reason, role and detail', () => {
    const { request, body } = made(`${CODE11}${REASON}<node>urn:n</node><role>urn:r</role><detail>more</detail>`);
    expect(body).toBe(
      '<soapenv:Fault><faultcode>soapenv:Server</faultcode><faultstring>because</faultstring><faultactor>urn:r</faultactor><detail>more</detail></soapenv:Fault>',
    );
    expect(request.payload.soapVersion).toBe('1.1');
    expect(request.payload.hasFault()).toBe(true);
  });

  it('1.1 ignores a node, also without a version (where the reference breaks)', () => {
    expect(made(`${CODE11}${REASON}<node>urn:n</node>`, 'version="soap11"').body).not.toContain('urn:n');
  });

  it('1.2 has node, role and an English reason', () => {
    const children = `${CODE12}${REASON}<node>urn:n</node><role>urn:r</role><detail>more</detail>`;
    const { request, body } = made(children, 'version="soap12"');
    expect(body).toBe(
      '<soapenv:Fault><soapenv:Code><soapenv:Value>soapenv:Receiver</soapenv:Value></soapenv:Code><soapenv:Reason><soapenv:Text xml:lang="en">because</soapenv:Text></soapenv:Reason><soapenv:Node>urn:n</soapenv:Node><soapenv:Role>urn:r</soapenv:Role><soapenv:Detail>more</soapenv:Detail></soapenv:Fault>',
    );
    expect(request.payload.soapVersion).toBe('1.2');
  });

  it('without a version is of the version of a literal code', () => {
    expect(made(`${CODE12}${REASON}<node>urn:n</node>`).request.payload.soapVersion).toBe('1.2');
    expect(made(`<code expression="'Server'"/>${REASON}`).request.payload.soapVersion).toBe('1.1');
    expect(problemLines(`<makefault>${CODE12.replace('Receiver', 'Server')}${REASON}</makefault>`)[0]).toContain(
      'Invalid code value for soap12 version',
    );
  });

  it('takes code and reason from expressions, the code unchecked', () => {
    const request = soapMessage();
    request.properties.set('code', 'Client.Odd');
    request.properties.set('why', 'a < b');
    const { body } = made('<code expression="$ctx:code"/><reason expression="$ctx:why"/>', '', request);
    expect(body).toContain('<faultcode>soapenv:Client.Odd</faultcode><faultstring>a &lt; b</faultstring>');
    const other = soapMessage();
    other.properties.set('code', 'Client');
    expect(
      made('<code expression="$ctx:code"/><reason expression="$ctx:gone"/>', 'version="soap12"', other).body,
    ).toContain(
      '<soapenv:Value>soapenv:Client</soapenv:Value></soapenv:Code><soapenv:Reason><soapenv:Text xml:lang="en"></soapenv:Text>',
    );
  });

  it('keeps the header blocks of the message', () => {
    const { request } = made(
      `${CODE12}${REASON}`,
      'version="soap12"',
      soapMessage('<a/>', '<n:h xmlns:n="urn:n">1</n:h>'),
    );
    expect(serializeXml(request.payload.header() as XmlElement)).toContain('<n:h xmlns:n="urn:n"');
  });

  it('of a message that cannot be read is a fault all the same', () => {
    const broken = message({ body: '<s:Envelope', contentType: 'text/xml', soapAction: true });
    expect(made(`${CODE11}${REASON}`, '', broken).body).toContain('because');
    const json = message({ body: '{"broken', contentType: 'application/json' });
    expect(made(`${CODE11}${REASON}`, '', json).body).toContain('because');
  });

  it('in a JSON exchange leaves the messageType alone: the fault is sent as JSON (spec mediators 7.6)', () => {
    const request = message({ body: '{"a":1}', contentType: 'application/json' });
    request.axis2.set('messageType', 'application/json');
    made(`${CODE11}${REASON}`, '', request);
    expect(request.axis2.get('messageType')).toBe('application/json');
    expect(request.payload.jsonText()).toBe('{"Fault":{"faultcode":"soapenv:Server","faultstring":"because"}}');
  });
});

describe('detail', () => {
  const detail = (xml: string, request = soapMessage()) =>
    /<detail>(.*)<\/detail>|<detail\/>/.exec(made(`${CODE11}${REASON}${xml}`, '', request).body)?.[1] || '(empty)';

  it('is the expression, before elements, before text', () => {
    const request = soapMessage();
    request.properties.set('why', 'computed');
    expect(detail('<detail expression="$ctx:why">text<e xmlns=""/></detail>', request)).toBe('computed');
    expect(detail('<detail>text<e xmlns=""/></detail>')).toBe('<e xmlns=""/>');
    expect(detail('<detail> text </detail>')).toBe(' text ');
    expect(detail('<detail/>')).toBe('(empty)');
  });

  it('of an expression that selects nodes holds these nodes', () => {
    expect(detail('<detail expression="//x"/>', soapMessage('<a><x>1</x><x y="2"/></a>'))).toBe('<x>1</x><x y="2"/>');
    expect(detail('<detail expression="//x/text()"/>', soapMessage('<a><x>1</x><x>2</x></a>'))).toBe('12');
  });

  it('of an expression that selects something else is its text', () => {
    expect(detail('<detail expression="//x/@y"/>', soapMessage('<a><x y="2"/></a>'))).toBe('2');
    expect(detail('<detail expression="count(//x)"/>', soapMessage('<a><x/></a>'))).toBe('1.0');
    expect(detail('<detail expression="$ctx:gone"/>')).toBe('(empty)');
    const request = message({ body: '{"why":"json"}', contentType: 'application/json' });
    expect(detail('<detail expression="json-eval($.why)"/>', request)).toBe('json');
  });
});

describe('POX', () => {
  const pox = (children: string, request = soapMessage()) => made(children, 'version="pox"', request).body;

  it.each([
    ['<detail>d</detail><reason value="r"/>', 'd'],
    ['<detail expression="//x"/><reason value="r"/>', 'found'],
    ['<detail/><reason value="r"/>', 'r'],
    ['<detail><e/></detail><reason value="r"/>', 'r'],
    ['<reason expression="//x"/>', 'found'],
  ])('%s: the exception says "%s"', (children, expected) => {
    expect(pox(children, soapMessage('<a><x>found</x></a>'))).toBe(`<Exception>${expected}</Exception>`);
  });

  it('needs neither code nor reason, checks no code, and keeps the envelope', () => {
    expect(pox('')).toBe('<Exception></Exception>');
    expect(pox('<code value="anything"/><reason value="r"/>')).toBe('<Exception>r</Exception>');
    const { request } = made(REASON, 'version="pox"', soapMessage('<a/>', '<n:h xmlns:n="urn:n"/>'));
    expect(request.payload.header()?.firstChild?.nodeName).toBe('n:h');
    expect(request.relatesTo).toBeUndefined();
  });

  it('works for a message that cannot be read', () => {
    const broken = message({ body: '<s:Envelope', contentType: 'text/xml', soapAction: true });
    expect(pox(REASON, broken)).toBe('<Exception>because</Exception>');
  });
});

describe('where the fault goes', () => {
  it.each([
    ['', 'response'],
    ['response="true"', 'response'],
    ['response="false"', 'request'],
  ])('%s: direction %s', (attributes, direction) => {
    const { request } = made(CODE11 + REASON, attributes);
    expect(request.direction).toBe(direction);
  });

  it('is FaultTo, else ReplyTo, else nowhere; it relates to the message (MREQ-32)', () => {
    const request = soapMessage();
    request.replyTo = 'urn:reply';
    made(CODE11 + REASON, '', request);
    expect(request).toMatchObject({ to: 'urn:reply', relatesTo: request.messageId });
    request.faultTo = 'urn:fault';
    made(CODE11 + REASON, '', request);
    expect(request.to).toBe('urn:fault');
    expect(made(CODE11 + REASON, 'response="false"').request.to).toBeUndefined();
  });
});

describe("what is wrong is told in the reference's words, with what is expected (MREQ-2)", () => {
  const N11 = `xmlns:s="${SOAP11}"`;
  it.each([
    ['version="soap13"', '', 'Invalid SOAP version'],
    ['response="maybe"', CODE11 + REASON, "Invalid value 'maybe' passed as response. Expected 'true' or 'false'"],
    ['', REASON, 'The fault code is a required attribute for the makefault mediator unless it is a pox fault'],
    ['', CODE11, 'The fault reason is a required attribute for the makefault mediator unless it is a pox fault'],
    ['', `<code/>${REASON}`, "A 'value' or 'expression' attribute must specify the fault code"],
    ['', `${CODE11}<reason/>`, "A 'value' or 'expression' attribute must specify the fault reason"],
    ['', `<code value="Server"/>${REASON}`, 'A QName is expected for fault code as prefix:name'],
    ['', `<code value="q:Server"/>${REASON}`, "Invalid namespace prefix 'q' in code attribute"],
    [
      'version="soap11"',
      CODE12 + REASON,
      `Invalid namespace in fault code for soap11 version. Namespace should be corrected as ${SOAP11}.`,
    ],
    [
      'version="soap12"',
      CODE11 + REASON,
      `Invalid namespace in fault code for soap12 version. Namespace should be corrected as ${SOAP12}.`,
    ],
    [
      '',
      `<code ${N11} value="s:Sender"/>${REASON}`,
      'Invalid code value for soap11 version. Code value has to be one of the following : VersionMismatch, MustUnderstand, Client, Server',
    ],
    [
      'version="soap12"',
      `<code xmlns:s="${SOAP12}" value="s:Client"/>${REASON}`,
      'Invalid code value for soap12 version. Code value has to be one of the following : VersionMismatch, MustUnderstand, DataEncodingUnknown, Sender, Receiver',
    ],
    ['', `${CODE11}${REASON}<role>no uri</role>`, 'Invalid URI specified for fault role : no uri'],
    ['', `${CODE11}${REASON}<node>&lt;</node>`, 'Invalid URI specified for fault node : <'],
  ])('%s %s', (attributes, children, expected) => {
    expect(problemLines(`<makefault ${attributes}>${children}</makefault>`)).toEqual([`error: ${expected}`]);
  });

  it('with its place and the nearest code', () => {
    const [problem] = problems(`<makefault>\n<code ${N11}\n value="s:Servr"/>${REASON}</makefault>`);
    expect(problem).toMatchObject({ position: { line: 3, column: 2 }, nearest: 'Server' });
  });
});
