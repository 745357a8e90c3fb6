import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type EchoBackEnd, echoBackEnd } from '../support/echo-back-end.ts';
import { freePort } from '../support/free-ports.ts';
import { call, envelope, type Reply, soap11, soap12 } from '../support/http-call.ts';
import { type InProcess, inOnly, proxy, serve } from '../support/in-process.ts';
import { waitFor } from '../support/wait-for.ts';

/** An answer that has to come at once: far below every timeout of the server, far above a noisy machine's hiccups. */
const AT_ONCE_MS = 5_000;

const SET = (name: string, value: string, scope = 'default') =>
  `<property name="${name}" value="${value}" scope="${scope}"/>`;
const LOG = (text: string) =>
  `<log level="custom"><property name="${text}" expression="get-property('ERROR_CODE')"/></log>`;
const ERRORS = `<property name="X-Code" expression="get-property('ERROR_CODE')" scope="transport"/>
  <property name="X-Base" expression="get-property('BASE_ERROR_CODE')" scope="transport"/>
  <property name="X-State" expression="get-property('PROTOCOL_STATE_ON_FAILURE')" scope="transport"/>
  <property name="X-Message" expression="get-property('ERROR_MESSAGE')" scope="transport"/>
  <property name="X-Cause" expression="get-property('ERROR_CAUSE')" scope="transport"/>
  <property name="X-Sending" expression="get-property('SENDING_FAULT')" scope="transport"/>`;
/** A fault sequence that tells the client about the error. */
const TELL = `${ERRORS}${SET('HTTP_SC', '599', 'axis2')}<respond/>`;
const FAULT_BODY = `<e:Fault xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><faultcode>e:Server</faultcode><faultstring>broken</faultstring></e:Fault>`;

let backEnd: EchoBackEnd;
let running: InProcess;
let refused: number;

const FORWARD = () => `<endpoint><address uri="${backEnd.url}/svc"/></endpoint>`;
const sendTo = (path: string, settings = '', attributes = '') =>
  `<send><endpoint><address uri="${backEnd.url}${path}"${attributes}>${settings}</address></endpoint></send>`;
const sendRefused = (settings = '') =>
  `<send><endpoint><address uri="http://127.0.0.1:${refused}/x">${settings}</address></endpoint></send>`;
/** Never suspended, so that each test sees the back end. */
const ALWAYS = '<suspendOnFailure><initialDuration>0</initialDuration></suspendOnFailure>';
const expiring = (action: string) =>
  `<timeout><duration>150</duration>${action === '' ? '' : `<responseAction>${action}</responseAction>`}</timeout>${ALWAYS}`;

/** A WSDL with the address of somebody else. */
function wsdl(name: string, types = ''): string {
  return `<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" name="${name}">
    ${types}<service name="S"><port name="P" binding="B"><soap:address location="http://elsewhere/S"/></port></service></definitions>`;
}

const published = (name: string, more: string) => proxy(name, '<inSequence><respond/></inSequence>', '', more);

