import { describe, expect, it } from 'vitest';
import { runFlow } from '../../src/mediation/flow.ts';
import { MediationError } from '../../src/message/errors.ts';
import type { MessageContext } from '../../src/message/message-context.ts';
import { JsonValue, MapValue, TypedNumber } from '../../src/message/property-value.ts';
import type { HttpRequest } from '../../src/transport/http-sender.ts';
import { parseXml, serializeXml, type XmlElement } from '../../src/xml/index.ts';
import {
  endpoint,
  FakeConfiguration,
  FakeExchange,
  logged,
  type MessageParts,
  message,
  problemLines,
  response,
  sequence,
} from '../mediation/harness.ts';

const TO_B = '<endpoint><address uri="http://b/x"/></endpoint>';
const SET = (name: string) => `<property name="${name}" value="1"/>`;
const JSON_TYPE: [string, string] = ['Content-Type', 'application/json'];
const XML_TYPE: [string, string] = ['Content-Type', 'application/xml'];

type Artifacts = ConstructorParameters<typeof FakeConfiguration>[0];

function calling(parts: MessageParts = {}, artifacts: Artifacts = {}) {
  const configuration = new FakeConfiguration(artifacts);
  const exchange = new FakeExchange();
  const request = message({ body: '<a><v>7</v></a>', configuration, exchange, ...parts });
  const { sender } = configuration;
  sender.answer = () => response(200, '<answer/>', [XML_TYPE, ['X-Back', 'end']]);
  return { configuration, exchange, request, sender };
}

const bodyOf = ({ payload }: MessageContext) => serializeXml(payload.firstBodyChild() as XmlElement);
const sent = ({ body }: HttpRequest) => Buffer.from(body ?? []).toString();
const contentType = ({ headers }: HttpRequest) => headers.find(([name]) => name === 'Content-Type')?.[1];

