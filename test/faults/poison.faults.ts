import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { POINTS } from '../../src/fault-points.ts';
import { afterTheTest } from '../support/clean-up.ts';
import { waitFor } from '../support/wait-for.ts';
import { FaultyFlow } from './faulty-flow.ts';
import { judge } from './figures.ts';
import { durableStores } from './stores.ts';

/* One message in a hundred cannot be read, one in a hundred crashes the process; the others must not suffer. */

/** Of each sort of poison. */
const POISONS = 4;
const EVERY = 100;
/** Who begins an attempt on a message with this text dies; see kill-at.ts. */
const DEADLY = 'DEADLY';
/** A SOAP message that ends in the middle. */
const TRUNCATED = 'TRUNCATED';
const PAIRS = Array.from({ length: POISONS }, (_, index) => [`${DEADLY}-${index + 1}`, `${TRUNCATED}-${index + 1}`]);
const POISON = PAIRS.flat();

const afterwards = afterTheTest();

const stores = await durableStores();

// To readers of a queue, that of the other type is the same.
for (const store of stores.filter(({ name }) => name !== 'RabbitMQ quorum')) {
  store.describe(`poison in a store on ${store.name}`, () => {
    it('is put aside, and everything else is delivered', { timeout: 300_000 }, async () => {
      // What the back end cannot read it will never be able to read.
      const forwarder = { 'x.dead.status.codes': '400,500' };
      const flow = new FaultyFlow({ store, medium: await store.start(), lanes: 8, forwarder });
      afterwards('flow', () => flow.close());
      flow.end.set({ point: POINTS.attemptBegun.name, nth: 1, containing: DEADLY });
      await flow.begin();
      const poisoned = new Poisoner(flow);
      await poisoned.run();
      await poisoned.survive(() => flow.someMore());

      const verdict = await poisoned.survive(() => flow.verdict());
      const shown = { fault: 'poison, 2 in 100', store: store.name, times: 2 * POISONS };
      judge(shown, verdict, flow.history);
      // Each of the deadly ones three times, alone or beside another.
      expect(poisoned.crashes).toBeGreaterThanOrEqual(3);
      // All of it, and nothing else, whether its client had an answer or not.
      expect([...poisoned.putAside().keys()].toSorted()).toEqual(POISON.toSorted());
      expect(poisoned.unexplained()).toEqual([]);
      expect(flow.history.events.filter(({ kind, order }) => kind === 'accepted' && /D/.test(order))).toEqual([]);
    });
  });
}

/** Mixes poison into the orders, and starts the runtime again whenever it has died. */
class Poisoner {
  /** How often the runtime has died. */
  crashes = 0;
  readonly #flow: FaultyFlow;
  /** How many pairs. */
  #sent = 0;

  constructor(flow: FaultyFlow) {
    this.#flow = flow;
  }

  /** Until all of it is put aside. */
  async run(): Promise<void> {
    const { history } = this.#flow;
    const deadline = performance.now() + 240_000;
    while (performance.now() < deadline) {
      if (await this.#revived()) continue;
      if (this.#sent < POISONS && history.count('confirmed') >= EVERY * (this.#sent + 1)) await this.#poison();
      else if (POISON.every((order) => this.putAside().has(order))) return;
      await delay(20);
    }
    throw new Error(`not all is put aside, only ${[...this.putAside().keys()].join()}; ${this.#flow.tail()}`);
  }

  /** Which orders have come to the dead-letter area, and in how many messages each. */
  putAside(): ReadonlyMap<string, number> {
    this.#flow.lookForDeadLetters();
    const letters = new Map<string, number>();
    for (const { kind, order } of this.#flow.history.events) {
      if (kind === 'found') letters.set(order, (letters.get(order) ?? 0) + 1);
    }
    return letters;
  }

  /** Orders that were put aside in more messages than were sent: a poisoned one whose client had no answer is sent again, and may be there twice. */
  unexplained(): readonly string[] {
    const { events } = this.#flow.history;
    const sent = (name: string) => events.filter(({ kind, order }) => kind === 'sent' && order === name).length;
    return [...this.putAside()].filter(([order, letters]) => letters > sent(order)).map(([order]) => order);
  }

  /** Starts the runtime again while somebody waits for what it does: of a deadly order that was stored twice, the second one kills as well. */
  async survive<T>(work: () => Promise<T>): Promise<T> {
    let over = false;
    const done = work().finally(() => {
      over = true;
    });
    // Whoever waits for it below hears of its failure.
    done.catch(() => undefined);
    while (!over) {
      await this.#revived();
      await delay(20);
    }
    return done;
  }

  async #revived(): Promise<boolean> {
    const { history, runtime } = this.#flow;
    if (runtime.pid !== undefined) return false;
    this.crashes += 1;
    const from = performance.now() - 100;
    await this.#restart();
    history.addFault({ what: 'crashed', from, to: from + 200, window: 1 });
    return true;
  }

  async #poison(): Promise<void> {
    const sent = await Promise.all((PAIRS[this.#sent] ?? []).map((order) => this.#send(order)));
    if (sent.every(Boolean)) this.#sent += 1;
  }

  /** Until it is confirmed: otherwise there would be none. */
  async #send(order: string): Promise<boolean> {
    const { history, url } = this.#flow;
    const known = history.events.find((event) => event.order === order && event.kind === 'confirmed');
    if (known) return true;
    history.add({ kind: 'sent', order, at: performance.now() });
    const headers = { 'Content-Type': 'text/xml; charset=UTF-8', SOAPAction: '"urn:placeOrder"' };
    const end = order.startsWith(TRUNCATED) ? '' : '</m:order></m:placeOrder></s:Body></s:Envelope>';
    const body = `${BEGIN}<m:symbol>${order}</m:symbol>${end}`;
    const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(10_000) }).catch(
      () => undefined,
    );
    const at = performance.now();
    if (response?.status === 202) history.add({ kind: 'confirmed', order, at });
    else history.add({ kind: 'unanswered', order, at, reason: `${response?.status}` });
    return response?.status === 202;
  }

  /** It may die again before it is ready, of what it finds in its store. */
  async #restart(): Promise<void> {
    const { runtime } = this.#flow;
    await Promise.race([
      runtime.restart().catch(() => undefined),
      waitFor(() => runtime.pid !== undefined, { what: 'the process' }),
    ]);
  }
}

const BEGIN =
  '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>' +
  '<m:placeOrder xmlns:m="http://services.samples"><m:order><m:price>1</m:price><m:quantity>1</m:quantity>';