function artifacts(): Record<string, string> {
  const proxies: Array<[name: string, xml: string]> = [
    ['Through', proxy('Through', FORWARD())],
    [
      'ThroughOut',
      proxy('ThroughOut', `${FORWARD()}<outSequence>${SET('X-Out', '1', 'transport')}<send/></outSequence>`),
    ],
    ['Looking', proxy('Looking', `<inSequence><property name="seen" expression="$body/*"/></inSequence>${FORWARD()}`)],
    [
      'ByKey',
      proxy('ByKey', '', '').replace(
        '<target>',
        '<target inSequence="in" outSequence="out" faultSequence="fault-key" endpoint="E">',
      ),
    ],
    ['MissingIn', proxy('MissingIn', '').replace('<target>', '<target inSequence="gone" faultSequence="fault-key">')],
    [
      'MissingOut',
      proxy('MissingOut', FORWARD()).replace('<target>', '<target outSequence="gone" faultSequence="fault-key">'),
    ],
    [
      'MissingEndpoint',
      proxy('MissingEndpoint', '').replace('<target>', '<target endpoint="gone" faultSequence="fault-key">'),
    ],
    [
      'MissingFault',
      proxy('MissingFault', '').replace('<target>', '<target inSequence="gone" faultSequence="also-gone">'),
    ],
    ['HttpsOnly', proxy('HttpsOnly', '<inSequence><respond/></inSequence>', ' transports="https"')],
    ['Both', proxy('Both', '<inSequence><respond/></inSequence>', ' transports="https, http"')],
    ['Stopped', proxy('Stopped', '<inSequence><respond/></inSequence>', ' startOnLoad="false"')],
    [
      'InboundOnly',
      proxy(
        'InboundOnly',
        '<inSequence><respond/></inSequence>',
        '',
        '<parameter name="inbound.only">true</parameter>',
      ),
    ],
    ['deep/er', proxy('deep/er', FORWARD())],
    ['WsdlInline', published('WsdlInline', `<publishWSDL>${wsdl('Inline')}</publishWSDL>`)],
    [
      'WsdlOriginal',
      published(
        'WsdlOriginal',
        `<publishWSDL>${wsdl('Inline')}</publishWSDL><parameter name="useOriginalwsdl">true</parameter>`,
      ),
    ],
    [
      'WsdlByKey',
      published(
        'WsdlByKey',
        '<publishWSDL key="given-wsdl"><resource location="types.xsd" key="types"/></publishWSDL>',
      ),
    ],
    ['WsdlByUri', published('WsdlByUri', `<publishWSDL uri="${backEnd.url}/given?wsdl"/>`)],
    ['WsdlByEndpoint', published('WsdlByEndpoint', '<publishWSDL endpoint="E"/>')],
    ['WsdlGone', published('WsdlGone', `<publishWSDL uri="http://127.0.0.1:${refused}/x?wsdl"/>`)],
  ];
  const flows: Array<[name: string, mediators: string, rest?: string]> = [
    ['Respond', '<respond/>'],
    ['Ends', SET('a', '1')],
    ['Drops', '<drop/>'],
    ['Stores', '<store messageStore="S"/>'],
    ['StoresForced', `${SET('FORCE_SC_ACCEPTED', 'true', 'axis2')}${SET('OUT_ONLY', 'true')}<store messageStore="S"/>`],
    ['StoresAndResponds', '<store messageStore="S"/><respond/>'],
    ['StoresNowhere', '<store messageStore="gone"/>'],
    ['StoresNowhereForced', `${SET('FORCE_SC_ACCEPTED', 'true', 'axis2')}<store messageStore="gone"/>`],
    ['ForcedRespond', `${SET('FORCE_SC_ACCEPTED', 'true', 'axis2')}<respond/>`],
    ['ForcedLoops', `${SET('FORCE_SC_ACCEPTED', 'true', 'axis2')}${SET('marker', 'looped')}<loopback/>`],
    [
      'ForcedClones',
      `${SET('FORCE_SC_ACCEPTED', 'true', 'axis2')}<clone><target><sequence><respond/></sequence></target></clone>`,
    ],
    ['ForcedSend', `${SET('FORCE_SC_ACCEPTED', 'true', 'axis2')}${sendTo('/forced')}`],
    ['ForcedRefused', `${SET('FORCE_SC_ACCEPTED', 'true', 'axis2')}${sendRefused(ALWAYS)}`],
    ['ForcedNotReady', `${SET('FORCE_SC_ACCEPTED', 'true', 'axis2')}<send><endpoint key="gone"/></send>`],
    ['OutOnly', `${SET('OUT_ONLY', 'true')}${sendTo('/one-way')}`],
    ['OutOnlyRefused', `${SET('OUT_ONLY', 'true')}${sendRefused(ALWAYS)}`],
    ['ResponseMarked', `${SET('RESPONSE', 'true')}<send/>`],
    ['Status', `${SET('HTTP_SC', '418', 'axis2')}${SET('HTTP_SC_DESC', 'Short and stout', 'axis2')}<respond/>`],
    ['StatusText', `${SET('HTTP_SC', 'many', 'axis2')}<respond/>`],
    [
      'Accepted',
      `<property name="SC_ACCEPTED" value="true" type="BOOLEAN" scope="axis2"/>${SET('HTTP_SC', '500', 'axis2')}<respond/>`,
    ],
    [
      'NioAck',
      `${SET('NIO-ACK-Requested', 'true', 'axis2')}${SET('HTTP_SC', '203', 'axis2')}${SET('X-Kept', '1', 'transport')}<drop/>`,
    ],
    ['Faults200', `${SET('FAULTS_AS_HTTP_200', 'true', 'axis2')}<respond/>`],
    ['Etag', `${SET('HTTP_ETAG', 'true', 'axis2')}<respond/>`],
    ['Closes', `${SET('NO_KEEPALIVE', 'true', 'axis2')}<respond/>`],
    [
      'Loops',
      `${SET('X-In', '1', 'transport')}<loopback/>`,
      `<outSequence>${SET('X-Out', '1', 'transport')}<send/></outSequence>`,
    ],
    ['LoopsNoOut', '<loopback/>'],
    ['OutDrops', sendTo('/x'), '<outSequence><drop/></outSequence>'],
    ['OutEnds', sendTo('/x'), `<outSequence>${SET('a', '1')}</outSequence>`],
    ['OutEmpty', sendTo('/x'), '<outSequence/>'],
    [
      'OutFails',
      sendTo('/x'),
      `<outSequence><sequence key="gone"/></outSequence><faultSequence>${ERRORS}<respond/></faultSequence>`,
    ],
    [
      'Receives',
      `<send receive="receiver">${FORWARD()}</send>`,
      `<outSequence>${SET('X-Out', '1', 'transport')}<send/></outSequence>`,
    ],
    ['ReceivesNothing', `<send receive="gone">${FORWARD()}</send>`],
    ['Twice', `<send receive="again">${FORWARD()}</send>`],
    ['DefaultFault', '<sequence key="gone"/>'],
    ['FaultResponds', '<sequence key="gone"/>', `<faultSequence>${TELL}</faultSequence>`],
    ['FaultEchoes', '<sequence key="gone"/>', '<faultSequence><respond/></faultSequence>'],
    [
      'FaultDropsStatus',
      '<sequence key="gone"/>',
      `<faultSequence>${SET('HTTP_SC', '503', 'axis2')}<drop/></faultSequence>`,
    ],
    [
      'FaultFails',
      '<sequence key="gone"/>',
      `<faultSequence>${SET('a', '1')}<sequence key="gone-too"/></faultSequence>`,
    ],
    ['FaultSends', '<sequence key="gone"/>', `<faultSequence>${sendTo('/fallback')}</faultSequence>`],
    [
      'OnError',
      `<sequence onError="handler"><sequence key="gone"/></sequence>`,
      '<faultSequence><respond/></faultSequence>',
    ],
    [
      'OnErrorFails',
      `<sequence onError="failing"><sequence key="gone"/></sequence>`,
      `<faultSequence>${TELL}</faultSequence>`,
    ],
    [
      'OnErrorAfter',
      `<sequence onError="handler">${SET('a', '1')}</sequence><sequence key="gone"/>`,
      `<faultSequence>${TELL}</faultSequence>`,
    ],
    ['OnErrorSend', `<sequence onError="handler">${sendRefused(ALWAYS)}</sequence>`],
    [
      'EndpointOnError',
      `<send><endpoint onError="handler"><address uri="http://127.0.0.1:${refused}/">${ALWAYS}</address></endpoint></send>`,
    ],
    ['Refused', sendRefused(ALWAYS)],
    ['RefusedTold', sendRefused(ALWAYS), `<faultSequence>${TELL}</faultSequence>`],
    ['Suspending', sendRefused(), `<faultSequence>${TELL}</faultSequence>`],
    ['TimeoutFault', sendTo('/slow', expiring('fault')), `<faultSequence>${TELL}</faultSequence>`],
    ['TimeoutFaultDrops', sendTo('/slow', expiring('fault'))],
    ['TimeoutDiscard', sendTo('/slow', expiring('discard')), `<faultSequence>${LOG('handled')}${TELL}</faultSequence>`],
    ['TimeoutNone', sendTo('/slow', expiring('')), `<faultSequence>${LOG('handled')}${TELL}</faultSequence>`],
    [
      'DiscardRefused',
      sendRefused(`<timeout><responseAction>discard</responseAction></timeout>${ALWAYS}`),
      `<faultSequence>${TELL}</faultSequence>`,
    ],
    ['Pox', sendTo('/pox', '', ' format="pox"')],
    ['Soap11', sendTo('/soap11', '', ' format="soap11"')],
    ['Soap12', sendTo('/soap12', '', ' format="soap12"')],
    ['Rest', sendTo('/rest', '', ' format="rest"')],
    ['NoPostfix', `<property name="REST_URL_POSTFIX" scope="axis2" action="remove"/>${sendTo('/rest')}`],
    ['OutLooks', sendTo('/x'), '<outSequence><property name="seen" expression="$body/*"/><send/></outSequence>'],
    ['Recursive', '<sequence key="itself"/>'],
    ['FullLog', '<log level="full"/><respond/>'],
    ['SimpleLog', '<log/><drop/>'],
  ];
  return {
    ...Object.fromEntries(proxies),
    ...Object.fromEntries(flows.map(([name, mediators, rest]) => [name, inOnly(name, mediators, rest)])),
    others: `<definitions>
      <messageStore name="S"/>
      <localEntry key="given-wsdl">${wsdl('Key', '<types><s:schema xmlns:s="http://www.w3.org/2001/XMLSchema"><s:include schemaLocation="types.xsd"/></s:schema></types>')}</localEntry>
      <localEntry key="types"><s:schema xmlns:s="http://www.w3.org/2001/XMLSchema" id="the-types"/></localEntry>
      <endpoint name="E"><address uri="${backEnd.url}/by-key"/></endpoint>
      <sequence name="in">${SET('X-In', '1', 'transport')}</sequence>
      <sequence name="out">${SET('X-Out', '1', 'transport')}<send/></sequence>
      <sequence name="fault-key">${TELL}</sequence>
      <sequence name="handler">${SET('X-Handler', '1', 'transport')}${TELL}</sequence>
      <sequence name="failing">${SET('X-Failed', '1', 'transport')}<sequence key="gone-in-handler"/></sequence>
      <sequence name="receiver">${SET('X-Received', '1', 'transport')}<send/></sequence>
      <sequence name="itself"><sequence key="itself"/></sequence>
      <sequence name="again"><send>${FORWARD()}</send></sequence>
    </definitions>`,
  };
}

