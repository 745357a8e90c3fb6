import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { afterTheTest } from '../support/clean-up.ts';
import { endpointXml, forwarderXml, NEVER_SUSPENDED, PROXY, proxyXml } from '../support/flow-artifacts.ts';
import { seeProcessor, seeStore } from '../support/management.ts';
import { waitFor } from '../support/wait-for.ts';
import { FaultyFlow, ORDERS } from './faulty-flow.ts';
import { judge } from './figures.ts';
import { Random } from './random.ts';
import { durableStores } from './stores.ts';

/* What is no fault at all, under load: redeployments and orderly stops. Nothing may be lost, and nothing come twice. */

const ROUNDS = 100;
/** Proxy, store, endpoint and two forwarders, each round. */
const FILES = 5;
const STOPS = 10;

const afterwards = afterTheTest();

for (const store of await durableStores()) {
  store.describe(`under load, with the store on ${store.name}`, () => {
    it(`${ROUNDS * FILES} redeployments lose nothing and deliver nothing twice`, { timeout: 300_000 }, async () => {
      const flow = await begin(store);
      for (let round = 1; round <= ROUNDS; round += 1) {
        redeploy(flow, round);
        await served(flow, round);
      }
      await flow.someMore();
      const verdict = await flow.verdict();
      judge({ fault: 'redeployed under load', store: store.name, times: ROUNDS * FILES }, verdict, flow.history);
      expect(verdict, failures(flow)).toMatchObject({ refused: 0, unanswered: 0, duplicates: 0 });
    });

    it(`${STOPS} orderly stops (SIGTERM) lose nothing and deliver nothing twice`, { timeout: 300_000 }, async () => {
      const flow = await begin(store);
      const random = new Random(`SIGTERM ${store.name}`);
      for (let stop = 0; stop < STOPS; stop += 1) {
        await flow.someMore(5);
        await delay(random.between(0, 200));
        expect(await flow.runtime.stop()).toMatchObject({ code: 0 });
        await flow.runtime.restart();
      }
      await flow.someMore();
      const verdict = await flow.verdict();
      judge({ fault: 'SIGTERM under load', store: store.name, times: STOPS }, verdict, flow.history);
      // Who had no answer was not let in at all.
      expect(verdict).toMatchObject({ refused: 0, duplicates: 0, unansweredButAccepted: [] });
    });
  });
}

async function begin(store: Awaited<ReturnType<typeof durableStores>>[number]): Promise<FaultyFlow> {
  const flow = new FaultyFlow({ store, medium: await store.start() });
  afterwards('flow', () => flow.close());
  await flow.begin();
  await flow.someMore();
  return flow;
}

/** What some clients were told, and what the runtime said about it. */
function failures({ history, runtime }: FaultyFlow): string {
  const events = history.events.filter(({ kind }) => kind === 'refused' || kind === 'unanswered').slice(0, 5);
  const said = runtime.lines().filter((line) => /\b(WARN|ERROR)\b/.test(line));
  return `${JSON.stringify(events)}\nthe runtime says\n${said.slice(0, 20).join('\n')}`;
}

/** Every artifact of the flow changes. */
function redeploy(flow: FaultyFlow, round: number): void {
  const { folder } = flow;
  folder.write(
    'Proxy.xml',
    proxyXml(PROXY, ORDERS).replace(
      '<outSequence/>',
      `<outSequence><log level="custom"><property name="round" value="${round}"/></log></outSequence>`,
    ),
  );
  folder.write('Orders.xml', flow.storeXml(ORDERS, { round: `${round}` }));
  const [first] = flow.backEnds;
  folder.write(
    'Endpoint1.xml',
    endpointXml(
      1,
      first?.port ?? 0,
      `${NEVER_SUSPENDED}<!-- ${round} --><timeout><duration>${30_000 + round}</duration></timeout>`,
    ),
  );
  for (const number of [1, 2]) {
    const parameters = { ...flow.forwarderParameters(), 'client.retry.interval': `${100 + round}` };
    folder.write(`Forwarder${number}.xml`, forwarderXml(number, parameters, ORDERS));
  }
}

/** The last ones in the order of deployment tell that the others are there, too. */
async function served(flow: FaultyFlow, round: number): Promise<void> {
  const { runtime } = flow;
  await waitFor(
    async () => {
      const { properties } = await seeStore(runtime, ORDERS);
      const forwarders = await Promise.all([1, 2].map((number) => seeProcessor(runtime, `Forwarder${number}`)));
      return (
        properties.round === `${round}` &&
        forwarders.every(({ parameters }) => parameters['client.retry.interval'] === `${100 + round}`)
      );
    },
    { what: () => `round ${round} to be served; ${flow.tail()}`, deadlineMs: 30_000 },
  );
}
