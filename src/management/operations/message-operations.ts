import { logger } from '../../logging/index.ts';
import type { Configuration } from '../../message/configuration.ts';
import type { DeliveryLedger } from '../../processors/delivery-ledger.ts';
import { letGo } from '../../processors/settle.ts';
import { type Delivery, type MessageStore, StoreError } from '../../stores/message-store.ts';
import type { MessageTaker } from '../../stores/store-browser.ts';
import { ManagementError } from '../management-error.ts';
import { browserOf } from './find-messages.ts';
import { DEFAULT_RATE, type Job, Jobs } from './jobs.ts';
import { answering } from './operation-error.ts';
import { countSelected, type Selection, selectedIds } from './selection.ts';
import { checkTreatment, idOf, type Treatment, treat } from './treatment.ts';

const log = logger('MessageOperations');

/** How long one message may take, ms. */
const ONE_DEADLINE_MS = 60_000;
/** Deletions that wait for their confirmations at a time; media confirm several at once. */
const DELETIONS_AT_ONCE = 16;

/** Messages that operators have dealt with, by store. */
export interface OperationCounts {
  deleted: number;
  purged: number;
  moved: number;
  resent: number;
  imported: number;
}

export interface OperationsHost {
  configuration(): Configuration;
  readonly ledger: DeliveryLedger;
}

export interface JobWishes {
  readonly selection: Selection;
  readonly treatment: Treatment;
  /** A deletion of everything; counted as such. */
  readonly purge?: boolean;
  /** How many messages are expected; undefined: as many as there are, where that does no harm. */
  readonly confirm?: number | undefined;
  /** However many there are: nobody is there to be asked. */
  readonly unasked?: boolean;
  readonly ratePerSecond?: number | undefined;
  readonly force?: boolean | undefined;
  readonly by: string;
  readonly signal: AbortSignal;
}

/** What operators do with the messages of stores (OP-60 to OP-63). */
export class MessageOperations {
  readonly jobs = new Jobs();
  readonly #host: OperationsHost;
  readonly #counts = new Map<string, OperationCounts>();

  constructor(host: OperationsHost) {
    this.#host = host;
  }

  get ledger(): DeliveryLedger {
    return this.#host.ledger;
  }

  /** By store, since the start of the process. */
  get counts(): ReadonlyMap<string, Readonly<OperationCounts>> {
    return this.#counts;
  }