beforeAll(async () => {
  backEnd = await echoBackEnd();
  refused = await freePort();
  running = await serve(artifacts());
  expect(running.lines().filter((line) => line.startsWith('ERROR'))).toEqual([]);
  expect(running.server.faultyCount).toBe(0);
});

afterAll(async () => {
  await running?.stop();
  await backEnd?.close();
});

beforeEach(() => {
  backEnd.received.length = 0;
  backEnd.answer = ({ url }) => (url.startsWith('/slow') ? { silent: true } : {});
});

const at = (name: string) => running.service(name);
const lastReceived = () => backEnd.received.at(-1);

describe('a pass-through proxy', () => {
  const bodies: Array<[string, string, string | Uint8Array, Record<string, string>?]> = [
    ['SOAP 1.1', 'text/xml; charset=UTF-8', envelope('<q>\r\n&#65;</q>'), { SOAPAction: '"urn:q"' }],
    ['SOAP 1.2', 'application/soap+xml; charset=UTF-8; action="urn:q"', envelope('<q/>', '1.2')],
    ['plain XML', 'application/xml', '<?xml version="1.0"?>\n<!-- c --><q  a="1" ></q>\n'],
    ['text/xml without SOAPAction', 'text/xml', '<q ></q>'],
    ['JSON', 'application/json', '{ "a" : 1.0, "b":[ ] }\n'],
    ['text', 'text/plain; charset=ISO-8859-1', Buffer.from('gr\u00fc\u00dfe\r\n', 'latin1')],
    ['a form', 'application/x-www-form-urlencoded', 'a=1&b=%20+&a=2'],
    ['bytes', 'application/octet-stream', Buffer.from([0, 255, 13, 10, 0, 128])],
    ['an unknown type', 'application/x-nobody-knows', Buffer.from([0, 1, 2])],
    ['what claims to be XML and is not', 'application/xml', '<q'],
    ['what claims to be JSON and is not', 'application/json', '{"a"'],
    ['gzip', 'application/xml', gzipSync('<q/>'), { 'Content-Encoding': 'gzip' }],
    [
      'a multipart form',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n',
    ],
  ];

  it.each(bodies)('hands %s on untouched, there and back', async (_, type, body, more = {}) => {
    for (const name of ['Through', 'ThroughOut', 'Rest']) {
      const reply = await call(at(name), { body, headers: { 'Content-Type': type, ...more } });
      expect(reply.status).toBe(200);
      expect(lastReceived()?.body).toEqual(Buffer.from(body));
      expect(lastReceived()?.headers['content-type']).toBe(type);
      expect(reply.body).toEqual(Buffer.from(body));
      expect(reply.headers['content-type']).toBe(type);
    }
  });

  it('hands an empty body on', async () => {
    const reply = await call(at('Through'), { body: '', headers: { 'Content-Type': 'application/xml' } });
    expect(reply.status).toBe(200);
    expect(lastReceived()).toMatchObject({ method: 'POST', body: Buffer.alloc(0) });
    const empty = await soap11(at('Through'), '', { headers: {} });
    expect(empty.status).toBe(200);
  });

  it.each(['GET', 'DELETE', 'HEAD', 'OPTIONS'])('hands a bodiless %s on', async (method) => {
    const reply = await call(`${at('Through')}?x=1`, { method });
    expect(reply.status).toBe(200);
    expect(lastReceived()).toMatchObject({ method, url: '/svc?x=1', body: Buffer.alloc(0) });
  });

  it('hands a compressed answer on as it is', async () => {
    backEnd.answer = () => ({
      headers: { 'Content-Type': 'application/xml', 'Content-Encoding': 'gzip' },
      body: gzipSync('<a>1</a>'),
    });
    const reply = await call(at('Through'), { headers: { 'Accept-Encoding': 'gzip' } });
    expect(reply.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(reply.body).toString()).toBe('<a>1</a>');
  });

  it('still sends the untouched bytes after a mediator has looked', async () => {
    const body = '<q  a="1" ></q>\n';
    const reply = await call(at('Looking'), { body, headers: { 'Content-Type': 'application/xml' } });
    expect(lastReceived()?.body.toString()).toBe(body);
    expect(reply.text).toBe(body);
  });

  it('hands headers on with all their values, not those of one connection', async () => {
    backEnd.answer = () => ({
      headers: { 'X-B': ['1', '2'], 'Set-Cookie': ['a=1', 'b=2'], 'Content-Type': 'text/plain' },
    });
    const reply = await call(at('Through'), {
      body: 'x',
      headers: { 'X-A': ['1', '2'], 'Content-Type': 'text/plain', 'User-Agent': 'me', activityid: 'c-77' },
    });
    const raw = lastReceived()?.rawHeaders ?? [];
    const values = raw.filter((_, index) => index % 2 === 1 && raw[index - 1] === 'X-A');
    expect(values).toEqual(['1', '2']);
    expect(lastReceived()?.headers).toMatchObject({ 'user-agent': 'mini-synapse', activityid: 'c-77' });
    expect(lastReceived()?.headers.host).toBe(`127.0.0.1:${backEnd.port}`);
    expect(reply.headers['x-b']).toBe('1, 2');
    expect(reply.headers['set-cookie']).toEqual(['a=1', 'b=2']);
  });

  it.each([200, 201, 202, 204, 301, 304, 400, 401, 404, 422, 500, 502, 503])(
    'hands the status %d on',
    async (status) => {
      const body = [204, 304].includes(status) ? '' : '<s/>';
      backEnd.answer = () => ({ status, headers: { 'Content-Type': 'application/xml', Location: 'http://b/x' }, body });
      const reply = await call(at('Through'), { body: '<a/>', headers: { 'Content-Type': 'application/xml' } });
      expect(reply.status).toBe(status);
      expect(reply.text).toBe(body);
    },
  );

  it('hands a SOAP fault on with its status, and the endpoint stays active', async () => {
    backEnd.answer = () => ({ status: 500, headers: { 'Content-Type': 'text/xml' }, body: envelope(FAULT_BODY) });
    const before = running.records.length;
    for (let time = 0; time < 3; time += 1) {
      const reply = await soap11(at('Through'));
      expect(reply).toMatchObject({ status: 500, text: envelope(FAULT_BODY) });
    }
    expect(running.lines(before).filter((line) => line.includes('SUSPENDED'))).toEqual([]);
  });

  it('keeps connections, to the client and to the back end', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let time = 0; time < 5; time += 1) await soap11(at('Through'), '<a/>', { agent });
    const sockets = Object.values(agent.freeSockets).flat().length;
    agent.destroy();
    expect(sockets).toBe(1);
    expect(new Set(backEnd.received.map(({ connection }) => connection)).size).toBe(1);
  });

  it('serves https as http', async () => {
    const reply = await soap11(running.service('Through', 'https'));
    expect(reply).toMatchObject({ status: 200, text: envelope('<q xmlns="urn:q">1</q>') });
  });
});

