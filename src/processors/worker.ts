import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Lease } from '../coordination/lease.ts';
import type { Tenure } from '../coordination/tenure.ts';
import { type CronTrigger, cronTrigger, pause, type QuartzExpression, Spacing } from '../scheduling/index.ts';
import { fencedCore } from './fenced-core.ts';
import { MessageDelivery } from './message-delivery.ts';
import type { WorkerStatus } from './message-processor.ts';
import type { OrderedWorker, Ordering, Place } from './ordering.ts';
import type { ProcessorCore, WorkerProgress } from './processor-core.ts';
import {
  type DeliverySource,
  type Received,
  type StoreConnectionLimits,
  StoreLink,
  type StoreLinkOptions,
} from './store-link.ts';
import { endsBefore } from './waiting.ts';

/**
 * How long a drain waits for one more message before it takes the store for empty: a broker needs a moment to push the first one
 * to a new consumer, ms.
 */
const DRAIN_WAIT_MS = 1000;

/** How long a step waits for the right to its task, ms. */
const STEP_LEASE_MS = 10_000;

/** After so many deliveries without a pause the event loop gets a turn, in case none of them waited for anything outside. */
const DELIVERIES_PER_TURN = 32;

/** When a worker takes messages (spec stores 4.3). */
export interface WorkerSchedule {
  /** The minimum between the starts of two new deliveries of one worker, ms (REQ-14, REQ-61). */
  readonly intervalMs: number;
  /** With an expression the worker takes messages at its runs only. */
  readonly cron: QuartzExpression | undefined;
  /** Whether a run takes messages until there are none, or just one. */
  readonly drains: boolean;
}

/**
 * Takes messages out of the store one after the other. The next one is asked for only when the last one is settled.
 *
 *   interval:  ended ── start ──► spacing ──► receiving ──► (MessageDelivery) ──► spacing
 *                                              │    ▲
 *                                 no store     ▼    │ there is one
 *                                            waiting-store
 *
 *   cron:      ended ── start ──► scheduled ── run ──► spacing ──► receiving ──► (MessageDelivery) ──► spacing
 *                                     ▲                               │
 *                                     └──────── none within a second ─┘
 *
 * With an ordering key and several workers (see `ordering.ts`) there are two more states: `receiving` begins with the turn, and a
 * message waits in `waiting-order` until those of its key that came before it have left the store; if it must not overtake one that
 * went back, it goes back too.
 *
 * With a lease (see `coordination/lease.ts`) all of this is done while this node has the task; otherwise the worker is in
 * `waiting-lease`, without a consumer.
 *
 *   step:      ended ── step ──► receiving ──► (MessageDelivery, one attempt) ──► ended        whatever the schedule says
 *                                   └── none within its time ──► ended
 *
 * `halt` leads from every state to `ended`, at the latest when the attempt in flight has ended. A worker that is started again
 * meanwhile begins after that, so that it never has two messages.
 */
export class Worker {
  /** The reference's task name. */
  readonly name: string;
  readonly #core: ProcessorCore;
  readonly #schedule: WorkerSchedule;
  #spacing: Spacing;
  #earlier: Worker | undefined;
  readonly #link: DeliverySource;
  readonly #ordering: Ordering | undefined;
  readonly #order: OrderedWorker | undefined;
  readonly #lease: Lease | undefined;
  #tenure: Tenure | undefined;
  /** As seen under the present tenure. */
  #fenced: ProcessorCore;
  readonly #progress: WorkerProgress = { activity: 'ended', message: undefined, nextActionAt: undefined };
  /** When the last delivery began, on the monotonic clock. */
  #lastStart = Number.NEGATIVE_INFINITY;
  #deliveries = 0;
  #trigger: CronTrigger | undefined;
  #run: Promise<void> = Promise.resolve();

  /**
   * `earlier`: the worker that it replaces, whose spacing goes on (REQ-28). `source`: where its messages come from, if not from its
   * store as they are. `lease`: when other nodes may do the same.
   */
  constructor(options: {
    name: string;
    core: ProcessorCore;
    schedule: WorkerSchedule;
    limits: StoreConnectionLimits;
    earlier: Worker | undefined;
    ordering?: Ordering | undefined;
    source?: ((options: StoreLinkOptions) => DeliverySource) | undefined;
    lease?: Lease | undefined;
  }) {
    const { core } = options;
    this.name = options.name;
    this.#core = core;
    this.#fenced = core;
    this.#lease = options.lease;
    this.#schedule = options.schedule;
    this.#earlier = options.earlier;
    this.#spacing = new Spacing(options.schedule.intervalMs);
    const link: StoreLinkOptions = {
      storeName: core.storeName,
      services: core.services,
      limits: options.limits,
      missing: (missing) => {
        this.#progress.activity = missing ? 'waiting-store' : 'receiving';
      },
      discarded: () => {
        core.counters.late += 1;
      },
    };
    this.#link = options.source?.(link) ?? new StoreLink(link);
    this.#ordering = options.ordering;
    this.#order = options.ordering?.worker(() => this.#link.close());
  }