describe('a non-blocking call', () => {
  it('goes on when the answer is there, with its payload, axis2 scope and headers', async () => {
    const { request, sender } = calling();
    request.headers.set('X-Own', '1');
    request.axis2.set('own', '1');
    request.properties.set('p', '1');
    request.variables.set('v', '1');
    expect(await sequence(`<call>${TO_B}</call>${SET('after')}`).mediate(request)).toBe(true);
    expect(sender.requests.map(({ url }) => url)).toEqual(['http://b/x']);
    expect(sent(sender.requests[0] as HttpRequest)).toBe('<a><v>7</v></a>');
    expect(bodyOf(request)).toBe('<answer/>');
    expect(request).toMatchObject({ direction: 'request', relatesTo: 'urn:uuid:1', messageId: 'urn:uuid:1' });
    expect([...request.headers.pairs()]).toEqual([XML_TYPE, ['X-Back', 'end']]);
    expect(request.axis2.has('own')).toBe(false);
    expect(request.axis2.get('HTTP_SC')).toEqual(new TypedNumber('INTEGER', 200));
    expect(request.axis2.get('messageType')).toBe('application/xml');
    expect([request.text('p'), request.variables.get('v'), request.text('after')]).toEqual(['1', '1', '1']);
  });

  it('keeps fault handlers, operation scope, client and sequence', async () => {
    const { request, exchange } = calling();
    const handler = { description: 'h', handleFault: async () => undefined };
    request.faultStack.push(handler);
    request.operation.set('o', '1');
    await sequence(`<call>${TO_B}</call>`).mediate(request);
    expect(request.faultStack).toEqual([handler]);
    expect(request.operation.get('o')).toBe('1');
    expect(request.exchange).toBe(exchange);
    expect(exchange).toMatchObject({ taken: true, answered: false, tracked: [] });
  });

  it.each([404, 500, 503])('takes an answer with status %i for an answer', async (status) => {
    const { request, sender } = calling();
    sender.answer = () => response(status, '<no/>', [XML_TYPE]);
    expect(await sequence(`<call>${TO_B}</call>${SET('after')}`).mediate(request)).toBe(true);
    expect(request.axis2.get('HTTP_SC')).toEqual(new TypedNumber('INTEGER', status));
    expect(request.properties.has('after')).toBe(true);
  });

  it('goes to a named, a computed and, without an endpoint, to the To address', async () => {
    const named = endpoint('<endpoint name="B"><address uri="http://b/named"/></endpoint>');
    const { request, sender } = calling({}, { endpoint: { B: named } });
    request.properties.set('which', 'B');
    const calls = sequence(
      '<call><endpoint key="B"/></call><call><endpoint key="{$ctx:which}"/></call><header name="To" value="http://c/to"/><call/>',
    );
    expect(await calls.mediate(request)).toBe(true);
    expect(sender.requests.map(({ url }) => url)).toEqual(['http://b/named', 'http://b/named', 'http://c/to']);
  });

  it('several in a row, in branches and inside sequences, see each other’s answers', async () => {
    let count = 0;
    const inner = sequence(`<call>${TO_B}</call>${SET('inner')}`);
    const { request, sender } = calling({}, { sequence: { inner } });
    sender.answer = () => {
      count += 1;
      return response(200, `<answer n="${count}"/>`, [XML_TYPE]);
    };
    const flow = `<call>${TO_B}</call><filter xpath="//answer[@n='1']"><then><sequence key="inner"/>${SET('then')}</then></filter>
      <switch source="//answer/@n"><case regex="2"><call>${TO_B}</call></case></switch>${SET('end')}`;
    expect(await sequence(flow).mediate(request)).toBe(true);
    expect(bodyOf(request)).toBe('<answer n="3"/>');
    expect([...request.properties.keys()]).toEqual(expect.arrayContaining(['inner', 'then', 'end']));
  });

  it('clears what earlier sends and failures left', async () => {
    const { request } = calling();
    for (const name of ['RECEIVING_SEQUENCE', 'blocking.sender.error', 'ERROR_CODE', 'SENDING_FAULT'])
      request.properties.set(name, 'stale');
    await sequence(`<call>${TO_B}</call>`).mediate(request);
    for (const name of ['RECEIVING_SEQUENCE', 'blocking.sender.error', 'ERROR_CODE', 'SENDING_FAULT'])
      expect(request.properties.has(name)).toBe(false);
  });

  it('without a body in the answer has an empty one', async () => {
    const { request, sender } = calling();
    sender.answer = () => response(202, '');
    await sequence(`<call>${TO_B}</call>`).mediate(request);
    expect(request.payload.isEmpty).toBe(true);
    expect(request.axis2.get('NO_ENTITY_BODY')).toBe(true);
  });

  it('lets the answer through pre-mediate', async () => {
    const stop = sequence('<drop/>');
    const { request } = calling({}, { sequence: { 'pre-mediate': stop } });
    expect(await sequence(`<call>${TO_B}</call>${SET('after')}`).mediate(request)).toBe(false);
    expect(request.properties.has('after')).toBe(false);
  });

  it.each(['FORCE_SC_ACCEPTED', 'NIO-ACK-Requested'])(
    'with %s has the client answered before it waits',
    async (flag) => {
      const { request, exchange, sender } = calling();
      const acknowledged: number[] = [];
      Object.assign(exchange, { acknowledge: () => acknowledged.push(sender.requests.length) });
      request.axis2.set(flag, 'true');
      await sequence(`<call>${TO_B}</call>`).mediate(request);
      expect(acknowledged).toEqual([0]);
      await sequence(`<call>${TO_B}</call>`).mediate(request);
      expect(acknowledged).toEqual([0]);
    },
  );

  it('OUT_ONLY, exactly the text true, sends a copy and goes on at once', async () => {
    const { request, exchange, sender, configuration } = calling();
    request.properties.set('OUT_ONLY', 'true');
    expect(sequence(`<call>${TO_B}</call>${SET('after')}`).mediate(request)).toBe(true);
    expect(exchange).toMatchObject({ taken: true, tracked: [] });
    expect(await configuration.flows.idle(1000)).toBe(true);
    expect(sender.requests).toHaveLength(1);
    expect(bodyOf(request)).toBe('<a><v>7</v></a>');
    request.properties.set('OUT_ONLY', true);
    await sequence(`<call>${TO_B}</call>`).mediate(request);
    expect(bodyOf(request)).toBe('<answer/>');
  });
});