describe('the URL', () => {
  it.each([
    ['/services/Through/a/b?x=1', '/svc/a/b?x=1'],
    ['/services/Through?x=%20', '/svc?x=%20'],
    ['/services/Through/', '/svc/'],
    ['/services/Through.SOAP11Endpoint/a', '/svc/a'],
    ['/services/deep/er/a', '/svc/a'],
  ])('%s is carried on to the back end as %s', async (path, url) => {
    expect((await call(running.url(path))).status).toBe(200);
    expect(lastReceived()?.url).toBe(url);
  });

  it('is not carried on for SOAP clients, unless the format is rest, nor after its removal', async () => {
    await soap11(`${at('Through')}/a`);
    expect(lastReceived()?.url).toBe('/svc');
    await soap11(`${at('Rest')}/a`);
    expect(lastReceived()?.url).toBe('/rest/a');
    await call(`${at('NoPostfix')}/a?x=1`);
    expect(lastReceived()?.url).toBe('/rest');
  });
});

describe('the in-flow decides what the client gets', () => {
  it.each([
    ['Ends', 202],
    ['Drops', 202],
    ['Stores', 202],
    ['StoresForced', 202],
    ['ForcedSend', 202],
    ['ForcedRefused', 202],
    ['ForcedNotReady', 202],
    ['OutOnly', 202],
    ['OutOnlyRefused', 202],
    ['OutDrops', 202],
    ['OutEnds', 202],
    ['OutEmpty', 202],
    ['InboundOnly', 202],
    ['ReceivesNothing', 202],
  ])('%s: %d, empty and at once', async (name, status) => {
    for (const client of [soap11, soap12]) {
      const reply = await client(at(name));
      expect(reply).toMatchObject({ status, text: '' });
      expect(reply.elapsedMs).toBeLessThan(AT_ONCE_MS);
    }
  });

  it('respond and the old RESPONSE idiom: 200 with the message', async () => {
    for (const name of ['Respond', 'ResponseMarked', 'LoopsNoOut', 'StoresAndResponds']) {
      expect(await soap11(at(name)), name).toMatchObject({ status: 200, text: envelope('<q xmlns="urn:q">1</q>') });
    }
  });

  it('store: one message each', async () => {
    const before = await running.depth('S');
    await soap11(at('Stores'));
    await soap11(at('StoresForced'));
    expect(await running.depth('S')).toBe(before + 2);
  });

  it('a failed store: 5xx, also with FORCE_SC_ACCEPTED (OP-03)', async () => {
    for (const name of ['StoresNowhere', 'StoresNowhereForced']) {
      const reply = await soap11(at(name));
      expect(reply.status, name).toBe(500);
      expect(reply.text).toContain('Message Store does not exist.');
      expect(reply.headers['content-type']).toMatch(/^text\/xml/);
    }
  });

  it('FORCE_SC_ACCEPTED after an answer: the answer stands, with a WARN', async () => {
    const before = running.records.length;
    expect((await soap11(at('ForcedRespond'))).status).toBe(200);
    await running.logged(/^WARN Trying to send a 202 Accepted response to an already responded client request/, before);
  });

  it('FORCE_SC_ACCEPTED after an answer of the response path, or of a part: the answer stands', async () => {
    const before = running.records.length;
    for (const name of ['ForcedLoops', 'ForcedClones']) expect((await soap11(at(name))).status, name).toBe(200);
    await running.logged(/^WARN Trying to send a 202 Accepted response to an already responded client request/, before);
  });

  it('FORCE_SC_ACCEPTED and a later answer: that is dropped with a WARN', async () => {
    const before = running.records.length;
    expect((await soap11(at('ForcedSend'))).status).toBe(202);
    await running.logged(
      /^WARN Trying to send a response to an already responded client request - Proxy Name : ForcedSend$/,
      before,
    );
    expect(lastReceived()?.url).toBe('/forced');
  });

  it('OUT_ONLY sends in the background, and its failure runs the fault sequence', async () => {
    await soap11(at('OutOnly'));
    await waitFor(() => lastReceived()?.url === '/one-way', { what: 'the one-way request' });
    const before = running.records.length;
    await soap11(at('OutOnlyRefused'));
    await running.logged(/MESSAGE = Executing default 'fault' sequence, ERROR_CODE = 101503/, before);
  });

  it('status and reason are the artifact’s', async () => {
    expect(await soap11(at('Status'))).toMatchObject({ status: 418, reason: 'Short and stout' });
    expect((await soap11(at('Accepted'))).status).toBe(202);
    const before = running.records.length;
    expect((await soap11(at('StatusText'))).status).toBe(200);
    expect(running.lines(before)).toContain(
      'WARN Unable to set the HTTP status code from the property HTTP_SC with value: many',
    );
    const acknowledged = await soap11(at('NioAck'));
    expect(acknowledged).toMatchObject({ status: 203, text: '' });
    expect(acknowledged.headers['x-kept']).toBe('1');
  });

  it('a SOAP fault is 500, or 200 with FAULTS_AS_HTTP_200', async () => {
    expect((await soap11(at('Respond'), FAULT_BODY)).status).toBe(500);
    expect((await soap11(at('Faults200'), FAULT_BODY)).status).toBe(200);
  });

  it('HTTP_ETAG and NO_KEEPALIVE are obeyed', async () => {
    expect((await soap11(at('Etag'))).headers.etag).toMatch(/^".+"$/);
    const agent = new Agent({ keepAlive: true });
    expect((await soap11(at('Closes'), '<a/>', { agent })).headers.connection).toBe('close');
    agent.destroy();
  });
});

