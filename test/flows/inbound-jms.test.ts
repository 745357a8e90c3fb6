import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ActiveMqBroker } from '../../samples/activemq/broker.ts';
import { inboundArtifact, queueSuite, serving } from '../inbound/queue-suite.ts';
import { activemq, findOrInstall } from '../support/servers/index.ts';
import { type StompPeek, stompPeek } from '../support/stomp-peek.ts';
import { waitFor } from '../support/wait-for.ts';

const server = await findOrInstall(activemq);

server.describe('a JMS inbound endpoint', () => {
  let broker: ActiveMqBroker;
  beforeAll(async () => {
    broker = await server.start();
  });
  afterAll(() => broker.close());

  async function peeking<T>(look: (peek: StompPeek) => Promise<T>): Promise<T> {
    const peek = await stompPeek({ port: broker.stompPort });
    try {
      return await look(peek);
    } finally {
      await peek.close();
    }
  }

  const parameters = (queue: string, query = '') => ({
    'java.naming.factory.initial': 'org.apache.activemq.jndi.ActiveMQInitialContextFactory',
    'java.naming.provider.url': `${broker.openwireUrl}${query}`,
    'x.stomp.url': `stomp://127.0.0.1:${broker.stompPort}`,
    'transport.jms.Destination': queue,
    'transport.jms.ConnectionFactoryType': 'queue',
    sequential: 'true',
  });

  queueSuite({
    protocol: 'jms',
    parameters: (queue) => parameters(queue, '?jms.redeliveryPolicy.maximumRedeliveries=-1'),
    send: (queue, body, headers) => peeking((peek) => peek.send(queue, body, headers)),
    sendAll: (queue, bodies) =>
      peeking(async (peek) => {
        for (const body of bodies) await peek.send(queue, body);
      }),
    count: (queue) => peeking((peek) => peek.count(queue)),
    kill: () => broker.kill(),
    restart: () => broker.restart(),
  });

  it('JMS headers and properties are transport headers; a property or a parameter names the media type', async () => {
    const says =
      '<log level="custom"><property name="id" expression="get-property(\'transport\',\'JMS_MESSAGE_ID\')"/><property name="type" expression="get-property(\'axis2\',\'messageType\')"/><property name="colour" expression="get-property(\'transport\',\'colour\')"/><property name="correlation" expression="get-property(\'transport\',\'JMS_COORELATION_ID\')"/></log>';
    await serving(
      {
        i: inboundArtifact('jms', {
          ...parameters('typed'),
          'transport.jms.ContentTypeProperty': 'myType',
          'transport.jms.ContentType': 'application/json',
        }),
        s: `<sequence name="s">${says}</sequence>`,
      },
      async (running) => {
        await peeking((peek) => peek.send('typed', '{"a":1}', { colour: 'red', 'correlation-id': 'c1' }));
        expect(await running.logged(/colour = red/)).toMatch(
          /id = ID:\S+, type = application\/json, colour = red, correlation = c1/,
        );
        await peeking((peek) => peek.send('typed', '<a/>', { colour: 'blue', myType: 'application/xml' }));
        expect(await running.logged(/colour = blue/)).toContain('type = application/xml');
        await peeking((peek) => peek.send('typed', Buffer.alloc(0), { colour: 'none' }));
        await running.logged(/colour = none/);
      },
    );
  }, 30_000);

  it('answers to JMSReplyTo with the correlation id of the request', async () => {
    const answer =
      '<payloadFactory media-type="json"><format>{"answer":42}</format></payloadFactory><property name="messageType" value="application/json" scope="axis2"/><respond/>';
    await serving(
      { i: inboundArtifact('jms', parameters('asked')), s: `<sequence name="s">${answer}</sequence>` },
      async () => {
        await peeking(async (peek) => {
          await peek.send('asked', '{"q":1}', { 'reply-to': '/queue/answers', 'correlation-id': 'q1' });
          await waitFor(async () => (await peek.count('answers')) === 1, { what: 'the answer' });
          const [reply] = await peek.take('answers', 1);
          expect(JSON.parse(reply?.text ?? '')).toEqual({ answer: 42 });
          expect(reply?.headers['correlation-id']).toBe('q1');
        });
      },
    );
  }, 30_000);

  it('after maximumRedeliveries the dead letters of the broker have the message, and the next one comes', async () => {
    await peeking(async (peek) => {
      await peek.send('poisoned', 'bad');
      await peek.send('poisoned', 'good');
    });
    await serving(
      {
        i: inboundArtifact(
          'jms',
          {
            ...parameters('poisoned', '?jms.redeliveryPolicy.maximumRedeliveries=2'),
            'x.redelivery.initial': '20',
            'x.redelivery.max': '40',
          },
          '',
        ),
        s: '<sequence name="s"><log level="custom"><property name="body" expression="$body//text()"/></log><filter source="$body//text()" regex="good"><then/><else><sequence key="nowhere"/></else></filter></sequence>',
      },
      async (running) => {
        await running.logged(/rejected after 3 attempts/);
        await running.logged(/body = good/);
        await peeking(async (peek) => {
          await waitFor(async () => (await peek.count('ActiveMQ.DLQ')) === 1, { what: 'the dead letter' });
          expect((await peek.take('ActiveMQ.DLQ', 1))[0]?.text).toBe('bad');
          await waitFor(async () => (await peek.count('poisoned')) === 0, { what: 'an empty queue' });
        });
      },
    );
  }, 30_000);
});