describe('a non-blocking call that fails', () => {
  const REFUSED = new MediationError('Error connecting to the back end', { code: 101503, detail: 'refused' });

  it('runs the fault stack with the code of the transport and SENDING_FAULT', async () => {
    const { request, exchange, sender } = calling();
    sender.answer = () => Promise.reject(REFUSED);
    request.axis2.set('NO_KEEPALIVE', 'true');
    const handled: unknown[] = [];
    request.faultStack.push({
      description: 'h',
      handleFault: async ({ properties, axis2 }) => {
        const names = ['ERROR_CODE', 'ERROR_MESSAGE', 'ERROR_DETAIL', 'SENDING_FAULT'];
        handled.push(...names.map((name) => String(properties.get(name))), axis2.has('NO_KEEPALIVE'), bodyOf(request));
      },
    });
    await runFlow(request, () => sequence(`<call>${TO_B}</call>${SET('after')}`).mediate(request));
    expect(handled).toEqual([
      '101503',
      'Error connecting to the back end',
      'refused',
      'true',
      false,
      '<a><v>7</v></a>',
    ]);
    expect(request.properties.has('after')).toBe(false);
    expect(exchange.failures).toMatchObject([{ code: 101503 }]);
  });

  it('has code 401003 when the failure has none', async () => {
    const { request, sender } = calling();
    sender.answer = () => Promise.reject(new Error('odd'));
    await runFlow(request, () => sequence(`<call>${TO_B}</call>`).mediate(request));
    expect(String(request.properties.get('ERROR_CODE'))).toBe('401003');
    expect(request.text('ERROR_MESSAGE')).toBe('odd');
  });

  it('to an endpoint that is not there, or has no address, is a fault', async () => {
    const { request } = calling();
    await expect(sequence('<call><endpoint key="gone"/></call>').mediate(request)).rejects.toMatchObject({
      code: 305100,
    });
    request.to = undefined;
    await expect(sequence('<call/>').mediate(request)).rejects.toMatchObject({ code: 303001 });
  });

  it('whose time is up without a responseAction runs no fault sequence; the client is told 504', async () => {
    const { request, exchange, sender } = calling();
    sender.answer = () => Promise.reject(new MediationError('Send timeout', { code: 101504 }));
    let handled = 0;
    const handleFault = async () => {
      handled += 1;
    };
    request.faultStack.push({ description: 'h', handleFault });
    await runFlow(request, () => sequence(`<call>${TO_B}</call>`).mediate(request));
    expect(handled).toBe(0);
    expect(exchange.failures).toMatchObject([{ code: 101504, status: 504 }]);
  });

  it('whose time is up with responseAction fault does', async () => {
    const { request, sender } = calling();
    sender.answer = ({ responseTimeoutMs }) =>
      Promise.reject(new MediationError(`Send timeout ${responseTimeoutMs}`, { code: 101504 }));
    const timeout = '<timeout><duration>50</duration><responseAction>fault</responseAction></timeout>';
    const flow = sequence(`<call><endpoint><address uri="http://b/x">${timeout}</address></endpoint></call>`);
    await expect(flow.mediate(request)).rejects.toMatchObject({ code: 101504, message: 'Send timeout 50' });
  });

  it('after an answer: a fault in mediating that answer has HTTP_SC 500', async () => {
    const { request } = calling();
    await runFlow(request, () => sequence(`<call>${TO_B}</call><sequence key="gone"/>`).mediate(request));
    expect(request.axis2.get('HTTP_SC')).toBe('500');
  });

  it('with a source has the original payload back', async () => {
    const { request, sender } = calling();
    sender.answer = () => Promise.reject(REFUSED);
    const flow = sequence(`<call>${TO_B}<source type="inline"><s xmlns=""/></source></call>`);
    await expect(flow.mediate(request)).rejects.toBe(REFUSED);
    expect(bodyOf(request)).toBe('<a><v>7</v></a>');
  });
});