describe('the response path', () => {
  it('loopback enters the out-sequence with the headers of the request', async () => {
    const reply = await soap11(at('Loops'));
    expect(reply).toMatchObject({ status: 200, text: envelope('<q xmlns="urn:q">1</q>') });
    expect(reply.headers).toMatchObject({ 'x-in': '1', 'x-out': '1' });
    expect(backEnd.received).toEqual([]);
  });

  it('by key: in-sequence, endpoint, out-sequence', async () => {
    const reply = await soap11(at('ByKey'));
    expect(reply.status).toBe(200);
    expect(lastReceived()).toMatchObject({ url: '/by-key', headers: { 'x-in': '1' } });
    expect(reply.headers).toMatchObject({ 'x-out': '1' });
  });

  it('receive= takes the answer instead of the out-sequence', async () => {
    const reply = await soap11(at('Receives'));
    expect(reply.headers['x-received']).toBe('1');
    expect(reply.headers['x-out']).toBeUndefined();
    const before = running.records.length;
    await soap11(at('ReceivesNothing'));
    expect(running.lines(before)).toContain('WARN Cannot find a Sequence with name: gone for injecting the message');
  });

  it('a receiving sequence may send again', async () => {
    expect((await soap11(at('Twice'))).status).toBe(200);
    expect(backEnd.received).toHaveLength(2);
  });

  it('a failure in it runs the fault sequence with the answer and status 500', async () => {
    const reply = await soap11(at('OutFails'));
    expect(reply.status).toBe(500);
    expect(reply.headers).toMatchObject({ 'x-code': '0', 'x-message': "Sequence named 'gone' cannot be found" });
  });
});

