import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { ActiveMqBroker } from '../../samples/activemq/broker.ts';
import { afterTheTest } from '../support/clean-up.ts';
import { sayFigures } from '../support/figures.ts';
import { type RunningFlow, startFlow } from '../support/flow.ts';
import { STORE } from '../support/flow-artifacts.ts';
import { OrderHistory } from '../support/history.ts';
import { seeProcessor } from '../support/management.ts';
import { type BackEnd, type OrderStream, startBackEnds } from '../support/orders.ts';
import { activemq, findOrInstall } from '../support/servers/index.ts';
import { stompPeek } from '../support/stomp-peek.ts';
import { type TcpForwarder, tcpForwarder } from '../support/tcp-forwarder.ts';
import { waitFor } from '../support/wait-for.ts';

const FORWARDERS = 3;
const SENDERS = 3;
/** From when the broker answers again until an order is confirmed, and one is delivered, by itself. */
const RECOVERY_MS = 3_000;
/** The same from when a cut network is there again: connections that are lost over and over are asked for less and less often. */
const NETWORK_RECOVERY_MS = 10_000;

const server = await findOrInstall(activemq);
const afterwards = afterTheTest();

server.describe('the broker fails while orders are stored and delivered', () => {
  let broker: ActiveMqBroker;
  let network: TcpForwarder;
  let history: OrderHistory;
  let backEnds: BackEnd[];
  let flow: RunningFlow;
  let stream: OrderStream;

  /** Orders are stored and delivered, over a network that can fail or directly. */
  async function begin(over: 'network' | 'loopback'): Promise<void> {
    history = new OrderHistory();
    broker = await server.start();
    afterwards('broker', () => broker.close());
    network = await tcpForwarder({ to: { port: broker.stompPort } });
    afterwards('network', () => network.close());
    backEnds = await startBackEnds(history, FORWARDERS);
    afterwards('back ends', () => Promise.all(backEnds.map((backEnd) => backEnd.stop())));
    flow = await startFlow({
      store: { providerUrl: broker.openwireUrl },
      stompPort: over === 'network' ? network.port : broker.stompPort,
      backEnds: backEnds.map(({ port }) => port),
      // Slower than the senders, so that there is always something to deliver.
      forwarder: { interval: '60' },
      history,
    });
    afterwards('flow', () => flow.close());
    stream = flow.client.stream({ atOnce: SENDERS, pauseMs: 40 });
    afterwards('load', () => stream.stop());
    await someMore();
  }

  it('by kill -9, again and again: nothing is lost and all goes on by itself within 3 s', {
    timeout: 180_000,
  }, async () => {
    await begin('loopback');
    const downMs = [0, 1_500, 12_000];
    const recovered: Recovery[] = [];
    for (const pause of downMs) {
      const from = performance.now();
      await broker.kill();
      await delay(pause);
      await broker.restart();
      recovered.push(await recovery(from));
      await someMore();
    }
    await expectAllDelivered('kill -9 of the broker', recovered);
  });

  it('by hanging for some seconds: nothing is lost and it goes on', { timeout: 120_000 }, async () => {
    await begin('loopback');
    const from = performance.now();
    broker.pause();
    await delay(4_000);
    broker.resume();
    await expectAllDelivered('a broker that hangs', [await recovery(from)]);
  });

  it('by hanging longer than a store may take: clients hear of it in time, nothing is lost', {
    timeout: 180_000,
  }, async () => {
    await begin('loopback');
    const from = performance.now();
    broker.pause();
    const refused = await waitFor(() => history.firstSince('refused', from), {
      what: 'a client to be refused',
      deadlineMs: STORE_DEADLINE_MS + 3_000,
    });
    expect(refused).toMatchObject({ status: 500 });
    broker.resume();
    await expectAllDelivered('a broker that hangs for long', [await recovery(from)]);
  });

  it('by cut connections, again and again: nothing is lost and it goes on', { timeout: 120_000 }, async () => {
    await begin('network');
    const recovered: Recovery[] = [];
    for (let cut = 1; cut <= 5; cut += 1) {
      const from = performance.now();
      network.cut();
      recovered.push(await recovery(from));
      await someMore(10);
    }
    await expectAllDelivered('5 cuts', recovered, NETWORK_RECOVERY_MS);
  });

  it('by a network that swallows everything and then is back: nothing is lost', { timeout: 180_000 }, async () => {
    await begin('network');
    const from = performance.now();
    network.blackhole();
    await delay(6_000);
    network.cut();
    await network.resume();
    await expectAllDelivered('a black hole', [await recovery(from)], NETWORK_RECOVERY_MS);
  });

  /** Waits until orders were confirmed and accepted since now. */
  async function someMore(orders = 30): Promise<void> {
    const confirmed = history.count('confirmed') + orders;
    const accepted = history.count('accepted') + orders;
    await waitFor(() => history.count('confirmed') >= confirmed && history.count('accepted') >= accepted, {
      what: () => `${orders} more orders: ${JSON.stringify(history.verdict())}`,
      deadlineMs: 30_000,
    });
  }

  /** How long it takes from now on until an order is confirmed, and until one is accepted, after a fault that began at `from`. */
  async function recovery(from: number): Promise<Recovery> {
    const since = performance.now();
    const first = async (kind: 'confirmed' | 'accepted') => {
      const event = await waitFor(() => history.firstSince(kind, since), {
        what: () => `an order to be ${kind}; the runtime says\n${flow.runtime.lines().slice(-15).join('\n')}`,
        deadlineMs: 40_000,
        everyMs: 5,
      });
      return event.at - since;
    };
    const [confirmedMs, acceptedMs] = await Promise.all([first('confirmed'), first('accepted')]);
    return { from, to: since, confirmedMs, acceptedMs };
  }

  async function expectAllDelivered(
    what: string,
    recovered: readonly Recovery[],
    withinMs = RECOVERY_MS,
  ): Promise<void> {
    await stream.stop();
    await waitFor(() => history.undelivered === 0, {
      what: () => `${history.undelivered} orders to be delivered`,
      deadlineMs: 60_000,
    });
    const peek = await stompPeek({ port: broker.stompPort });
    afterwards('peek', () => peek.close());
    await waitFor(async () => (await peek.count(STORE)) === 0, { what: 'the queue to be empty', deadlineMs: 30_000 });
    const { lost, invented, duplicated, duplicates, sent, confirmed, refused, unanswered } = history.verdict();
    const slowest = (kind: 'confirmedMs' | 'acceptedMs') => Math.max(...recovered.map((one) => one[kind]));
    sayFigures(what, {
      sent,
      confirmed,
      refused,
      lost: lost.length,
      duplicates,
      'first 202 after ms': slowest('confirmedMs'),
      'first delivery after ms': slowest('acceptedMs'),
    });
    expect({ lost, invented, unanswered }).toEqual({ lost: [], invented: [], unanswered: 0 });
    // The runtime lives and knows what it has delivered. Only what was on its way into the store may be there twice.
    for (const order of Object.keys(duplicated))
      expect(recovered.some((fault) => wasBeingStored(order, fault))).toBe(true);
    for (const one of recovered) {
      expect(one.acceptedMs).toBeLessThan(withinMs);
      expect(one.confirmedMs).toBeLessThan(withinMs);
    }
    for (let number = 1; number <= FORWARDERS; number += 1)
      expect(await seeProcessor(flow.runtime, `Forwarder${number}`)).toMatchObject({ status: 'active' });
  }

  /** Did a client wait for the answer to it during a fault? */
  function wasBeingStored(order: string, { from, to }: Recovery): boolean {
    const times = new Map(history.events.filter((event) => event.order === order).map(({ kind, at }) => [kind, at]));
    return (times.get('sent') ?? 0) < to && (times.get('confirmed') ?? times.get('refused') ?? 0) > from;
  }
});

/** A fault and what came after it; times are of performance.now(). */
interface Recovery {
  readonly from: number;
  readonly to: number;
  readonly confirmedMs: number;
  readonly acceptedMs: number;
}

/** `mini_synapse.store_deadline_ms` by default. */
const STORE_DEADLINE_MS = 10_000;
