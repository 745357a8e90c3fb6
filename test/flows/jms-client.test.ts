import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ActiveMqBroker } from '../../samples/activemq/broker.ts';
import { sendJmsMessages } from '../../samples/stockquote/client/jms.ts';
import { activemq, findOrInstall } from '../support/servers/index.ts';
import { stompPeek } from '../support/stomp-peek.ts';

const server = await findOrInstall(activemq);

server.describe('the JMS client (stockquote-samples 2.8)', () => {
  let broker: ActiveMqBroker;
  let folder: string;

  beforeAll(async () => {
    broker = await server.start();
    folder = await mkdtemp(join(tmpdir(), 'mini-synapse-jms-client-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function sent(type: string, payload: string | undefined, count = 1) {
    const providerUrl = `stomp://127.0.0.1:${broker.stompPort}`;
    await sendJmsMessages({
      type,
      destination: `dynamicQueues/Q-${type}`,
      payload,
      count,
      providerUrl,
      timeoutMs: 10_000,
    });
    const peek = await stompPeek({ port: broker.stompPort });
    try {
      return await peek.browse(`Q-${type}`);
    } finally {
      await peek.close();
    }
  }

  it('puts texts on the queue, as many as asked for', async () => {
    const messages = await sent('text', '12.5 100 IBM', 3);
    expect(messages.map(({ text }) => text)).toEqual(['12.5 100 IBM', '12.5 100 IBM', '12.5 100 IBM']);
  });

  it('puts an order as plain XML', async () => {
    const [message] = await sent('pox', 'MSFT');
    expect(message?.text).toMatch(/placeOrder.*MSFT/s);
  });

  it('puts the bytes of a file', async () => {
    const file = join(folder, 'payload.bin');
    writeFileSync(file, Buffer.from([0, 1, 255, 10]));
    expect((await sent('binary', file))[0]?.body).toEqual(Buffer.from([0, 1, 255, 10]));
  });

  it('refuses an unknown type', async () => {
    await expect(sent('map', 'x')).rejects.toThrow('Unknown JMS message type');
  });
});