describe('formats', () => {
  const XML = { 'Content-Type': 'application/xml' };

  it('pox: the back end gets plain XML, a SOAP client gets its own version back', async () => {
    const one = await soap11(at('Pox'));
    expect(lastReceived()?.body.toString()).toBe('<q xmlns="urn:q">1</q>');
    expect(lastReceived()?.headers['content-type']).toMatch(/^application\/xml/);
    expect(one.headers['content-type']).toMatch(/^text\/xml/);
    expect(one.text).toMatch(/http:\/\/schemas.xmlsoap.org\/soap\/envelope\/.*<q xmlns="urn:q">1<\/q>/s);
    const two = await soap12(at('Pox'));
    expect(two.headers['content-type']).toMatch(/^application\/soap\+xml/);
    expect(two.text).toMatch(/http:\/\/www.w3.org\/2003\/05\/soap-envelope.*<q xmlns="urn:q">1<\/q>/s);
  });

  it('soap12 and soap11: the back end gets the other version, the client its own', async () => {
    const one = await soap11(at('Soap12'));
    expect(lastReceived()?.headers['content-type']).toMatch(/^application\/soap\+xml/);
    expect(lastReceived()?.body.toString()).toContain('http://www.w3.org/2003/05/soap-envelope');
    expect(one.headers['content-type']).toMatch(/^text\/xml/);
    expect(one.text).toContain('http://schemas.xmlsoap.org/soap/envelope/');
    const two = await soap12(at('Soap11'));
    expect(lastReceived()?.headers).toMatchObject({ soapaction: '"urn:q"' });
    expect(two.headers['content-type']).toMatch(/^application\/soap\+xml/);
    expect(two.text).toContain('http://www.w3.org/2003/05/soap-envelope');
  });

  it('soap11 wraps plain XML for the back end', async () => {
    await call(at('Soap11'), { body: '<q/>', headers: XML });
    expect(lastReceived()).toMatchObject({
      method: 'POST',
      headers: { 'content-type': expect.stringMatching(/^text\/xml/) },
    });
    expect(lastReceived()?.body.toString()).toMatch(/Envelope.*<q\/>/s);
  });
});

describe('faults', () => {
  const told = (reply: Reply) => ({
    code: reply.headers['x-code'],
    base: reply.headers['x-base'],
    state: reply.headers['x-state'],
    message: reply.headers['x-message'],
    cause: reply.headers['x-cause'],
    sending: reply.headers['x-sending'],
  });

  it('without a fault sequence: the default one logs, the client gets 500 as a fault of its kind (REQ-2)', async () => {
    const before = running.records.length;
    const one = await soap11(at('DefaultFault'));
    expect(one.status).toBe(500);
    expect(one.headers['content-type']).toMatch(/^text\/xml/);
    expect(one.text).toContain("Sequence named 'gone' cannot be found");
    const line = await running.logged(/Executing default 'fault' sequence/, before);
    expect(line).toMatch(
      /^ERROR \{proxy:DefaultFault\} To: \/services\/DefaultFault, .*Direction: request, MESSAGE = Executing default 'fault' sequence, ERROR_CODE = 0, ERROR_MESSAGE = Sequence named 'gone' cannot be found, Envelope: /,
    );
    expect((await soap12(at('DefaultFault'))).headers['content-type']).toMatch(/^application\/soap\+xml/);
    const json = await call(at('DefaultFault'), { body: '{}', headers: { 'Content-Type': 'application/json' } });
    expect(JSON.parse(json.text)).toMatchObject({ Fault: { faultstring: expect.stringContaining('gone') } });
    const plain = await call(at('DefaultFault'), { body: '<a/>', headers: { 'Content-Type': 'application/xml' } });
    expect(plain.text).toContain('<Exception>');
  });

  it('a fault sequence answers as it likes', async () => {
    const reply = await soap11(at('FaultResponds'));
    expect(reply.status).toBe(599);
    expect(told(reply)).toMatchObject({ code: '0', message: "Sequence named 'gone' cannot be found", sending: '' });
    expect(await soap11(at('FaultEchoes'))).toMatchObject({ status: 200, text: envelope('<q xmlns="urn:q">1</q>') });
    expect((await soap11(at('FaultDropsStatus'))).status).toBe(503);
    expect((await soap11(at('FaultSends'))).status).toBe(200);
    expect(lastReceived()?.url).toBe('/fallback');
  });

  it('a fault sequence that fails itself leaves the client with 500', async () => {
    const before = running.records.length;
    expect((await soap11(at('FaultFails'))).status).toBe(500);
    await running.logged(/^WARN Exception encountered but no fault handler found - message dropped/, before);
  });

  it.each([
    ['MissingIn', 'Unable to find in-sequence : gone'],
    ['MissingOut', 'Unable to find the out-sequence specified by the name gone'],
    ['MissingEndpoint', 'Unable to find the endpoint specified : gone'],
  ])('%s: %s', async (name, text) => {
    const reply = await soap11(at(name));
    expect(reply.headers['x-message']).toBe(text);
    expect(reply.status).toBe(599);
  });

  it('a fault sequence that does not exist is replaced by the default one', async () => {
    const before = running.records.length;
    expect((await soap11(at('MissingFault'))).status).toBe(500);
    await running.logged(/Executing default 'fault' sequence.*Unable to find in-sequence : gone/, before);
  });

  it('the innermost handler is asked first; if it fails, the next one sees its error', async () => {
    expect((await soap11(at('OnError'))).headers['x-handler']).toBe('1');
    const failed = await soap11(at('OnErrorFails'));
    expect(failed.headers).toMatchObject({
      'x-failed': '1',
      'x-message': "Sequence named 'gone-in-handler' cannot be found",
    });
    const after = await soap11(at('OnErrorAfter'));
    expect(after.headers['x-handler']).toBeUndefined();
    expect(after.headers['x-code']).toBe('0');
  });

  it('a send that fails later still finds the handlers of its sequence and its endpoint', async () => {
    for (const name of ['OnErrorSend', 'EndpointOnError']) {
      const reply = await soap11(at(name));
      expect(reply.headers['x-handler'], name).toBe('1');
      expect(told(reply)).toMatchObject({ code: '101503', sending: 'true' });
    }
  });

  it('acceptance D: connection refused, default fault sequence, 500', async () => {
    const before = running.records.length;
    const reply = await soap11(at('Refused'));
    expect(reply.status).toBe(500);
    expect(reply.elapsedMs).toBeLessThan(AT_ONCE_MS);
    expect(reply.text).toContain('Error connecting to the back end');
    const lines = running.lines(before);
    expect(lines).toContain(`WARN Connection refused or failed for : 127.0.0.1:${refused}`);
    expect(lines.join('\n')).toContain(
      "MESSAGE = Executing default 'fault' sequence, ERROR_CODE = 101503, ERROR_MESSAGE = Error connecting to the back end",
    );
  });

  it('a sequence that calls itself is a fault, at once (REQ-25)', async () => {
    const reply = await soap11(at('Recursive'));
    expect(reply.status).toBe(500);
    expect(reply.text).toContain('nested more than 500 deep');
    expect(reply.elapsedMs).toBeLessThan(AT_ONCE_MS);
  });

  it('an answer that cannot be read is no mistake of the client', async () => {
    backEnd.answer = () => ({ headers: { 'Content-Type': 'application/xml' }, body: '<broken' });
    expect((await soap11(at('OutLooks'))).status).toBe(500);
  });

  it('the ERROR_* properties say what happened', async () => {
    expect(told(await soap11(at('RefusedTold')))).toEqual({
      code: '101503',
      base: '101503',
      state: '0',
      message: 'Error connecting to the back end',
      cause: 'refused',
      sending: 'true',
    });
  });

  it('a suspended endpoint fails at once with 303001', async () => {
    expect(told(await soap11(at('Suspending'))).code).toBe('101503');
    const second = await soap11(at('Suspending'));
    expect(told(second)).toMatchObject({ code: '303001', base: '', state: '', sending: 'true' });
    expect(second.elapsedMs).toBeLessThan(AT_ONCE_MS);
  });
});

