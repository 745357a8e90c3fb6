import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { problemLines } from '../mediation/harness.ts';
import { type EchoBackEnd, echoBackEnd } from '../support/echo-back-end.ts';
import { type InProcess, inOnly, serve } from '../support/in-process.ts';

let backEnd: EchoBackEnd;
let running: InProcess | undefined;
beforeAll(async () => {
  backEnd = await echoBackEnd();
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
  backEnd.received.length = 0;
  backEnd.answer = () => ({});
});
afterAll(() => backEnd.close());

const connection = (more = '') =>
  `<localEntry key="Conn"><http.init><connectionType>HTTP</connectionType><baseUrl>${backEnd.url}/base/</baseUrl>` +
  `<timeoutDuration>5000</timeoutDuration>${more}<name>Conn</name></http.init></localEntry>`;

async function call(mediators: string, entry = connection(), body = '{"id":7}') {
  running = await serve({ conn: entry, p: inOnly('P', `${mediators}<respond/>`) });
  const response = await fetch(running.service('P'), {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
  });
  return { status: response.status, text: await response.text() };
}

/** As the tooling writes it. */
const SWITCHES = `<forceScAccepted>false</forceScAccepted><disableChunking>false</disableChunking><forceHttp10>false</forceHttp10>
  <noKeepAlive>false</noKeepAlive><forcePostPutNobody>false</forcePostPutNobody>`;

describe('http operations', () => {
  test('get asks the base URL with the relative path, headers and no body; the answer becomes the payload', async () => {
    backEnd.answer = () => ({ status: 200, headers: { 'content-type': 'application/json' }, body: '{"ok":true}' });
    const { status, text } = await call(
      `<http.get configKey="Conn"><relativePath>/items/\${payload.id}?full=1</relativePath>
         <headers>[["X-Id","\${payload.id}"],["Accept","application/json"],]</headers>${SWITCHES}</http.get>`,
    );
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual({ ok: true });
    const [request] = backEnd.received;
    expect(request).toMatchObject({ method: 'GET', url: '/base/items/7?full=1' });
    expect(request?.headers).toMatchObject({ 'x-id': '7', accept: 'application/json' });
    expect(request?.body.length).toBe(0);
  });

  test('post sends the request body; the answer goes to the response variable and the payload stays', async () => {
    backEnd.answer = () => ({ status: 201, headers: { 'content-type': 'application/json' }, body: '{"made":3}' });
    const { text } = await call(
      `<http.post configKey="Conn"><relativePath>/items</relativePath><headers>[]</headers><requestBodyType>JSON</requestBodyType>
         <requestBodyJson>{"name": "n", "id": \${payload.id}}</requestBodyJson>${SWITCHES}
         <responseVariable>answer</responseVariable><overwriteBody>false</overwriteBody></http.post>
       <payloadFactory media-type="json"><format>{"mine": \${payload.id}, "made": \${vars.answer.payload.made}, "status": \${vars.answer.attributes.statusCode}}</format></payloadFactory>`,
    );
    expect(JSON.parse(text)).toEqual({ mine: 7, made: 3, status: 201 });
    const [request] = backEnd.received;
    expect(request?.headers['content-type']).toMatch(/^application\/json/);
    expect(JSON.parse(request?.body.toString() ?? '')).toEqual({ name: 'n', id: 7 });
  });

  test('with overwriteBody the answer becomes the payload, too', async () => {
    backEnd.answer = () => ({ status: 200, headers: { 'content-type': 'application/json' }, body: '{"a":1}' });
    const { text } = await call(
      `<http.put configKey="Conn"><relativePath>/x</relativePath><requestBodyType>JSON</requestBodyType>
         <requestBodyJson>{\${payload}}</requestBodyJson><responseVariable>v</responseVariable><overwriteBody>true</overwriteBody></http.put>
       <payloadFactory media-type="json"><format>{"body": \${payload}, "inVariable": \${exists(vars.v.payload)}}</format></payloadFactory>`,
    );
    expect(JSON.parse(text)).toEqual({ body: { a: 1 }, inVariable: false });
    expect(backEnd.received[0]).toMatchObject({ method: 'PUT' });
    expect(backEnd.received[0]?.body.toString()).toBe('{"id":7}');
  });

  test.each(['patch', 'delete', 'head', 'options'])('%s', async (method) => {
    await call(`<http.${method} configKey="Conn"><relativePath>/x</relativePath></http.${method}>`);
    expect(backEnd.received[0]).toMatchObject({ method: method.toUpperCase(), url: '/base/x' });
  });

  test('XML and text bodies, and basic authentication', async () => {
    const auth =
      '<authType>Basic Auth</authType><basicCredentialsUsername>u</basicCredentialsUsername><basicCredentialsPassword>p:w</basicCredentialsPassword>';
    await call(
      `<http.post configKey="Conn"><relativePath>/x</relativePath><requestBodyType>XML</requestBodyType>
         <requestBodyXml><order xmlns=""><id>\${payload.id}</id></order></requestBodyXml></http.post>
       <http.post configKey="Conn"><relativePath>/t</relativePath><requestBodyType>TEXT</requestBodyType>
         <requestBodyText>costs $5</requestBodyText></http.post>`,
      connection(auth),
    );
    const [xml, text] = backEnd.received;
    expect(xml?.headers['content-type']).toMatch(/^application\/xml/);
    expect(xml?.body.toString()).toMatch(/<order( xmlns="")?><id>7<\/id><\/order>/);
    expect(xml?.headers.authorization).toBe(`Basic ${Buffer.from('u:p:w').toString('base64')}`);
    expect(text?.headers['content-type']).toMatch(/^text\/plain/);
    expect(text?.body.toString()).toBe('costs $5');
  });

  test('a back end that does not answer in time is a fault, and the message is what it was', async () => {
    backEnd.answer = () => ({ silent: true });
    const fault =
      '<payloadFactory media-type="json"><format>{"kept": $1}</format><args><arg expression="json-eval($.id)" evaluator="json"/></args></payloadFactory><respond/>';
    const entry = connection().replace('5000', '100').replace('<name>', '<timeoutAction>Fault</timeoutAction><name>');
    running = await serve({
      conn: entry,
      p: inOnly(
        'P',
        '<http.get configKey="Conn"><relativePath>/x</relativePath></http.get>',
        `<faultSequence>${fault}</faultSequence>`,
      ),
    });
    const response = await fetch(running.service('P'), {
      method: 'POST',
      body: '{"id":7}',
      headers: { 'content-type': 'application/json' },
    });
    expect(await response.json()).toEqual({ kept: 7 });
  });

  test.each([
    ['<http.get><relativePath>/x</relativePath></http.get>', /http\.get needs a connection/],
    [
      '<http.get configKey="Nope"><relativePath>/x</relativePath></http.get>',
      /The connection 'Nope' of <http.get> cannot be found/,
    ],
    ['<http.get configKey="Conn"><headers>no</headers></http.get>', /The headers of http.get are no JSON/],
  ])('%s is a fault', async (mediators, text) => {
    await call(mediators);
    await running?.logged(text);
  });

  test('an authentication that is not supported is a fault that says so', async () => {
    await call('<http.get configKey="Conn"/>', connection('<authType>OAuth</authType>'));
    await running?.logged(/asks for the authentication 'oauth', which is not supported/);
  });

  test('misspelt parameters are warned about', () => {
    expect(problemLines('<http.get configKey="C"><relativPath>/x</relativPath></http.get>')).toEqual([
      'warning: unknown element <relativPath> inside <http.get> is ignored',
    ]);
  });
});
