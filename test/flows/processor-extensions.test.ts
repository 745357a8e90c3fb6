import { createServer, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { afterTheTest } from '../support/clean-up.ts';
import { sayFigures } from '../support/figures.ts';
import { type RunningFlow, startFlow } from '../support/flow.ts';
import { PROXY } from '../support/flow-artifacts.ts';
import { OrderHistory } from '../support/history.ts';
import { seeProcessor } from '../support/management.ts';
import { OrderClient } from '../support/orders.ts';
import { activemq, findOrInstall } from '../support/servers/index.ts';
import { stompPeek } from '../support/stomp-peek.ts';
import { waitFor } from '../support/wait-for.ts';

/* What forwarding does beyond the reference, on a real ActiveMQ. */

const server = await findOrInstall(activemq);
const afterwards = afterTheTest();

/** Answers with the status that it is told, or with nothing at all. */
type Answer = (symbol: string) => number | undefined | Promise<number | undefined>;

/** A back end that notes the symbols of what it accepts, in the order in which it has answered. */
async function backEnd(answer: Answer): Promise<{ port: number; accepted: string[] }> {
  const accepted: string[] = [];
  const http: Server = createServer((request, response) => {
    void text(request).then(async (body) => {
      const symbol = /symbol>([^<]+)</.exec(body)?.[1] ?? '';
      const status = await answer(symbol);
      if (status === undefined) return;
      if (status === 202) accepted.push(symbol);
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  afterwards('back end', async () => {
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  });
  const address = http.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { port: address.port, accepted };
}

async function begin(
  answer: Answer,
  forwarder: Record<string, string>,
): Promise<RunningFlow & { accepted: string[]; stompPort: number; history: OrderHistory }> {
  const broker = await server.start();
  afterwards('broker', () => broker.close());
  const { port, accepted } = await backEnd(answer);
  const history = new OrderHistory();
  const store = { providerUrl: broker.openwireUrl };
  const flow = await startFlow({ store, stompPort: broker.stompPort, backEnds: [port], forwarder, history });
  afterwards('flow', () => flow.close());
  return { ...flow, close: () => flow.close(), accepted, stompPort: broker.stompPort, history };
}

server.describe('forwarding on ActiveMQ', () => {
  it('a message whose processing kills the process is quarantined at the third restart (OP-06)', {
    timeout: 180_000,
  }, async () => {
    let kill: () => Promise<void> = async () => undefined;
    let killed = 0;
    const flow = await begin(async (symbol) => {
      if (!symbol.startsWith('POISON')) return 202;
      killed += 1;
      await kill();
      return undefined;
    }, {});
    kill = () => flow.runtime.kill();
    const client = (prefix: string) =>
      new OrderClient({ url: () => flow.runtime.service(PROXY), history: flow.history, prefix });
    await client('BEFORE').placeMany(5, 1);
    await client('POISON').placeMany(1, 1);
    const placing = client('AFTER').placeMany(5, 1);
    for (let crash = 1; crash <= 3; crash += 1) {
      await waitFor(() => killed === crash, { what: () => `crash ${crash}`, deadlineMs: 40_000 });
      await flow.runtime.kill();
      if (crash === 1) await placing;
      await flow.runtime.restart();
    }
    await client('LATER').placeMany(5, 1);
    await waitFor(() => flow.accepted.includes('LATER5'), {
      what: () => `LATER5: ${flow.accepted}`,
      deadlineMs: 30_000,
    });
    expect(killed).toBe(3);
    expect(await seeProcessor(flow.runtime, 'Forwarder1')).toMatchObject({ state: 'ACTIVE' });
    const line = flow.runtime.lines().find((said) => /could not be processed and was put aside/.test(said));
    expect(line).toMatch(/the process crashed 3 times while this message was being processed/);
    const confirmed = flow.history.events.filter(({ kind }) => kind === 'confirmed').map(({ order }) => order);
    const missing = confirmed.filter((order) => !flow.accepted.includes(order));
    expect(missing.filter((order) => order !== 'POISON1')).toEqual([]);
  });

  it('messages of one key stay in order with several at a time (OP-29)', { timeout: 180_000 }, async () => {
    const KEYS = 5;
    const EACH = 60;
    let random = 1;
    const next = () => {
      random = (random * 48_271) % 2_147_483_647;
      return random;
    };
    let inFlight = 0;
    let most = 0;
    const flow = await begin(
      async () => {
        inFlight += 1;
        most = Math.max(most, inFlight);
        await delay(next() % 30);
        inFlight -= 1;
        return next() % 12 === 0 ? 500 : 202;
      },
      {
        'x.concurrency': '4',
        'x.ordering.key': "substring-before(//*[local-name()='symbol'], '-')",
        'max.delivery.attempts': '-1',
        'client.retry.interval': '20',
      },
    );
    const began = performance.now();
    const place = async (key: number) => {
      const prefix = `K${key}-`;
      const client = new OrderClient({ url: () => flow.runtime.service(PROXY), history: flow.history, prefix });
      // In bursts, so that the queue is empty now and then.
      for (let burst = 0; burst < 4; burst += 1) {
        await client.placeMany(EACH / 4, 1);
        await delay(next() % 700);
      }
      client.close();
    };
    await Promise.all(Array.from({ length: KEYS }, (_, key) => place(key)));
    await waitFor(() => flow.accepted.length >= KEYS * EACH, {
      what: () => `${flow.accepted.length} of ${KEYS * EACH} orders`,
      deadlineMs: 90_000,
    });
    for (let key = 0; key < KEYS; key += 1) {
      const mine = flow.accepted.filter((order) => order.startsWith(`K${key}-`));
      expect(mine).toEqual(Array.from({ length: EACH }, (_, index) => `K${key}-${index + 1}`));
    }
    const peek = await stompPeek({ port: flow.stompPort });
    afterwards('peek', () => peek.close());
    await waitFor(async () => (await peek.count('JMSMS')) === 0, { what: 'the queue to be empty' });
    expect(most).toBeGreaterThan(1);
    sayFigures(`${KEYS * EACH} orders of ${KEYS} keys, 4 at a time`, {
      'in flight at most': most,
      'delivered after ms': performance.now() - began,
    });
  });

  it('a back end that is down burns no attempts with x.circuit (OP-25)', { timeout: 120_000 }, async () => {
    let status = 503;
    const flow = await begin(() => status, { 'x.circuit': 'true', 'client.retry.interval': '200' });
    await flow.client.placeMany(20, 1);
    await waitFor(async () => (await seeProcessor(flow.runtime, 'Forwarder1')).state === 'CIRCUIT_OPEN', {
      what: 'the circuit to open',
    });
    await waitFor(async () => (await seeProcessor(flow.runtime, 'Forwarder1')).counters.failed > 10, {
      what: 'more failures than attempts',
      deadlineMs: 20_000,
    });
    expect(await seeProcessor(flow.runtime, 'Forwarder1')).toMatchObject({
      status: 'active',
      reason: expect.stringContaining('503'),
    });
    status = 202;
    await waitFor(() => flow.accepted.length === 20, { what: () => `${flow.accepted.length} orders` });
    expect(flow.accepted).toEqual(Array.from({ length: 20 }, (_, index) => `ORD${index + 1}`));
    expect(await seeProcessor(flow.runtime, 'Forwarder1')).toMatchObject({ state: 'ACTIVE' });
  });
});