  /** Of all stores. */
  total(what: keyof OperationCounts): number {
    return [...this.#counts.values()].reduce((sum, counts) => sum + counts[what], 0);
  }

  count(store: string, what: keyof OperationCounts): void {
    const counts = this.#counts.get(store) ?? { deleted: 0, purged: 0, moved: 0, resent: 0, imported: 0 };
    counts[what] += 1;
    this.#counts.set(store, counts);
  }

  /**
   * Treats one message.
   * @throws ManagementError 404 when it is not there, 409 when somebody has it in hand
   */
  async one(
    source: MessageStore,
    id: string,
    treatment: Treatment,
    look: { readonly signal: AbortSignal; readonly force?: boolean | undefined },
  ): Promise<void> {
    const configuration = this.#host.configuration();
    checkTreatment(treatment, { source, configuration });
    const signal = AbortSignal.any([look.signal, AbortSignal.timeout(ONE_DEADLINE_MS)]);
    await answering(async () => {
      const taker = browserOf(source).take([id], { ...look, signal });
      try {
        const delivery = await taker.next();
        if (!delivery) throw await notTaken(source, id, { ...look, signal });
        await this.#treat(delivery, treatment, { source, signal });
      } finally {
        await taker.close();
      }
    });
  }

  /**
   * Begins to treat many messages.
   * @throws ManagementError 409 with the real count when another one was expected, TooManyJobsError
   */
  async many(source: MessageStore, wishes: JobWishes): Promise<Job> {
    const { selection, treatment, confirm, unasked, force, signal, by, ratePerSecond, purge = false } = wishes;
    checkTreatment(treatment, { source, configuration: this.#host.configuration() });
    const total = await answering(() => countSelected(source, selection, { signal, force }));
    if (confirm === undefined && !unasked && selection.kind !== 'ids') {
      throw new ManagementError(400, `It concerns ${total} messages: say confirm=${total}`, { also: { count: total } });
    }
    if (confirm !== undefined && confirm !== total) {
      throw new ManagementError(409, `It concerns ${total} messages, not ${confirm}`, { also: { count: total } });
    }
    const action = purge ? 'purge' : treatment.action;
    return this.jobs.start({ action, store: source.name, total, ratePerSecond, by }, (job) =>
      this.#work(job, source, { selection, treatment, force, purge }),
    );
  }

  async close(): Promise<void> {
    await this.jobs.close();
  }

  async #work(
    job: Job,
    source: MessageStore,
    wishes: Pick<JobWishes, 'selection' | 'treatment' | 'force' | 'purge'>,
  ): Promise<void> {
    const { selection, treatment, force, purge = false } = wishes;
    const failed = new Set<string>();
    const look = { signal: job.signal, force };
    const { total, ratePerSecond = DEFAULT_RATE } = job.options;
    // Some media give nothing to anybody else while messages are in hand, and flows may take long.
    const atOnce =
      treatment.action === 'resend' && (treatment.sequence ?? treatment.endpoint) !== undefined ? 1 : undefined;
    for await (const ids of selectedIds(source, selection, { ...look, failed, total, ratePerSecond, atOnce })) {
      const taker = browserOf(source).take(ids, look);
      const left = new Set(ids);
      try {
        await this.#treatAll(job, taker, { source, treatment, purge, left, failed });
      } finally {
        await taker.close();
      }
      if (job.signal.aborted) return;
      for (const id of left) {
        failed.add(id);
        job.fails(id, 'it is not there any more, or in delivery', false);
      }
    }
  }

  /** Deletions may overtake each other; whatever arrives somewhere keeps its order. */
  async #treatAll(
    job: Job,
    taker: MessageTaker,
    work: {
      readonly source: MessageStore;
      readonly treatment: Treatment;
      readonly purge: boolean;
      readonly left: Set<string>;
      readonly failed: Set<string>;
    },
  ): Promise<void> {
    const { source, treatment, purge, left, failed } = work;
    const underWay = new Set<Promise<void>>();
    const atOnce = treatment.action === 'delete' ? DELETIONS_AT_ONCE : 1;
    for (;;) {
      await job.pace();
      const delivery = job.signal.aborted ? undefined : await taker.next();
      if (!delivery) break;
      const id = idOf(delivery);
      left.delete(id);
      const treated = this.#treat(delivery, treatment, { source, signal: job.signal, purge })
        .then(
          () => job.succeeded(),
          (error: unknown) => {
            failed.add(id);
            job.fails(id, error, concernsOthers(error));
          },
        )
        .finally(() => underWay.delete(treated));
      underWay.add(treated);
      if (underWay.size >= atOnce) await Promise.race(underWay);
    }
    await Promise.all(underWay);
  }

  async #treat(
    delivery: Delivery,
    treatment: Treatment,
    { source, signal, purge = false }: { source: MessageStore; signal: AbortSignal; purge?: boolean },
  ): Promise<void> {
    const context = { source, signal, configuration: this.#host.configuration(), ledger: this.#host.ledger };
    try {
      await treat(delivery, treatment, context);
    } catch (error) {
      await letGo(delivery, log, 'operator');
      throw error;
    }
    const { action } = treatment;
    this.count(
      source.name,
      action === 'delete' ? (purge ? 'purged' : 'deleted') : action === 'move' ? 'moved' : 'resent',
    );
  }
}

/** Does the failure of one message say something about the next ones? Then a store is down, or what they are sent to. */
function concernsOthers(error: unknown): boolean {
  return error instanceof StoreError || (error instanceof ManagementError && error.status === 502);
}

/** Why a message could not be taken. */
async function notTaken(
  source: MessageStore,
  id: string,
  look: { readonly signal: AbortSignal; readonly force?: boolean | undefined },
): Promise<ManagementError> {
  const there = await browserOf(source).read(id, look);
  return there
    ? new ManagementError(409, `Message '${id}' is in delivery: somebody has it in hand`)
    : new ManagementError(404, `There is no message '${id}' in store '${source.name}' that is not in delivery`);
}
