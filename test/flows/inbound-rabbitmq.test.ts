import { type ChannelModel, connect } from 'amqplib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inboundArtifact, queueSuite, serving } from '../inbound/queue-suite.ts';
import { findOrInstall, rabbitmq } from '../support/servers/index.ts';
import type { RabbitMqBroker } from '../support/servers/rabbitmq.ts';
import { waitFor } from '../support/wait-for.ts';

const server = await findOrInstall(rabbitmq);

server.describe('a RabbitMQ inbound endpoint', () => {
  let broker: RabbitMqBroker;
  beforeAll(async () => {
    broker = await server.start();
  });
  afterAll(() => broker.close());

  async function peeking<T>(look: (model: ChannelModel) => Promise<T>): Promise<T> {
    const model = await connect({ hostname: '127.0.0.1', port: broker.port });
    model.on('error', () => undefined);
    try {
      return await look(model);
    } finally {
      await model.close();
    }
  }

  const send = (queue: string, bodies: readonly string[], options: { contentType?: string } = {}) =>
    peeking(async (model) => {
      const channel = await model.createConfirmChannel();
      await channel.assertQueue(queue);
      for (const body of bodies) channel.sendToQueue(queue, Buffer.from(body), { persistent: true, ...options });
      await channel.waitForConfirms();
    });

  const parameters = (queue: string) => ({
    'rabbitmq.connection.factory': 'AMQPConnectionFactory',
    'rabbitmq.server.host.name': '127.0.0.1',
    'rabbitmq.server.port': String(broker.port),
    'rabbitmq.queue.name': queue,
    sequential: 'true',
  });

  /** Waiting and in consumers' hands: of those in hand the broker tells nothing, so it is asked until nothing is delivered. */
  const count = (queue: string) =>
    peeking(async (model) => {
      const channel = await model.createChannel();
      return (await channel.checkQueue(queue)).messageCount;
    });

  queueSuite({
    protocol: 'rabbitmq',
    parameters,
    send: (queue, body) => send(queue, [body]),
    sendAll: send,
    count,
    // RabbitMQ writes acknowledgements of classic queues to its disk later than it takes them.
    repeatsPerKill: 200,
    kill: () => broker.kill(),
    restart: () => broker.restart(),
  });

  it('binds its queue to an exchange, and takes a message without a media type for what the artifact says', async () => {
    await serving(
      {
        i: inboundArtifact('rabbitmq', {
          ...parameters('bound'),
          'rabbitmq.exchange.name': 'prices',
          'rabbitmq.queue.routing.key': 'ibm',
          'rabbitmq.message.content.type': 'application/json',
        }),
        s: '<sequence name="s"><log level="custom"><property name="n" expression="json-eval($.n)"/><property name="type" expression="get-property(\'axis2\',\'messageType\')"/></log></sequence>',
      },
      async (running) => {
        await running.logged(/is connected to amqp/);
        await peeking(async (model) => {
          const channel = await model.createConfirmChannel();
          channel.publish('prices', 'ibm', Buffer.from('{"n":7}'));
          channel.publish('prices', 'ibm', Buffer.from('<n/>'), { contentType: 'application/xml' });
          await channel.waitForConfirms();
        });
        await running.logged(/n = 7, type = application\/json/);
        await running.logged(/type = application\/xml/);
        await waitFor(async () => (await count('bound')) === 0, { what: 'an empty queue' });
        expect(running.lines().filter((line) => line.startsWith('ERROR'))).toEqual([]);
      },
    );
  }, 30_000);
});
