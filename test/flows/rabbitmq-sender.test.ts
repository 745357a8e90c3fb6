import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChannelModel, connect } from 'amqplib';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { CORPUS } from '../support/corpus-table.ts';
import { type InProcess, serve } from '../support/in-process.ts';
import { findOrInstall, rabbitmq } from '../support/servers/index.ts';
import type { RabbitMqBroker } from '../support/servers/rabbitmq.ts';

/* `rabbitmq:` addresses: one way, with answers, and what is told when there is no broker, no queue or no answer. */

const server = await findOrInstall(rabbitmq);

server.describe('sending to RabbitMQ', () => {
  let broker: RabbitMqBroker;
  let model: ChannelModel;
  let running: InProcess | undefined;
  beforeAll(async () => {
    broker = await server.start();
    model = await connect({ hostname: '127.0.0.1', port: broker.port });
    model.on('error', () => undefined);
  });
  afterAll(async () => {
    await model.close();
    await broker.close();
  });
  afterEach(async () => {
    await running?.stop();
    running = undefined;
  });

  const address = (name: string, parameters: Readonly<Record<string, string>> = {}) =>
    `rabbitmq:/${name}?${Object.entries({
      'rabbitmq.server.host.name': '127.0.0.1',
      'rabbitmq.server.port': String(broker.port),
      ...parameters,
    })
      .map(([key, value]) => `${key}=${value}`)
      .join('&amp;')}`;
  const proxy = (inside: string) =>
    `<proxy xmlns="http://ws.apache.org/ns/synapse" name="P"><target><inSequence>${inside}</inSequence><faultSequence><payloadFactory media-type="json"><format>{"code":"$1","why":"$2"}</format><args><arg expression="get-property('ERROR_CODE')"/><arg expression="get-property('ERROR_MESSAGE')"/></args></payloadFactory><property name="HTTP_SC" value="500" scope="axis2"/><respond/></faultSequence></target></proxy>`;
  const oneWay = (uri: string) =>
    proxy(
      `<property name="OUT_ONLY" value="true"/><call blocking="true"><endpoint><address uri="${uri}"/></endpoint></call><payloadFactory media-type="json"><format>{"sent":true}</format><args/></payloadFactory><respond/>`,
    );
  const twoWay = (uri: string) =>
    proxy(
      `<call><endpoint><address uri="${uri}"><timeout><duration>2000</duration><responseAction>fault</responseAction></timeout></address></endpoint></call><respond/>`,
    );
  const post = async (body: string, headers: Record<string, string> = { 'Content-Type': 'application/json' }) => {
    const answer = await fetch(running?.service('P') ?? '', { method: 'POST', body, headers });
    return { status: answer.status, text: await answer.text() };
  };
  /** The next message of a queue. */
  async function taken(queue: string) {
    const channel = await model.createChannel();
    channel.on('error', () => undefined);
    try {
      return await channel.get(queue, { noAck: true });
    } finally {
      await channel.close();
    }
  }

  it('a message is in the queue, with its media type and headers, when the flow goes on', async () => {
    running = await serve({ P: oneWay(address('orders')) });
    expect(await post('{"n":1}', { 'Content-Type': 'application/json', 'X-Mine': 'yes' })).toEqual({
      status: 200,
      text: '{"sent":true}',
    });
    const got = await taken('orders');
    expect(got && { body: got.content.toString(), properties: got.properties }).toMatchObject({
      body: '{"n":1}',
      properties: {
        contentType: expect.stringMatching(/^application\/json/),
        deliveryMode: 2,
        headers: expect.objectContaining({ 'X-Mine': 'yes' }),
      },
    });
  });

  it('an exchange of any type is declared, and bound where a queue is named', async () => {
    const uri = address('x', {
      'rabbitmq.exchange.name': 'prices',
      'rabbitmq.exchange.type': 'topic',
      'rabbitmq.queue.name': 'ibm',
      'rabbitmq.queue.routing.key': 'prices.ibm',
    });
    running = await serve({ P: oneWay(uri) });
    expect((await post('{"n":2}')).status).toBe(200);
    const got = await taken('ibm');
    expect(got && [got.content.toString(), got.fields.exchange, got.fields.routingKey]).toEqual([
      '{"n":2}',
      'prices',
      'prices.ibm',
    ]);
  });

  it('an artifact of the corpus runs as it is, but for the port', async ({ skip }) => {
    if (CORPUS === undefined) return skip('the open corpus is not beside this repository');
    const xml = readFileSync(join(CORPUS, 'definitions/rabbitmq_endpoint_proxy-02284c.xml'), 'utf8');
    running = await serve({
      corpus: xml.replaceAll('rabbitmq.server.port=5672', `rabbitmq.server.port=${broker.port}`),
    });
    const channel = await model.createChannel();
    await channel.assertQueue('queue1', { durable: true });
    const body = new Promise((resolve) => {
      void channel.consume('queue1', (message) => resolve(message?.content.toString()), { noAck: true });
    });
    const url = running.service('RabbitMQProducerProxy');
    const answer = await fetch(url, { method: 'POST', body: '<a/>', headers: { 'Content-Type': 'application/xml' } });
    expect(answer.status).toBe(202);
    expect(await body).toBe('<a/>');
    await channel.close();
  });

  it.each([
    ['to the sender itself', {}],
    ['to the queue that the address names', { 'rabbitmq.replyto.name': 'answers' }],
  ])('answers come %s, each to who asked, whatever their order', async (_, parameters) => {
    running = await serve({ P: twoWay(address('questions', parameters)) });
    const channel = await model.createChannel();
    await channel.assertQueue('questions', { durable: true });
    const asked: Array<() => void> = [];
    await channel.consume('questions', (message) => {
      if (!message) return;
      channel.ack(message);
      const { replyTo, correlationId } = message.properties;
      asked.push(() =>
        channel.sendToQueue(replyTo, Buffer.from(`{"to":${message.content}}`), {
          correlationId,
          contentType: 'application/json',
        }),
      );
      // The second one is answered first.
      if (asked.length === 2) for (const answer of asked.toReversed()) answer();
    });
    const answers = await Promise.all(['1', '2'].map((body) => post(body)));
    expect(answers).toEqual([
      { status: 200, text: '{"to":1}' },
      { status: 200, text: '{"to":2}' },
    ]);
    await channel.close();
  });

  it('no answer in time is a fault', async () => {
    running = await serve({ P: twoWay(address('silence')) });
    const { status, text } = await post('{}');
    expect(status).toBe(500);
    expect(JSON.parse(text)).toEqual({ code: '101504', why: 'no answer within 2000 ms' });
  });

  it('a message that no queue takes is a fault, not lost', async () => {
    const parameters = { 'rabbitmq.exchange.name': 'amq.topic', 'rabbitmq.queue.routing.key': 'nobody' };
    running = await serve({ P: oneWay(address('', parameters)) });
    const { status, text } = await post('{}');
    expect(status).toBe(500);
    expect(JSON.parse(text).why).toBe(
      'Unable to send to the RabbitMQ exchange amq.topic: no queue takes it (312 NO_ROUTE)',
    );
  });

  it('an address that cannot be used says why', async () => {
    running = await serve({ P: oneWay(address('q', { 'rabbitmq.exchange.type': 'sideways' })) });
    expect(JSON.parse((await post('{}')).text).why).toBe(
      "The RabbitMQ address cannot be used: rabbitmq.exchange.type is 'sideways', expected one of: direct, topic, fanout, headers",
    );
  });

  it('without a broker sends fail until it is back', async () => {
    running = await serve({ P: oneWay(address('later')) }, '[mini_synapse]\nstore_deadline_ms = 1500\n');
    expect((await post('{"n":1}')).status).toBe(200);
    await broker.kill();
    const { status, text } = await post('{"n":2}');
    expect(status).toBe(500);
    expect(JSON.parse(text)).toMatchObject({
      code: '101503',
      why: expect.stringMatching(/^Unable to send to the RabbitMQ queue later: /),
    });
    await broker.restart();
    await expect.poll(async () => (await post('{"n":3}')).status, { timeout: 30_000 }).toBe(200);
    model = await connect({ hostname: '127.0.0.1', port: broker.port });
    model.on('error', () => undefined);
    expect((await taken('later')) && true).toBe(true);
  }, 90_000);
});