describe('a back end that does not answer in time', () => {
  it('responseAction fault: the fault sequence answers', async () => {
    const reply = await soap11(at('TimeoutFault'));
    expect(reply.status).toBe(599);
    expect(reply.headers).toMatchObject({ 'x-code': '101504', 'x-message': 'Send timeout', 'x-cause': 'read-timeout' });
    expect(reply.elapsedMs).toBeGreaterThan(140);
    expect(reply.elapsedMs).toBeLessThan(AT_ONCE_MS);
  });

  it('responseAction fault with a fault sequence that drops: 504', async () => {
    expect((await soap11(at('TimeoutFaultDrops'))).status).toBe(504);
  });

  it.each(['TimeoutDiscard', 'TimeoutNone'])('%s: 504, and no fault sequence runs (REQ-3)', async (name) => {
    const before = running.records.length;
    const reply = await soap11(at(name));
    expect(reply.status).toBe(504);
    expect(reply.elapsedMs).toBeLessThan(AT_ONCE_MS);
    await delay(50);
    const lines = running.lines(before);
    expect(lines.filter((line) => line.includes('handled'))).toEqual([]);
    expect(lines.join('\n')).toContain(
      `dropping message after ENDPOINT_TIMEOUT of : 0.15 seconds for AnonymousEndpoint`,
    );
  });

  it('discard is about timeouts only: a refused connection runs the fault sequence', async () => {
    expect((await soap11(at('DiscardRefused'))).headers['x-code']).toBe('101503');
  });
});

describe('what is not there', () => {
  it('acceptance C: an unknown service is 404 and empty, with the line of the main sequence', async () => {
    const before = running.records.length;
    const reply = await call(running.url('/services/Nope'));
    expect(reply).toMatchObject({ status: 404, text: '' });
    expect(running.lines(before)).toContain('INFO main sequence executed for call to non-existent = /services/Nope');
    expect(await soap11(at('Nope'))).toMatchObject({ status: 404, text: '' });
    expect((await call(running.url('/anything/else?x'))).status).toBe(404);
  });

  it('a proxy on https only is not found on http', async () => {
    const reply = await soap11(at('HttpsOnly'));
    expect(reply.status).toBe(500);
    expect(reply.text).toContain('The service cannot be found for the endpoint reference (EPR) /services/HttpsOnly');
    expect((await soap11(running.service('HttpsOnly', 'https'))).status).toBe(200);
    for (const scheme of ['http', 'https'] as const)
      expect((await soap11(running.service('Both', scheme))).status).toBe(200);
  });

  it('acceptance E: startOnLoad=false is 500 with a SOAP fault, until it is started over the management API', async () => {
    for (const [client, type] of [
      [soap11, /^text\/xml/],
      [soap12, /^application\/soap\+xml/],
    ] as const) {
      const reply = await client(at('Stopped'));
      expect(reply.status).toBe(500);
      expect(reply.headers['content-type']).toMatch(type);
      expect(reply.text).toContain('The system is attempting to access an inactive service: Stopped');
    }
    const change = (status: string) =>
      call(running.management('/management/proxy-services'), { body: JSON.stringify({ name: 'Stopped', status }) });
    expect(JSON.parse((await change('active')).text)).toEqual({
      Message: 'Proxy service Stopped started successfully',
    });
    expect((await soap11(at('Stopped'))).status).toBe(200);
    expect(JSON.parse((await change('inactive')).text)).toEqual({
      Message: 'Proxy service Stopped stopped successfully',
    });
    expect((await soap11(at('Stopped'))).status).toBe(500);
  });

  it('a method that HTTP does not know is 501', async () => {
    expect((await call(at('Respond'), { method: 'PROPFIND' })).status).toBe(501);
  });
});

