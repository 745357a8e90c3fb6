import { createServer, type Server } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { beforeEach, describe, expect, it } from 'vitest';
import { afterTheTest } from '../support/clean-up.ts';
import { freePorts } from '../support/free-ports.ts';
import { call, type Reply } from '../support/http-call.ts';
import { type InProcess, inOnly, proxy, serve } from '../support/in-process.ts';
import { waitFor } from '../support/wait-for.ts';

/* Load-balance, failover and recipient-list endpoints against real back ends that come and go. */

/** Long enough to be seen, short enough to be waited for, ms. */
const SUSPENDED_MS = 300;

/** A back end on a port of its own that answers with its name, and that can be switched off. */
class BackEnd {
  readonly name: string;
  readonly port: number;
  readonly received: string[] = [];
  cookie: string | undefined;
  #server: Server | undefined;

  constructor(name: string, port: number) {
    this.name = name;
    this.port = port;
  }

  async start(): Promise<void> {
    if (this.#server) return;
    const server = createServer(async (request, response) => {
      this.received.push((await buffer(request)).toString());
      const known = request.headers.cookie !== undefined;
      if (this.cookie !== undefined && !known) response.setHeader('Set-Cookie', `${this.cookie}; Path=/`);
      response.writeHead(200, { 'Content-Type': 'text/plain' }).end(this.name);
    });
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await new Promise<void>((resolve) => {
      if (!server) return resolve();
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }
}

const onCleanUp = afterTheTest();
const BACK_ENDS: BackEnd[] = [];
let running: InProcess;

const SUSPENSION = `<suspendOnFailure><initialDuration>${SUSPENDED_MS}</initialDuration></suspendOnFailure>`;
const child = ({ name, port }: BackEnd) =>
  `<endpoint name="${name}"><address uri="http://127.0.0.1:${port}/s">${SUSPENSION}</address></endpoint>`;
const children = () => BACK_ENDS.map(child).join('');
const templateChild = ({ name, port }: BackEnd) =>
  `<endpoint name="${name}" template="Suspended" uri="http://127.0.0.1:${port}/s"><parameter name="wait" value="${SUSPENDED_MS}"/></endpoint>`;
const TELL = `<property name="X-Code" expression="get-property('ERROR_CODE')" scope="transport"/>
  <property name="X-Detail" expression="get-property('ERROR_DETAIL')" scope="transport"/>
  <property name="HTTP_SC" value="599" scope="axis2"/><respond/>`;

function artifacts(): Record<string, string> {
  const group = (name: string, inside: string, attributes = '') =>
    proxy(name, `<inSequence><send><endpoint name="${name}">${inside}</endpoint></send></inSequence>${attributes}`);
  const telling = `<faultSequence>${TELL}</faultSequence>`;
  const addresses = BACK_ENDS.map(({ port }) => `http://127.0.0.1:${port}/listed`).join(',');
  return {
    'proxy-services/Balanced': group('Balanced', `<loadbalance>${children()}</loadbalance>`, telling),
    'proxy-services/FailingOver': group('FailingOver', `<failover>${children()}</failover>`, telling),
    'proxy-services/Sticky': group('Sticky', `<loadbalance>${children()}</loadbalance><session type="http"/>`),
    'proxy-services/ToAll': group('ToAll', `<recipientlist>${children()}</recipientlist>`, telling),
    'proxy-services/ToListed': inOnly(
      'ToListed',
      `<property name="EP_LIST" value="${addresses}"/><property name="OUT_ONLY" value="true"/>
       <property name="FORCE_SC_ACCEPTED" value="true" scope="axis2"/>
       <send><endpoint><recipientlist><endpoints value="{get-property('EP_LIST')}" max-cache="20"/></recipientlist></endpoint></send>`,
    ),
    'proxy-services/ByTemplate': group('ByTemplate', `<failover>${BACK_ENDS.map(templateChild).join('')}</failover>`),
    'templates/Suspended': `<template name="Suspended"><parameter name="wait"/><endpoint name="$name"><address uri="$uri">
      <suspendOnFailure><initialDuration>$wait</initialDuration></suspendOnFailure></address></endpoint></template>`,
    'proxy-services/ByKey': proxy('ByKey', '<endpoint key="Group"/>'),
    'endpoints/Group': `<endpoint name="Group"><failover><endpoint key="First"/><endpoint key="Second"/></failover></endpoint>`,
    'endpoints/First': child(BACK_ENDS[0] as BackEnd).replace('name="a"', 'name="First"'),
    'endpoints/Second': child(BACK_ENDS[1] as BackEnd).replace('name="b"', 'name="Second"'),
  };
}

beforeEach(async () => {
  BACK_ENDS.length = 0;
  BACK_ENDS.push(...(await freePorts(3)).map((port, index) => new BackEnd('abc'[index] ?? '?', port)));
  for (const backEnd of BACK_ENDS) {
    onCleanUp(`back end ${backEnd.name}`, () => backEnd.stop());
    await backEnd.start();
  }
  running = await serve(artifacts());
  onCleanUp('the server', () => running.stop());
});

function post(name: string, headers: Record<string, string> = {}, body = '<order/>'): Promise<Reply> {
  return call(running.service(name), { body, headers: { 'Content-Type': 'application/xml', ...headers } });
}

async function send(name: string, count: number): Promise<Reply[]> {
  const replies: Reply[] = [];
  for (let number = 0; number < count; number += 1) replies.push(await post(name));
  return replies;
}

const texts = (replies: readonly Reply[]) => replies.map(({ text }) => text).join('');
const [a, b, c] = [() => BACK_ENDS[0] as BackEnd, () => BACK_ENDS[1] as BackEnd, () => BACK_ENDS[2] as BackEnd];

describe('load balancing', () => {
  it('goes round; when a back end stops no client notices, and when it is back it gets its share', async () => {
    expect(texts(await send('Balanced', 6))).toBe('abcabc');
    await b().stop();
    const during = texts(await send('Balanced', 12));
    expect(during).toMatch(/^[ac]{12}$/);
    expect(during).toContain('a');
    expect(during).toContain('c');
    await b().start();
    await waitFor(async () => texts(await send('Balanced', 1)) === 'b', {
      what: 'the stopped back end to be used again',
    });
  });

  it('keeps a client with the back end that gave it a session', async () => {
    for (const backEnd of BACK_ENDS) backEnd.cookie = `JSESSIONID=of-${backEnd.name}`;
    const first = await post('Sticky');
    const cookie = String(first.headers['set-cookie']?.[0]?.split(';')[0]);
    expect(cookie).toBe(`JSESSIONID=of-${first.text}`);
    for (let more = 0; more < 6; more += 1) expect((await post('Sticky', { Cookie: cookie })).text).toBe(first.text);
    const owner = BACK_ENDS.find(({ name }) => name === first.text);
    await owner?.stop();
    const moved = await post('Sticky', { Cookie: cookie });
    expect(moved.text).not.toBe(first.text);
    for (let more = 0; more < 3; more += 1) expect((await post('Sticky', { Cookie: cookie })).text).toBe(moved.text);
  });
});

describe('failover', () => {
  it('uses the first back end that is up, with the message as it came', async () => {
    expect(texts(await send('FailingOver', 2))).toBe('aa');
    await a().stop();
    const body = '<order>ä \u{1F600}</order>';
    expect((await post('FailingOver', {}, body)).text).toBe('b');
    expect(b().received).toEqual([body]);
    await b().stop();
    expect(texts(await send('FailingOver', 2))).toBe('cc');
    await a().start();
    await waitFor(async () => texts(await send('FailingOver', 1)) === 'a', {
      what: 'the first back end to be used again',
    });
  });

  it('with nobody there runs the fault sequence once, with 303000 and what was behind it', async () => {
    await Promise.all(BACK_ENDS.map((backEnd) => backEnd.stop()));
    const before = running.records.length;
    const [reply, again] = await send('FailingOver', 2);
    expect(reply).toMatchObject({ status: 599, headers: { 'x-code': '303000' } });
    expect(reply?.headers['x-detail']).toContain('Error connecting to the back end');
    expect(again).toMatchObject({ status: 599, headers: { 'x-code': '303000' } });
    const lines = running.lines(before).filter((line) => /Detect a Failure/.test(line));
    expect(lines).toEqual([
      'WARN Endpoint [FailingOver] Detect a Failure in a child endpoint : Endpoint [a]',
      'WARN Endpoint [FailingOver] Detect a Failure in a child endpoint : Endpoint [b]',
      'WARN Endpoint [FailingOver] Detect a Failure in a child endpoint : Endpoint [c]',
    ]);
  });

  it('works by keys, as an artifact of its own', async () => {
    expect((await post('ByKey')).text).toBe('a');
    await a().stop();
    expect((await post('ByKey')).text).toBe('b');
  });
});

describe('a group of endpoints made of a template', () => {
  it('fails over like any other', async () => {
    expect((await post('ByTemplate')).text).toBe('a');
    await a().stop();
    expect(texts(await send('ByTemplate', 2))).toBe('bb');
    expect(running.lines().filter((line) => /ERROR/.test(line))).toEqual([]);
  });
});

describe('recipient list', () => {
  it('brings a copy to everyone; the client gets one of the answers', async () => {
    const reply = await post('ToAll');
    expect(['a', 'b', 'c']).toContain(reply.text);
    await waitFor(() => BACK_ENDS.every(({ received }) => received.length === 1), { what: 'all copies' });
    expect(BACK_ENDS.map(({ received }) => received)).toEqual([['<order/>'], ['<order/>'], ['<order/>']]);
  });

  it('with one back end down still serves the others, and tells of the one', async () => {
    await c().stop();
    const before = running.records.length;
    expect((await post('ToAll')).text).toMatch(/^[ab]$/);
    await running.logged(/WARN Endpoint \[ToAll\] Detect a Failure in a child endpoint : Endpoint \[c\]/, before);
    await waitFor(() => a().received.length === 1 && b().received.length === 1, { what: 'the other copies' });
  });

  it('with nobody there fails with 303000', async () => {
    await Promise.all(BACK_ENDS.map((backEnd) => backEnd.stop()));
    expect(await post('ToAll')).toMatchObject({ status: 599, headers: { 'x-code': '303000' } });
  });

  it('one-way, with the addresses in a property, as sample 61 has it', async () => {
    expect((await post('ToListed')).status).toBe(202);
    await waitFor(() => BACK_ENDS.every(({ received }) => received.length === 1), { what: 'all copies' });
  });
});
