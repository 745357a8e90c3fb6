import { describe, expect, it } from 'vitest';
import { MediationError } from '../../src/message/errors.ts';
import type { MessageContext } from '../../src/message/message-context.ts';
import type { HttpRequest } from '../../src/transport/http-sender.ts';
import { parseXml, serializeXml, type XmlElement } from '../../src/xml/index.ts';
import {
  endpoint,
  FakeConfiguration,
  type MessageParts,
  message,
  problemLines,
  response,
  sequence,
} from '../mediation/harness.ts';

const XML_TYPE: [string, string] = ['Content-Type', 'application/xml'];
const element = (xml: string) => parseXml(xml).documentElement as XmlElement;

type Artifacts = ConstructorParameters<typeof FakeConfiguration>[0];

function calling(parts: MessageParts = {}, artifacts: Artifacts = {}) {
  const configuration = new FakeConfiguration(artifacts);
  const request = message({ body: '<a><v>7</v></a>', configuration, ...parts });
  configuration.sender.answer = () => response(200, '<answer/>', [XML_TYPE, ['X-Back', 'end']]);
  return { request, sender: configuration.sender };
}

const callout = (inside = '', attributes = 'serviceURL="http://b/x"') =>
  sequence(`<callout ${attributes}>${inside}</callout><property name="after" value="1"/>`);
const body = ({ payload }: MessageContext) => serializeXml(payload.firstBodyChild() as XmlElement);
const sent = (request: HttpRequest | undefined) => Buffer.from(request?.body ?? []).toString();

describe('what is called', () => {
  it('is an address', async () => {
    const { request, sender } = calling();
    expect(await callout('', 'serviceURL="http://b/x" action="urn:go"').mediate(request)).toBe(true);
    expect(sender.requests.map(({ url }) => url)).toEqual(['http://b/x']);
    expect(request.to).toBe('/services/P');
    expect(request.text('after')).toBe('1');
  });

  it('is an address with process-wide properties in it', async () => {
    const { request, sender } = calling();
    await sequence('<property name="callout.test.host" value="h" scope="system"/>').mediate(request);
    await callout('', 'serviceURL="http://{system.prop.callout.test.host}/x"').mediate(request);
    expect(sender.requests.map(({ url }) => url)).toEqual(['http://h/x']);
  });

  it('is a named endpoint, one inside, or else the To address', async () => {
    const B = endpoint('<endpoint name="B"><address uri="http://b/named"/></endpoint>');
    const { request, sender } = calling({ to: 'http://to/x' }, { endpoint: { B } });
    await callout('', 'endpointKey="B"').mediate(request);
    await callout('<endpoint><address uri="http://b/inline"/></endpoint>', '').mediate(request);
    await callout('', 'serviceURL=""').mediate(request);
    expect(sender.requests.map(({ url }) => url)).toEqual(['http://b/named', 'http://b/inline', 'http://to/x']);
  });

  it('is sent the SOAPAction of the mediator', async () => {
    const soap = '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><a/></s:Body></s:Envelope>';
    const { request, sender } = calling({ body: soap, contentType: 'text/xml', soapAction: true });
    await callout('', 'serviceURL="http://b/x" action="urn:go"').mediate(request);
    expect(sender.requests[0]?.headers).toContainEqual(['SOAPAction', '"urn:go"']);
  });
});

describe('source', () => {
  async function sentWith(
    source: string,
    parts: MessageParts = {},
    artifacts: Artifacts = {},
    prepare?: (r: MessageContext) => void,
  ) {
    const { request, sender } = calling(parts, artifacts);
    prepare?.(request);
    await callout(source).mediate(request);
    return sent(sender.requests[0]);
  }

  it.each([
    ['', '<a><v>7</v></a>'],
    ['<source type="envelope"/>', '<a><v>7</v></a>'],
    ['<source xpath="//v"/>', '<v>7</v>'],
  ])('%s', async (source, expected) => {
    expect(await sentWith(source)).toBe(expected);
  });

  it('of SOAP is an envelope with the element', async () => {
    const soap = (content: string) =>
      `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>${content}</s:Body></s:Envelope>`;
    const text = await sentWith('<source xpath="//v"/>', {
      body: soap('<a><v>7</v></a>'),
      contentType: 'text/xml',
      soapAction: true,
    });
    expect(text).toMatch(/<soapenv:Body><v[^>]*>7<\/v><\/soapenv:Body>/);
  });

  it('is a property or an entry that holds XML', async () => {
    const localEntry = { e: { key: 'e', text: '<entry/>', xml: element('<entry/>') } };
    expect(await sentWith('<source key="e"/>', {}, { localEntry })).toBe('<entry/>');
    const set = ({ properties }: MessageContext) => properties.set('p', [element('<first/>'), element('<second/>')]);
    expect(await sentWith('<source key="p"/>', {}, {}, set)).toBe('<first/>');
  });

  it('does not count for JSON', async () => {
    const text = await sentWith('<source xpath="//v"/>', { body: '{"a":1}', contentType: 'application/json' });
    expect(text).toBe('{"a":1}');
  });

  it('that is no element is a fault', async () => {
    await expect(sentWith('<source xpath="//gone"/>')).rejects.toThrow(
      'The evaluation of the XPath expression : //gone did not result in an OMElement',
    );
    await expect(sentWith('<source key="gone"/>')).rejects.toThrow('The property : gone is not an OMElement');
  });
});