describe('?wsdl', () => {
  const wsdlOf = async (name: string, query = 'wsdl') => {
    const reply = await call(`${at(name)}?${query}`);
    expect(reply.status).toBe(200);
    expect(reply.headers['content-type']).toMatch(/^text\/xml/);
    return reply.text;
  };

  it('is generated when none is given, with the addresses of both transports', async () => {
    const text = await wsdlOf('Respond');
    expect(text).toMatch(/<(\w+:)?definitions/);
    expect(text).toContain(`location="${at('Respond')}.RespondHttpSoap11Endpoint"`);
    expect(text).toContain(`location="${running.service('Respond', 'https')}.RespondHttpsSoap12Endpoint"`);
    expect((await soap11(`${at('Respond')}.RespondHttpSoap11Endpoint`)).status).toBe(200);
    expect(text).toContain('mediate');
    expect(await wsdlOf('Both', 'WSDL')).toContain('mediate');
  });

  it.each(['WsdlInline', 'WsdlByKey', 'WsdlByUri', 'WsdlByEndpoint'])(
    '%s: the given one, with our address',
    async (name) => {
      backEnd.answer = ({ url }) =>
        url.endsWith('?wsdl') ? { body: wsdl('Fetched'), headers: { 'Content-Type': 'text/xml' } } : {};
      const text = await wsdlOf(name);
      expect(text).toContain(`location="${at(name)}"`);
      expect(text).not.toContain('elsewhere');
    },
  );

  it('keeps its address when the artifact wants that', async () => {
    expect(await wsdlOf('WsdlOriginal')).toContain('location="http://elsewhere/S"');
  });

  it('has its schemas beside it', async () => {
    expect(await wsdlOf('WsdlByKey')).toContain('types.xsd');
    expect(await wsdlOf('WsdlByKey', 'xsd=types.xsd')).toContain('the-types');
    expect((await call(`${at('WsdlByKey')}?xsd=other.xsd`)).status).toBe(404);
  });

  it('is an error with a reason when it cannot be had; the service itself works', async () => {
    const reply = await call(`${at('WsdlGone')}?wsdl`);
    expect(reply.status).toBe(500);
    expect(reply.text).toContain('Error connecting to the back end');
    expect((await soap11(at('WsdlGone'))).status).toBe(200);
  });

  it('wsdl2 says that there is none', async () => {
    const reply = await call(`${at('Respond')}?wsdl2`);
    expect(reply.status).toBe(500);
    expect(reply.text).toContain('No WSDL was provided for the Service Respond. A WSDL cannot be generated.');
  });

  it('is an ordinary request when the query only resembles it, or the method has a body', async () => {
    await call(`${at('Through')}?wsdlx=1`);
    await call(`${at('Through')}?a=1&wsdl`);
    await call(`${at('Through')}?wsdl`, { body: 'x', headers: { 'Content-Type': 'text/plain' } });
    expect(backEnd.received.map(({ url }) => url)).toEqual(['/svc?wsdlx=1', '/svc?a=1&wsdl', '/svc?wsdl']);
  });

  it('of an unknown service is an ordinary request too', async () => {
    expect((await call(`${at('Nope')}?wsdl`)).status).toBe(404);
  });

  it('stands in the list of services', async () => {
    const reply = await call(running.url('/services'));
    expect(reply.status).toBe(200);
    expect(reply.text).toContain(`${at('Respond')}?wsdl`);
    expect((await call(running.url('/favicon.ico'))).status).toBe(404);
  });
});

describe('log lines of a flow', () => {
  it('acceptance H: a full line of a JSON request', async () => {
    const before = running.records.length;
    await call(at('FullLog'), { body: '{"a":1}', headers: { 'Content-Type': 'application/json', activityid: 'c-1' } });
    const line = await running.logged(/\{proxy:FullLog\}/, before);
    expect(line).toMatch(
      /^INFO \{proxy:FullLog\} To: \/services\/FullLog, MessageID: urn:uuid:[\w-]+, correlation_id: c-1, Direction: request, Payload: \{"a":1\}$/,
    );
  });

  it('a simple line of a SOAP request', async () => {
    const before = running.records.length;
    await soap11(at('SimpleLog'), '<q/>', { headers: { activityid: 'c-2' } });
    expect(await running.logged(/\{proxy:SimpleLog\}/, before)).toMatch(
      /^INFO \{proxy:SimpleLog\} To: \/services\/SimpleLog, WSAction: urn:q, SOAPAction: urn:q, MessageID: urn:uuid:[\w-]+, correlation_id: c-2, Direction: request$/,
    );
  });
});

describe('the global timeout', () => {
  it('ends a send that has none of its own: 504, whatever the flow is', async () => {
    const slow = await serve(
      {
        Slow: proxy('Slow', `<endpoint><address uri="${backEnd.url}/slow"/></endpoint>`),
        SlowMain: `<sequence name="main"><send><endpoint><address uri="${backEnd.url}/slow"/></endpoint></send></sequence>`,
      },
      '[mediation]\n"synapse.global_timeout_interval" = 200\n',
    );
    try {
      for (const name of ['Slow', 'Nope']) {
        const reply = await soap11(slow.service(name));
        expect(reply.status, name).toBe(504);
        expect(reply.elapsedMs, name).toBeLessThan(AT_ONCE_MS);
      }
      expect(slow.lines().join('\n')).toContain('dropping message after GLOBAL_TIMEOUT of : 0.2 seconds');
    } finally {
      await slow.stop();
    }
  });
});