describe('a blocking call', () => {
  const flow = (inside = '') => sequence(`<call blocking="true">${TO_B}${inside}</call>${SET('after')}`);

  it('keeps the axis2 scope and the request’s headers, and takes payload, types and status', async () => {
    const { request } = calling({ body: '{}', contentType: 'application/json' });
    request.axis2.set('own', '1');
    request.axis2.set('messageType', 'application/json');
    request.headers.set('X-Own', '1');
    request.headers.set('Content-Encoding', 'gzip');
    expect(await flow().mediate(request)).toBe(true);
    expect(bodyOf(request)).toBe('<answer/>');
    expect(request.axis2.get('own')).toBe('1');
    expect(request.axis2.get('messageType')).toBe('application/xml');
    expect(String(request.axis2.get('HTTP_SC'))).toBe('200');
    expect([...request.headers.pairs()]).toEqual([['X-Own', '1'], XML_TYPE, ['X-Back', 'end']]);
    expect(request.text('blocking.sender.error')).toBe('false');
    expect(request.text('after')).toBe('1');
  });

  it('drops the request’s headers with BLOCKING_SENDER_PRESERVE_REQ_HEADERS=false', async () => {
    const { request } = calling();
    request.headers.set('X-Own', '1');
    request.properties.set('BLOCKING_SENDER_PRESERVE_REQ_HEADERS', 'false');
    await flow().mediate(request);
    expect([...request.headers.pairs()]).toEqual([XML_TYPE, ['X-Back', 'end']]);
  });

  it.each([200, 202, 400, 500])('takes status %i for an answer', async (status) => {
    const { request, sender } = calling();
    sender.answer = () => response(status, '<x/>', [XML_TYPE]);
    expect(await flow().mediate(request)).toBe(true);
    expect(String(request.axis2.get('HTTP_SC'))).toBe(String(status));
  });

  it.each([302, 404, 503])('takes status %i for a failure', async (status) => {
    const { request, sender } = calling();
    sender.answer = () => ({ ...response(status, '<x/>', [XML_TYPE]), reason: 'Why' });
    const records = await logged(() =>
      expect(flow().mediate(request)).rejects.toMatchObject({
        code: 401002,
        message: `Transport error: ${status} Error: Why`,
      }),
    );
    expect(records.map(({ message: text }) => text)).toContain(
      'Error while performing the call operation in blocking mode',
    );
    expect(request.text('blocking.sender.error')).toBe('true');
    expect(request.text('HTTP_SC')).toBe(String(status));
    expect(bodyOf(request)).toBe('<a><v>7</v></a>');
  });

  it('takes a SOAP fault for a failure only with FORCE_ERROR_ON_SOAP_FAULT', async () => {
    const { request, sender } = calling({ contentType: 'text/xml', soapAction: true });
    const fault =
      '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Server</faultcode><faultstring>x</faultstring></s:Fault></s:Body></s:Envelope>';
    sender.answer = () => response(500, fault, [['Content-Type', 'text/xml']]);
    expect(await flow().mediate(request)).toBe(true);
    request.properties.set('FORCE_ERROR_ON_SOAP_FAULT', 'true');
    await expect(flow().mediate(request)).rejects.toMatchObject({ code: 401002 });
    expect(request.payload.hasFault()).toBe(true);
  });

  it('passes the code of a transport failure on', async () => {
    const { request, sender } = calling();
    sender.answer = () => Promise.reject(new MediationError('refused', { code: 101503 }));
    await expect(flow().mediate(request)).rejects.toMatchObject({ code: 101503 });
    expect(request.text('blocking.sender.error')).toBe('true');
  });

  it('a timeout is a failure whatever responseAction says', async () => {
    const { request, sender } = calling();
    sender.answer = () => Promise.reject(new MediationError('Send timeout', { code: 101504 }));
    await expect(flow().mediate(request)).rejects.toMatchObject({ code: 101504, skipsFaultHandlers: false });
  });

  it('OUT_ONLY waits, and leaves the payload as it is', async () => {
    const { request, sender } = calling();
    request.properties.set('OUT_ONLY', 'true');
    expect(await flow('<source type="inline"><s xmlns=""/></source>').mediate(request)).toBe(true);
    expect(sender.requests.map(sent)).toEqual(['<s xmlns=""/>']);
    expect(bodyOf(request)).toBe('<a><v>7</v></a>');
  });
});