describe('target', () => {
  it('without one the answer becomes the payload; headers of the request stay', async () => {
    const { request } = calling();
    request.headers.set('X-Own', '1');
    request.axis2.set('own', '1');
    await callout().mediate(request);
    expect(body(request)).toBe('<answer/>');
    expect([...request.headers.pairs()]).toEqual([['X-Own', '1'], XML_TYPE, ['X-Back', 'end']]);
    expect(String(request.axis2.get('HTTP_SC'))).toBe('200');
    expect(request.axis2.get('own')).toBe('1');
    expect(request.direction).toBe('request');
  });

  it('BLOCKING_SENDER_PRESERVE_REQ_HEADERS=false drops them', async () => {
    const { request } = calling();
    request.headers.set('X-Own', '1');
    request.properties.set('BLOCKING_SENDER_PRESERVE_REQ_HEADERS', 'false');
    await callout().mediate(request);
    expect(request.headers.has('X-Own')).toBe(false);
  });

  it('xpath: the answer takes the place of the first node', async () => {
    const { request } = calling();
    request.headers.set('X-Own', '1');
    await callout('<target xpath="//v"/>').mediate(request);
    expect(body(request)).toBe('<a><answer/></a>');
    expect([...request.headers.pairs()]).toEqual([['X-Own', '1']]);
    expect(String(request.axis2.get('HTTP_SC'))).toBe('200');
  });

  it('key: a property gets the answer', async () => {
    const { request } = calling();
    await callout('<source xpath="//v"/><target key="p"/>').mediate(request);
    expect(serializeXml(request.properties.get('p') as XmlElement)).toBe('<answer/>');
    expect(body(request)).toBe('<a><v>7</v></a>');
  });

  it('does not count for JSON', async () => {
    const { request, sender } = calling();
    sender.answer = () => response(200, '{"b":2}', [['Content-Type', 'application/json']]);
    await callout('<target key="p"/>').mediate(request);
    expect(request.payload.json()).toBe('{"b":2}');
    expect(request.axis2.get('messageType')).toBe('application/json');
    expect(request.properties.has('p')).toBe(false);
  });

  it('that is nowhere is a fault', async () => {
    const { request } = calling();
    await expect(callout('<target xpath="//gone"/>').mediate(request)).rejects.toThrow(
      'Evaluation of target XPath expression : //gone did not yeild an OMNode',
    );
  });

  it('OUT_ONLY replaces nothing', async () => {
    const { request, sender } = calling();
    request.properties.set('OUT_ONLY', 'true');
    expect(await callout().mediate(request)).toBe(true);
    expect(sender.requests).toHaveLength(1);
    expect(body(request)).toBe('<a><v>7</v></a>');
  });
});

describe('failures', () => {
  it('of the transport are a fault with its code', async () => {
    const { request, sender } = calling();
    sender.answer = () => Promise.reject(new MediationError('refused', { code: 101503 }));
    await expect(
      callout('', 'serviceURL="http://u:secret@b/x" action="urn:go"').mediate(request),
    ).rejects.toMatchObject({
      code: 101503,
      message: expect.stringMatching(/^Error invoking service : http:\/\/.*b\/x with action : urn:go$/),
    });
    expect(request.text('blocking.sender.error')).toBe('true');
    expect(body(request)).toBe('<a><v>7</v></a>');
  });

  it('of another kind have code 401000; the status is told', async () => {
    const { request, sender } = calling();
    sender.answer = () => response(404, '');
    await expect(callout().mediate(request)).rejects.toMatchObject({ code: 401000 });
    expect(request.axis2.get('HTTP_SC')).toBe('404');
  });

  it('do not show the password of the address', async () => {
    const { request, sender } = calling();
    sender.answer = () => response(404, '');
    const failure = callout('', 'serviceURL="http://u:secret@b/x"').mediate(request) as Promise<boolean>;
    await expect(failure).rejects.not.toThrow('secret');
  });

  it('an endpoint that is not there is a fault', async () => {
    const { request } = calling();
    await expect(callout('', 'endpointKey="gone"').mediate(request)).rejects.toMatchObject({ code: 305100 });
  });
});

describe('what is wrong is told', () => {
  it.each([
    [
      '<callout initAxis2ClientOptions="yes"/>',
      "error: The 'initAxis2ClientOptions' attribute only accepts a boolean value.",
    ],
    ['<callout><source/></callout>', "error: A 'xpath' or 'key' attribute is required for the Callout 'source'"],
    ['<callout><target/></callout>', "error: A 'xpath' or 'key' attribute is required for the Callout 'target'"],
    [
      '<callout><enableSec/></callout>',
      'warning: <enableSec> names no policy: messages are neither secured nor checked',
    ],
    [
      '<callout endpointKey="e"><enableSec policy="p"/></callout>',
      'error: <enableSec> of <callout> goes with an address only',
    ],
    ['<callout><endpoint/></callout>', 'error: Invalid endpoint configuration.'],
    [
      '<callout serviceURL="mailto:a@b"/>',
      "warning: addresses with 'mailto:' are known, not supported yet: sending to 'mailto:a@b' will fail",
    ],
  ])('%s', (xml, expected) => {
    expect(problemLines(xml)).toEqual([expected]);
  });

  it('configuration of Axis2 is accepted', () => {
    const xml =
      '<callout serviceURL="http://b" initAxis2ClientOptions="false"><configuration axis2xml="a" repository="b"/></callout>';
    expect(problemLines(xml)).toEqual([]);
  });
});