  /** Works until `halt` is aborted, from when `gate` has resolved and an earlier run has ended. */
  start(halt: AbortSignal, gate: Promise<void>, unexpected: (error: unknown) => Promise<void>): void {
    this.#run = this.#after(this.#run, halt, gate, unexpected);
  }

  /**
   * One attempt with the next message, once `gate` has resolved and an earlier run has ended; undefined when none came within
   * `waitMs`. A worker that is started meanwhile begins after it.
   * @throws what the delivery method did not expect; the message is released then
   */
  step(halt: AbortSignal, gate: Promise<void>, waitMs: number): Promise<Delivered | undefined> {
    const stepped = this.#stepAfter(this.#run, gate, { halt, waitMs });
    this.#run = stepped.then(
      () => undefined,
      () => undefined,
    );
    return stepped;
  }

  /** Resolves when nothing of it is running. Never rejects. */
  ended(): Promise<void> {
    return this.#run;
  }

  status(): WorkerStatus {
    const { activity, message, nextActionAt } = this.#progress;
    const scheduled = activity === 'scheduled' ? this.#trigger?.next() : nextActionAt;
    return { name: this.name, activity, message, nextActionAt: scheduled };
  }

  async #after(
    earlier: Promise<void>,
    halt: AbortSignal,
    gate: Promise<void>,
    unexpected: (error: unknown) => Promise<void>,
  ): Promise<void> {
    await earlier;
    await gate;
    if (halt.aborted) return;
    this.#goOn();
    try {
      if (this.#lease) await this.#withLease(this.#lease, halt, (leave) => this.#work(leave));
      else await this.#work(halt);
    } catch (error) {
      await unexpected(error);
    } finally {
      this.#progress.activity = 'ended';
    }
  }

  async #stepAfter(earlier: Promise<void>, gate: Promise<void>, limits: StepLimits): Promise<Delivered | undefined> {
    await earlier;
    await gate;
    if (limits.halt.aborted) return undefined;
    this.#goOn();
    try {
      return await (this.#lease ? this.#stepWithLease(this.#lease, limits) : this.#stepOnce(limits));
    } finally {
      this.#progress.activity = 'ended';
    }
  }

  /** Where other nodes could do the same, it has to be our turn; nobody waits for that for long. */
  async #stepWithLease(lease: Lease, { halt, waitMs }: StepLimits): Promise<Delivered | undefined> {
    const over = new AbortController();
    const patience = setTimeout(() => over.abort(), STEP_LEASE_MS);
    let delivered: Delivered | undefined;
    try {
      await this.#withLease(lease, AbortSignal.any([halt, over.signal]), async (leave) => {
        clearTimeout(patience);
        try {
          delivered = await this.#stepOnce({ halt: leave, waitMs });
        } finally {
          over.abort();
        }
      });
    } finally {
      clearTimeout(patience);
    }
    return delivered;
  }

  async #stepOnce({ halt, waitMs }: StepLimits): Promise<Delivered | undefined> {
    try {
      return await this.#deliverNext(halt, waitMs, new AbortController());
    } finally {
      await this.#leaveStore();
      this.#progress.nextActionAt = undefined;
    }
  }

  /** Works whenever this node has the task, until `halt` is aborted. */
  async #withLease(lease: Lease, halt: AbortSignal, work: (leave: AbortSignal) => Promise<void>): Promise<void> {
    this.#progress.activity = 'waiting-lease';
    await lease.during(halt, async (tenure) => {
      this.#tenure = tenure;
      this.#fenced = fencedCore(this.#core, tenure);
      try {
        await work(AbortSignal.any([halt, tenure.over]));
      } finally {
        this.#progress.activity = 'waiting-lease';
        this.#tenure = undefined;
        this.#fenced = this.#core;
      }
    });
  }

  async #work(halt: AbortSignal): Promise<void> {
    try {
      if (this.#schedule.cron) await this.#runByCron(this.#schedule.cron, halt);
      else await this.#runByInterval(halt);
    } finally {
      await this.#leaveStore();
      this.#progress.nextActionAt = undefined;
    }
  }

  #goOn(): void {
    if (this.#earlier === undefined) return;
    this.#lastStart = this.#earlier.#lastStart;
    this.#spacing = spacingSince(this.#schedule.intervalMs, this.#lastStart);
    this.#earlier = undefined;
  }

  async #runByInterval(halt: AbortSignal): Promise<void> {
    while (!halt.aborted) {
      await this.#space(halt);
      await this.#deliverNext(halt);
    }
  }

  async #runByCron(cron: QuartzExpression, halt: AbortSignal): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    const stop = new AbortController();
    const { clock } = this.#core.services;
    const trigger = cronTrigger(cron, () => this.#drain(halt), {
      ...(clock && { clock }),
      onError: (error) => {
        failure ??= { error };
        stop.abort();
      },
    });
    this.#trigger = trigger;
    this.#progress.activity = 'scheduled';
    trigger.start();
    await abortOf(AbortSignal.any([halt, stop.signal]));
    trigger.stop();
    await trigger.whenIdle();
    this.#trigger = undefined;
    if (failure) throw failure.error;
  }

  /** One run of the schedule. The consumer lives as long as the run: between runs other workers may have the messages. */
  async #drain(halt: AbortSignal): Promise<void> {
    try {
      do await this.#space(halt);
      while ((await this.#deliverNext(halt, DRAIN_WAIT_MS)) && this.#schedule.drains);
    } finally {
      await this.#leaveStore();
      this.#progress.activity = 'scheduled';
    }
  }

  async #leaveStore(): Promise<void> {
    await this.#link.close();
    this.#order?.release();
  }

  async #space(halt: AbortSignal): Promise<void> {
    if (this.#order && this.#spacing.untilFree() > 0) await this.#order.rest();
    for (let wait = this.#spacing.untilFree(); wait > 0 && !halt.aborted; wait = this.#spacing.untilFree()) {
      this.#progress.activity = 'spacing';
      this.#progress.nextActionAt = Date.now() + wait;
      await pause(wait, halt);
    }
    this.#progress.nextActionAt = undefined;
  }

  /** Undefined when there was none to deliver. `once`: aborted when the first attempt begins, so that there is no second one. */
  async #deliverNext(halt: AbortSignal, waitMs?: number, once?: AbortController): Promise<Delivered | undefined> {
    if (halt.aborted) return undefined;
    this.#progress.activity = 'receiving';
    this.#deliveries += 1;
    if (this.#deliveries % DELIVERIES_PER_TURN === 0) await nextTurn();
    const received: ReceivedInOrder | undefined = await (this.#order
      ? this.#receiveInOrder(this.#order, halt, waitMs)
      : this.#link.receive(halt, waitMs));
    if (!received) return undefined;
    const { delivery, leave: leaveStore, place } = received;
    const leave = once ? AbortSignal.any([leaveStore, once.signal]) : leaveStore;
    const id = delivery.message?.id ?? delivery.poison?.id ?? 'unknown';
    const started = () => {
      once?.abort();
      this.#spacing.started();
      this.#lastStart = performance.now();
    };
    let gone = false;
    try {
      const inOrder = !place || (await this.#waitForPlace(place, leave));
      // Told to halt, it goes back; also when it was received after the lease had expired.
      const ours = inOrder && (this.#tenure?.holds() ?? true);
      const options = { core: this.#fenced, progress: this.#progress, delivery, started, order: this.#order };
      const message = new MessageDelivery({ ...options, halt: ours ? leave : AbortSignal.abort() });
      gone = (await message.run()) === 'gone';
    } finally {
      place?.leave(gone);
    }
    return { id, gone };
  }

  /** Receives with the turn, and keeps it for as long as there is no message and nobody else wants to settle one. */
  async #receiveInOrder(
    order: OrderedWorker,
    halt: AbortSignal,
    waitMs: number | undefined,
  ): Promise<ReceivedInOrder | undefined> {
    while (await order.take(halt)) {
      const wanted = new AbortController();
      order.whenWanted(() => wanted.abort());
      const received = await this.#link.receive(halt, waitMs, wanted.signal);
      order.whenWanted(undefined);
      if (received) {
        const place = this.#ordering?.queue(received.delivery.message);
        order.release();
        return { ...received, place };
      }
      await this.#leaveStore();
      if (!wanted.signal.aborted) return undefined;
    }
    return undefined;
  }

  /** False when the message cannot have its place, because an earlier one went back, or it has to end. */
  async #waitForPlace({ free }: Place, leave: AbortSignal): Promise<boolean> {
    this.#progress.activity = 'waiting-order';
    return (await endsBefore(leave, free)) && free;
  }
}

/** A message that was in hand. */
export interface Delivered {
  readonly id: string;
  /** It has left its store; otherwise it is there again. */
  readonly gone: boolean;
}

interface StepLimits {
  readonly halt: AbortSignal;
  readonly waitMs: number;
}

type ReceivedInOrder = Received & { readonly place?: Place | undefined };

/** A spacing that goes on from an earlier start, even if its interval is another one. */
function spacingSince(intervalMs: number, lastStart: number): Spacing {
  let now = () => lastStart;
  const spacing = new Spacing(intervalMs, () => now());
  if (lastStart !== Number.NEGATIVE_INFINITY) spacing.started();
  now = () => performance.now();
  return spacing;
}

function abortOf(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