describe('source', () => {
  const JSON_MESSAGE = { body: '{"o":{"k":[1]},"t":"text"}', contentType: 'application/json' };

  async function sentWith(source: string, parts: MessageParts = {}, prepare?: (request: MessageContext) => void) {
    const { request, sender } = calling(parts);
    prepare?.(request);
    await sequence(`<call>${TO_B}${source}</call>`).mediate(request);
    expect(bodyOf(request)).toBe('<answer/>');
    const [only] = sender.requests;
    return `${contentType(only as HttpRequest)?.split(';')[0]} ${sent(only as HttpRequest)}`;
  }

  it.each([
    ['<source type="body"/>', 'application/xml <a><v>7</v></a>'],
    ['<source>//v</source>', 'application/xml <v>7</v>'],
    ['<source type="custom">//v</source>', 'application/xml <v>7</v>'],
    ['<source type="inline"><s xmlns="urn:s">1</s></source>', 'application/xml <s xmlns="urn:s">1</s>'],
    ['<source type="inline"><s xmlns="" a="{//v}">{//v}</s></source>', 'application/xml <s xmlns="" a="7">7</s>'],
    ['<source type="inline" contentType="application/json">{"v":1}</source>', 'application/json {"v":1}'],
    [
      '<source type="inline" contentType="application/json">{"v":{//v},"t":"{//v}"}</source>',
      'application/json {"v":7,"t":"7"}',
    ],
    ['<source type="inline" contentType="text/plain">plain</source>', 'text/plain plain'],
    [
      '<source type="inline" contentType="application/xml">{"v":1}</source>',
      'application/xml <jsonObject><v>1</v></jsonObject>',
    ],
  ])('%s of XML', async (source, expected) => {
    expect(await sentWith(source)).toBe(expected);
  });

  it.each([
    ['<source type="custom">json-eval($.o)</source>', 'application/json {"k":[1]}'],
    ['<source type="custom" contentType="text/plain">json-eval($.t)</source>', 'text/plain text'],
    ['<source type="body"/>', `application/json ${JSON_MESSAGE.body}`],
  ])('%s of JSON', async (source, expected) => {
    expect(await sentWith(source, JSON_MESSAGE, ({ axis2 }) => axis2.set('messageType', 'application/json'))).toBe(
      expected,
    );
  });

  it.each([
    ['text', '<t>1</t>', 'application/xml <t>1</t>'],
    ['xml', parseXml('<x/>').documentElement as XmlElement, 'application/xml <x/>'],
    ['xml list', [parseXml('<x/>').documentElement as XmlElement], 'application/xml <x/>'],
  ] as const)('a property that is %s', async (_, value, expected) => {
    const set = ({ properties }: MessageContext) => properties.set('p', value);
    expect(await sentWith('<source type="property">p</source>', {}, set)).toBe(expected);
  });

  it('a property that is JSON, in a JSON message', async () => {
    const set = ({ properties, axis2 }: MessageContext) => {
      properties.set('p', new JsonValue('[1,2]'));
      axis2.set('messageType', 'application/json');
    };
    expect(await sentWith('<source type="property">p</source>', JSON_MESSAGE, set)).toBe('application/json [1,2]');
  });

  it('an envelope is sent as the envelope', async () => {
    const envelope =
      '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><in xmlns=""/></s:Body></s:Envelope>';
    const { request, sender } = calling({ contentType: 'text/xml', soapAction: true, body: envelope });
    await sequence(`<call>${TO_B}<source type="inline">${envelope}</source></call>`).mediate(request);
    expect(sent(sender.requests[0] as HttpRequest).match(/Envelope/g)).toHaveLength(2);
  });

  it('remembers nothing of an earlier message (MREQ-31)', async () => {
    const flow = sequence(`<call>${TO_B}<source type="custom">json-eval($.o)</source></call>`);
    const types: Array<string | undefined> = [];
    for (const type of ['application/json', 'application/xml']) {
      const { request, sender } = calling(JSON_MESSAGE);
      request.axis2.set('messageType', type);
      await flow.mediate(request);
      types.push(contentType(sender.requests[0] as HttpRequest)?.split(';')[0]);
    }
    expect(types).toEqual(['application/json', 'application/xml']);
  });
});

