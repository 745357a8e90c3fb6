import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { afterTheTest } from '../support/clean-up.ts';
import { sayFigures } from '../support/figures.ts';
import { startFlow } from '../support/flow.ts';
import { STORE } from '../support/flow-artifacts.ts';
import { freePort } from '../support/free-ports.ts';
import { OrderHistory, type Verdict } from '../support/history.ts';
import type { MiniSynapse } from '../support/mini-synapse.ts';
import { startBackEnds } from '../support/orders.ts';
import { activemq, findOrInstall } from '../support/servers/index.ts';
import { stompPeek } from '../support/stomp-peek.ts';
import { waitFor } from '../support/wait-for.ts';

const KILLS = 8;
const STOPS = 3;
const FORWARDERS = 3;
/** Orders that are confirmed and accepted between two ends of the runtime. */
const BETWEEN_ENDS = 15;

const server = await findOrInstall(activemq);
const afterwards = afterTheTest();

server.describe('the runtime ends while it stores and delivers', () => {
  it(`by kill -9, ${KILLS} times: nothing that got a 202 is lost`, { timeout: 180_000 }, async () => {
    const verdict = await endUnderLoad('kill -9', KILLS, (runtime) => runtime.kill());
    expect(verdict).toMatchObject({ lost: [], invented: [], refused: 0 });
    expect(verdict.duplicates).toBeLessThanOrEqual(KILLS * FORWARDERS);
    // Clients were cut off as well.
    expect(verdict.unanswered).toBeGreaterThan(0);
  });

  it(`by SIGTERM, ${STOPS} times: nothing is lost, nothing delivered twice`, { timeout: 120_000 }, async () => {
    const verdict = await endUnderLoad('SIGTERM', STOPS, async (runtime) => {
      expect(await runtime.stop()).toMatchObject({ code: 0 });
    });
    // Who had no answer was not let in at all.
    expect(verdict).toMatchObject({ lost: [], invented: [], duplicates: 0, refused: 0, unansweredButAccepted: [] });
  });
});

/** Lets the runtime end and start again in the middle of storing and delivering; then all must come to its end. */
async function endUnderLoad(
  what: string,
  times: number,
  end: (runtime: MiniSynapse) => Promise<void>,
): Promise<Verdict> {
  const broker = await server.start();
  afterwards('broker', () => broker.close());
  const history = new OrderHistory();
  const backEnds = await startBackEnds(history, FORWARDERS);
  afterwards('back ends', () => Promise.all(backEnds.map((backEnd) => backEnd.stop())));
  // Accepted at once, answered later: most ends come while an attempt is in flight.
  for (const backEnd of backEnds) backEnd.behave({ delayMs: 20 });
  const flow = await startFlow({
    store: { providerUrl: broker.openwireUrl },
    stompPort: broker.stompPort,
    backEnds: backEnds.map(({ port }) => port),
    history,
    // It stays, so that clients come back to it.
    httpPort: await freePort(),
  });
  afterwards('flow', () => flow.close());
  const { runtime, client } = flow;
  const stream = client.stream({ atOnce: 4 });
  afterwards('load', () => stream.stop());

  const endedMs: number[] = [];
  const restartedMs: number[] = [];
  for (let time = 1; time <= times; time += 1) {
    // Not always at the same point of what is going on, and every third time before much can be going on.
    if (time % 3 > 0) await someMore(history);
    await delay((time * 7) % 30);
    const began = performance.now();
    await end(runtime);
    endedMs.push(performance.now() - began);
    await runtime.restart();
    restartedMs.push(runtime.readyInMs);
  }
  await someMore(history);
  await stream.stop();
  await waitFor(() => history.undelivered === 0, {
    what: () => `${history.undelivered} orders to be delivered`,
    deadlineMs: 60_000,
  });
  const peek = await stompPeek({ port: broker.stompPort });
  afterwards('peek', () => peek.close());
  await waitFor(async () => (await peek.count(STORE)) === 0, { what: 'the queue to be empty', deadlineMs: 30_000 });

  const verdict = history.verdict();
  const { sent, confirmed, unanswered, lost, duplicates } = verdict;
  sayFigures(`${what}, ${times} times`, {
    sent,
    confirmed,
    unanswered,
    lost: lost.length,
    duplicates,
    'slowest end in ms': Math.max(...endedMs),
    'slowest restart in ms': Math.max(...restartedMs),
  });
  return verdict;
}

async function someMore(history: OrderHistory): Promise<void> {
  const confirmed = history.count('confirmed') + BETWEEN_ENDS;
  const accepted = history.count('accepted') + BETWEEN_ENDS;
  await waitFor(() => history.count('confirmed') >= confirmed && history.count('accepted') >= accepted, {
    what: () => `${BETWEEN_ENDS} more orders: ${JSON.stringify(history.verdict())}`,
    deadlineMs: 20_000,
    everyMs: 5,
  });
}
