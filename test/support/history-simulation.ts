import fc from 'fast-check';
import { OrderHistory } from './history.ts';

/** The history of a flow that keeps its promise, and the orders that were delivered in it, in the order of their first acceptance. */
export interface Simulated {
  readonly history: OrderHistory;
  readonly delivered: readonly string[];
}

type Step = 'send' | 'store' | 'confirm' | 'take' | 'accept' | 'settle' | 'kill';

const LANES = 3;

/** The lane that sent an order. */
export function laneOf(order: string): string {
  return order.split('-', 1)[0] ?? '';
}

/**
 * A model of a runtime with a durable first-in-first-out store: clients in lanes, of which each waits for its answer; workers with a
 * back end each, which settle before they take the next message; kills, after which what was not settled is at the head again.
 */
export function simulatedHistory({ workers }: { readonly workers: number }): fc.Arbitrary<Simulated> {
  const step = fc.record({
    step: fc.oneof(
      { weight: 24, arbitrary: fc.constantFrom<Step>('send', 'store', 'confirm', 'take', 'accept', 'settle') },
      { weight: 1, arbitrary: fc.constant<Step>('kill') },
    ),
    who: fc.nat(),
  });
  return fc.array(step, { maxLength: 250 }).map((steps) => {
    const model = new Model(workers);
    for (const { step: what, who } of steps) model[what](who);
    model.drain();
    return { history: model.history, delivered: model.delivered };
  });
}

interface Lane {
  sent: number;
  order: string | undefined;
  stored: boolean;
}

interface Worker {
  order: string | undefined;
  accepted: boolean;
}

class Model {
  readonly history = new OrderHistory();
  readonly delivered: string[] = [];
  readonly #queue: string[] = [];
  readonly #lanes: Lane[] = Array.from({ length: LANES }, () => ({ sent: 0, order: undefined, stored: false }));
  readonly #workers: Worker[];
  #now = 0;

  constructor(workers: number) {
    this.#workers = Array.from({ length: workers }, () => ({ order: undefined, accepted: false }));
  }

  send(who: number): void {
    const number = who % LANES;
    const lane = this.#lanes[number];
    if (!lane || lane.order !== undefined) return;
    lane.sent += 1;
    lane.order = `L${number}-${lane.sent}`;
    lane.stored = false;
    this.history.add({ kind: 'sent', order: lane.order, at: this.#tick() });
  }

  store(who: number): void {
    const lane = this.#lanes[who % LANES];
    if (lane?.order === undefined || lane.stored) return;
    lane.stored = true;
    this.#queue.push(lane.order);
  }

  confirm(who: number): void {
    const lane = this.#lanes[who % LANES];
    if (lane?.order === undefined || !lane.stored) return;
    this.history.add({ kind: 'confirmed', order: lane.order, at: this.#tick() });
    lane.order = undefined;
  }

  take(who: number): void {
    const worker = this.#workers[who % this.#workers.length];
    if (worker && worker.order === undefined) {
      worker.order = this.#queue.shift();
      worker.accepted = false;
    }
  }

  accept(who: number): void {
    const number = who % this.#workers.length;
    const worker = this.#workers[number];
    if (worker?.order === undefined || worker.accepted) return;
    worker.accepted = true;
    if (!this.history.hasAccepted(worker.order)) this.delivered.push(worker.order);
    const where = { order: worker.order, backEnd: `${number + 1}` };
    this.history.add({ kind: 'arrived', ...where, at: this.#tick(), messageId: `id of ${worker.order}`, attempt: 1 });
    this.history.add({ kind: 'accepted', ...where, at: this.#tick() });
  }

  settle(who: number): void {
    const worker = this.#workers[who % this.#workers.length];
    if (worker?.accepted) worker.order = undefined;
    if (worker && worker.order === undefined) worker.accepted = false;
  }

  kill(): void {
    const from = this.#tick();
    const held = this.#workers.flatMap(({ order }) => (order === undefined ? [] : [order]));
    // In the order in which they were taken, as far as it matters: of one worker there is one.
    this.#queue.unshift(...held);
    for (const worker of this.#workers) Object.assign(worker, { order: undefined, accepted: false });
    for (const lane of this.#lanes) {
      if (lane.order === undefined) continue;
      this.history.add({ kind: 'unanswered', order: lane.order, at: this.#tick(), reason: 'killed' });
      lane.order = undefined;
    }
    this.history.addFault({ what: 'kill', from, to: this.#tick(), window: 1 });
  }

  drain(): void {
    for (let lane = 0; lane < LANES; lane += 1) {
      this.store(lane);
      this.confirm(lane);
    }
    for (let who = 0; this.#queue.length > 0 || this.#workers.some(({ order }) => order !== undefined); who += 1) {
      this.take(who);
      this.accept(who);
      this.settle(who);
    }
  }

  #tick(): number {
    this.#now += 1;
    return this.#now;
  }
}