describe('target', () => {
  async function called(target: string, answer: string, type: [string, string]) {
    const { request, sender } = calling();
    sender.answer = () => response(201, answer, [type, ['X-Back', 'end'], ['X-Back', 'again']]);
    request.headers.set('X-Own', '1');
    request.axis2.set('messageType', 'application/xml');
    await sequence(`<call>${TO_B}<target ${target}</target></call>`).mediate(request);
    return request;
  }

  it('property holds an element or JSON text; payload, headers and types are the message’s own', async () => {
    const xml = await called('type="property">p', '<answer>1</answer>', XML_TYPE);
    expect(serializeXml(xml.properties.get('p') as XmlElement)).toBe('<answer>1</answer>');
    expect(bodyOf(xml)).toBe('<a><v>7</v></a>');
    expect([...xml.headers.pairs()]).toEqual([['X-Own', '1']]);
    const json = await called('type="property">p', '{"a":1}', JSON_TYPE);
    expect(json.properties.get('p')).toBe('{"a":1}');
    expect(json.axis2.get('messageType')).toBe('application/xml');
    expect(bodyOf(json)).toBe('<a><v>7</v></a>');
    expect(String(json.axis2.get('HTTP_SC'))).toBe('201');
  });

  it('variable holds payload, headers and attributes', async () => {
    const request = await called('type="variable">v', '{"a":1}', JSON_TYPE);
    const value = request.variables.get('v') as MapValue;
    expect(value).toBeInstanceOf(MapValue);
    expect(value.text).toBe(
      '{"payload":{"a":1},"headers":{"Content-Type":"application/json","X-Back":"end"},"attributes":{"statusCode":201}}',
    );
    const xml = await called('type="variable">{concat("v", "2")}', '<answer/>', XML_TYPE);
    const payload = (xml.variables.get('v2') as MapValue).entries.get('payload');
    expect(serializeXml(payload as XmlElement)).toBe('<answer/>');
    expect(bodyOf(xml)).toBe('<a><v>7</v></a>');
  });

  it('body is what happens without one', async () => {
    expect(bodyOf(await called('type="body">', '<answer/>', XML_TYPE))).toBe('<answer/>');
  });

  it('keeps an empty answer from emptying the message', async () => {
    const request = await called('type="property">p', '', XML_TYPE);
    expect(request.axis2.has('NO_ENTITY_BODY')).toBe(false);
    expect(bodyOf(request)).toBe('<a><v>7</v></a>');
  });

  it('goes with a source and a blocking call', async () => {
    const { request, sender } = calling();
    const inside = '<source type="inline"><s xmlns=""/></source><target type="property">p</target>';
    await sequence(`<call blocking="true">${TO_B}${inside}</call>`).mediate(request);
    expect(sender.requests.map(sent)).toEqual(['<s xmlns=""/>']);
    expect(serializeXml(request.properties.get('p') as XmlElement)).toBe('<answer/>');
    expect(bodyOf(request)).toBe('<a><v>7</v></a>');
  });

  it('of an answer that cannot be read is a fault, with the message as it was', async () => {
    await expect(called('type="property">p', '<broken', XML_TYPE)).rejects.toMatchObject({ code: 601000 });
  });
});

describe('what is wrong is told', () => {
  it.each([
    ['<source type="custom">//[</source>', 'Invalid XPath expression: //['],
    ['<source type="inline"/>', 'XML element is required for INLINE type'],
    ['<source type="envelope"/>', 'Un-expected type : envelope'],
    ['<target type="custom">a</target>', 'Un-expected type : custom'],
    ['<target type="variable"/>', 'Variable name is required for VARIABLE type'],
    ['<target type="variable">{//[}</target>', 'Can not create Synapse Xpath from given key'],
    ['<endpoint/>', 'Invalid endpoint configuration.'],
  ])('%s', (inside, expected) => {
    const [first, ...more] = problemLines(`<call>${inside}</call>`);
    expect(first?.startsWith(`error: ${expected}`)).toBe(true);
    expect(more).toEqual([]);
  });

  it('files of Axis2 have no effect, which is said for blocking calls', () => {
    expect(problemLines(`<call blocking="true" axis2xml="a" repository="b">${TO_B}</call>`)).toEqual([
      "warning: attribute 'axis2xml' of <call> has no effect here: there is no Axis2",
      "warning: attribute 'repository' of <call> has no effect here: there is no Axis2",
    ]);
    expect(problemLines(`<call axis2xml="a" initAxis2ClientOptions="false">${TO_B}</call>`)).toEqual([]);
  });
});
