import { taskNames } from '../coordination/cluster.ts';
import type { Lease } from '../coordination/lease.ts';
import { logger } from '../logging/index.ts';
import { causeChain } from '../mediation/fault.ts';
import { pause } from '../scheduling/index.ts';
import type { StoredMessage } from '../stores/stored-message.ts';
import { Circuit } from './circuit.ts';
import type { ProcessorServices } from './component.ts';
import { Coordination, pinnedElsewhere } from './coordination.ts';
import type { DeliveryMethod } from './delivery-method.ts';
import {
  isActiveState,
  type MessageProcessor,
  type ProcessorCounters,
  type ProcessorState,
  type ProcessorStatus,
} from './message-processor.ts';
import { Ordering } from './ordering.ts';
import type { ProcessorCore, SelfDeactivation } from './processor-core.ts';
import type { ProcessorSequences } from './processor-sequences.ts';
import { type RecordedState, RecordedStateFile } from './recorded-state.ts';
import type { RetryPolicy } from './retry-policy.ts';
import {
  type DeliverySource,
  type StoreConnectionLimits,
  type StoreLinkOptions,
  StoreUnreachableError,
} from './store-link.ts';
import { within } from './waiting.ts';
import { Worker, type WorkerSchedule } from './worker.ts';

const log = logger('ScheduledMessageProcessor');
const tasks = logger('AbstractQuartzTaskManager');
/** How long a cut-off attempt may take to notice it, ms. */
const CUT_OFF_GRACE_MS = 1000;
/** Who changes a state that another node has decided on. */
const BY_CLUSTER = 'another node';

/** All that a kind decides about a processor. */
export interface ProcessorPlan {
  readonly name: string;
  readonly type: string;
  readonly storeName: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly services: ProcessorServices;
  readonly previous: MessageProcessor | undefined;
  readonly method: DeliveryMethod;
  readonly policy: RetryPolicy;
  readonly sequences: ProcessorSequences;
  readonly schedule: WorkerSchedule;
  readonly limits: StoreConnectionLimits;
  /** `member.count`; the tasks that the reference shows. */
  readonly members: number;
  /** Workers per member. */
  readonly concurrency: number;
  /** `x.circuit` (OP-25). */
  readonly circuit?: boolean;
  /** `x.ordering.key`: messages with equal keys stay in order, however many workers there are (OP-29). */
  readonly keyOf?: ((stored: StoredMessage) => string | undefined) | undefined;
  /** Where a worker's messages come from, if not from the store as they are. */
  readonly source?: (options: StoreLinkOptions) => DeliverySource;
  /** `is.active`; counts only while nothing is recorded. */
  readonly startsActive: boolean;
  /** `x.reactivate.after`: activates itself again so long after it deactivated itself, ms; undefined: never (REQ-13). */
  readonly reactivateAfterMs: number | undefined;
}

/** The states that are kept; WAITING_STORE is ACTIVE seen from outside. */
type Condition = Pick<RecordedState, 'condition' | 'since' | 'by'> & { readonly reason: string | undefined };

/**
 * The life of a processor of any kind (spec stores 4.2, OP-20):
 *
 *                   start: nothing recorded and is.active, or RUNNING recorded
 *   made ──┬───────────────────────────────► ACTIVE ◄──────────────────┐
 *          │                                  │   │                    │ activate, x.reactivate.after
 *          │                       deactivate │   │ failures: DEACTIVATED, configuration: FAULTY
 *          │                                  ▼   ▼                    │
 *          └───────────────────────────────► PAUSED, DEACTIVATED, FAULTY
 *                   start: PAUSED recorded, or nothing and not is.active
 *   any ── stop ──► stopped
 *
 * In a cluster the other nodes follow, where the store's medium tells them (see `coordination/shared-state.ts`). A processor that is
 * pinned to other servers never leaves its first state here, and shows as PAUSED.
 *
 * A transition takes effect at once and is then recorded. Workers run while the `halt` of the present activation is not aborted;
 * every activation has a new one.
 */
export class ScheduledProcessor implements MessageProcessor, ProcessorCore {
  readonly #plan: Omit<ProcessorPlan, 'previous'>;
  #previous: MessageProcessor | undefined;
  readonly #workers: readonly Worker[];
  readonly #cutOff = new AbortController();
  readonly #recordedFile: RecordedStateFile;
  readonly circuit: Circuit | undefined;
  readonly #coordination: Coordination | undefined;
  /** Why it does not work on this server. */
  readonly #pinned: string | undefined;
  #letJournalGo: (() => void) | undefined;
  #condition: Condition;
  #lastError: string | undefined;
  #failingMessageId: string | undefined;
  #halt = new AbortController();
  /** Resolves when the processor that this one replaces has ended. */
  #gate: Promise<void> = Promise.resolve();
  #loading: Promise<void> | undefined;
  #started = false;
  #stopping: Promise<void> | undefined;
  #reactivation: { readonly at: number; readonly cancel: AbortController } | undefined;
  counters: ProcessorCounters;

  constructor(plan: ProcessorPlan) {
    const { previous: replaced, ...own } = plan;
    const previous = replaced instanceof ScheduledProcessor ? replaced : undefined;
    this.#plan = own;
    this.#previous = replaced;
    this.counters = previous?.counters ?? noCounters();
    this.#recordedFile = previous
      ? previous.#recordedFile
      : new RecordedStateFile(plan.services.dataDirectory, plan.name);
    this.#condition = initialCondition(own);
    this.circuit = own.circuit ? new Circuit(own.name, own.policy) : undefined;
    this.#pinned = pinnedElsewhere(own.parameters.get('pinnedServers'), own.services.serverName);
    this.#coordination =
      this.#pinned === undefined
        ? Coordination.of({
            processor: own.name,
            storeName: own.storeName,
            members: own.members,
            services: own.services,
            current: () => (this.#active ? 'active' : 'inactive'),
            apply: (wanted) => this.#follow(wanted),
          })
        : undefined;
    this.#workers = makeWorkers(own, this, previous ? previous.#workers : undefined, this.#coordination?.leases);
  }

  get name(): string {
    return this.#plan.name;
  }

  get type(): string {
    return this.#plan.type;
  }

  get storeName(): string {
    return this.#plan.storeName;
  }

  get parameters(): ReadonlyMap<string, string> {
    return this.#plan.parameters;
  }

  get services(): ProcessorServices {
    return this.#plan.services;
  }

  get method(): DeliveryMethod {
    return this.#plan.method;
  }

  get policy(): RetryPolicy {
    return this.#plan.policy;
  }

  get sequences(): ProcessorSequences {
    return this.#plan.sequences;
  }

  get cutOff(): AbortSignal {
    return this.#cutOff.signal;
  }

  status(): ProcessorStatus {
    const workers = this.#workers.map((worker) => worker.status());
    const times = [this.#reactivation?.at, ...workers.map(({ nextActionAt }) => nextActionAt)];
    const nextActionAt = Math.min(...times.map((time) => time ?? Number.POSITIVE_INFINITY));
    return {
      ...this.#shownState(),
      by: this.#condition.by,
      failingMessageId: this.#failingMessageId,
      nextActionAt: Number.isFinite(nextActionAt) ? nextActionAt : undefined,
      counters: this.counters,
      current: workers.find(({ message }) => message !== undefined)?.message,
      workers,
      cluster: this.#coordination?.status(),
    };
  }

  async start(): Promise<void> {
    if (this.#started || this.#stopping) return;
    this.#started = true;
    this.#letJournalGo = this.services.ledger.crashes.use(this.services.dataDirectory);
    this.#takeOver();
    await this.#load();
    if (this.#stopping) return;
    if (this.#pinned !== undefined) {
      log.info(`Message processor [${this.name}] does not start here: ${this.#pinned}`, { processor: this.name });
      return;
    }
    this.#coordination?.start();
    for (const name of this.#tasks) {
      tasks.info(`Task scheduled: [ESB_TASK][${name}].${this.#active ? '' : ' [Paused].'}`);
    }
    log.info(`Started message processor. [${this.name}].`);
    if (this.#active) this.#startWorkers();
    else this.#planReactivation();
  }

  async activate(by: string): Promise<ProcessorState> {
    await this.#load();
    if (this.#pinned !== undefined) {
      log.error(`[${this.name}] cannot be activated here: ${this.#pinned}`);
      return this.#shownState().state;
    }
    if (this.#active || this.#stopping) return this.#shownState().state;
    const obstacle = this.method.obstacle(this.services.configuration());
    if (obstacle !== undefined) {
      log.error(`[${this.name}] cannot be activated: ${obstacle}`);
      const recorded = this.#enter({ condition: 'FAULTY', since: Date.now(), by, reason: obstacle });
      this.#planReactivation();
      await recorded;
      return this.#shownState().state;
    }
    const recorded = this.#enter({ condition: 'ACTIVE', since: Date.now(), by, reason: undefined });
    this.#halt = new AbortController();
    if (this.#started) this.#startWorkers();
    for (const name of this.#tasks) tasks.info(`Task resumed: [ESB_TASK][${name}]`);
    log.info(`Successfully re-activated the message processor [${this.name}]`, { processor: this.name, by });
    await recorded;
    return this.#shownState().state;
  }

  async deactivate(by: string): Promise<ProcessorState> {
    await this.#load();
    if (this.#condition.condition === 'PAUSED' || this.#stopping) return this.#shownState().state;
    const wasActive = this.#active;
    const recorded = this.#enter({ condition: 'PAUSED', since: Date.now(), by, reason: `deactivated by ${by}` });
    if (wasActive) this.#halted();
    await recorded;
    return this.#shownState().state;
  }

  async deactivateItself({ state, reason, messageId }: SelfDeactivation): Promise<void> {
    if (!this.#active || this.#stopping) return;
    if (messageId !== undefined) this.#failingMessageId = messageId;
    const recorded = this.#enter({ condition: state, since: Date.now(), by: 'itself', reason });
    this.#halted();
    log.warn(`[${this.name}] deactivated itself and stays so until it is activated: ${reason}`, {
      processor: this.name,
      store: this.storeName,
      messageId,
    });
    this.#planReactivation();
    await recorded;
  }

  noteFailure(error: string, messageId: string): void {
    this.#lastError = error;
    this.#failingMessageId = messageId;
  }

  async stop({ undeploy }: { readonly undeploy: boolean }): Promise<void> {
    this.#stopping ??= this.#end();
    // From here on nothing is recorded, so the record can go before the last attempt has ended.
    if (undeploy) await this.#recordedFile.remove();
    await this.#stopping;
    await this.#recordedFile.flushed();
    await this.#coordination?.stop({ undeploy });
    if (undeploy) for (const name of this.#tasks) tasks.info(`Task deleted: [ESB_TASK][${name}]`);
  }

  /** The reference's names of its tasks. */
  get #tasks(): readonly string[] {
    return taskNames(this.name, this.#plan.members);
  }

  /** Does what was decided on another node. */
  async #follow(wanted: 'active' | 'inactive'): Promise<void> {
    const { condition, by } = this.#condition;
    // What keeps it from working here was said once; an operator may try again.
    if (wanted === 'active' && condition === 'FAULTY' && by === BY_CLUSTER) return;
    if (wanted === 'active') await this.activate(BY_CLUSTER);
    else await this.deactivate(BY_CLUSTER);
  }

  get #active(): boolean {
    return isActiveState(this.#condition.condition);
  }

  /** Goes on where the processor of the same name is, and lets it end first. */
  #takeOver(): void {
    const previous = this.#previous;
    if (!previous) return;
    this.#previous = undefined;
    if (previous instanceof ScheduledProcessor) {
      this.#lastError = previous.#lastError;
      this.#failingMessageId = previous.#failingMessageId;
    }
    this.#gate = previous.stop({ undeploy: false });
  }

  /** Once: the recorded state, if there is one, becomes the state. */
  #load(): Promise<void> {
    this.#loading ??= this.#readRecorded();
    return this.#loading;
  }

  async #readRecorded(): Promise<void> {
    const recorded = await this.#recordedFile.read();
    if (!recorded) return;
    const { condition, since, by, reason, messageId, lastError } = recorded;
    this.#condition = { condition, since, by, reason };
    this.#lastError ??= lastError;
    this.#failingMessageId ??= messageId;
  }

  #startWorkers(): void {
    for (const worker of this.#workers) {
      worker.start(this.#halt.signal, this.#gate, (error) => this.#failedUnexpectedly(error));
    }
  }

  /** Every worker stops at its next look; attempts in flight end by themselves. */
  #halted(): void {
    this.#halt.abort();
    for (const name of this.#tasks) tasks.info(`Task paused: [ESB_TASK][${name}]`);
    log.info(`Successfully deactivated the message processor [${this.name}]`);
  }

  /** The state holds from now on; the promise is that of its record. */
  #enter(condition: Condition): Promise<void> {
    this.#reactivation?.cancel.abort();
    this.#reactivation = undefined;
    this.#condition = condition;
    if (condition.by !== BY_CLUSTER) this.#coordination?.announce(this.#active ? 'active' : 'inactive');
    const { reason, ...rest } = condition;
    return this.#recordedFile.write({
      state: condition.condition === 'ACTIVE' ? 'RUNNING' : 'PAUSED',
      ...rest,
      ...(reason !== undefined && { reason }),
      ...(this.#failingMessageId !== undefined && { messageId: this.#failingMessageId }),
      ...(this.#lastError !== undefined && { lastError: this.#lastError }),
    });
  }

  async #failedUnexpectedly(error: unknown): Promise<void> {
    const service = logger(this.method.service);
    const cause = causeChain(error);
    if (error instanceof StoreUnreachableError) service.error(`Error while connecting to message store ${this.name}`);
    service.fatal(`Deactivating the message processor [${this.name}]`, { processor: this.name, cause });
    this.#lastError = cause;
    await this.deactivateItself({ state: 'DEACTIVATED', reason: cause, messageId: undefined });
  }

  #planReactivation(): void {
    const { reactivateAfterMs } = this.#plan;
    const { condition, since } = this.#condition;
    if (reactivateAfterMs === undefined || (condition !== 'DEACTIVATED' && condition !== 'FAULTY')) return;
    const at = Math.max(since + reactivateAfterMs, Date.now());
    const cancel = new AbortController();
    this.#reactivation = { at, cancel };
    void this.#reactivateAt(at, cancel.signal);
  }

  async #reactivateAt(at: number, cancelled: AbortSignal): Promise<void> {
    await pause(at - Date.now(), cancelled);
    if (!cancelled.aborted) await this.activate('x.reactivate.after');
  }

  async #end(): Promise<void> {
    this.#reactivation?.cancel.abort();
    this.#halt.abort();
    const ended = Promise.all([this.#gate, ...this.#workers.map((worker) => worker.ended())]);
    if (!(await this.#endsInTime(ended))) {
      log.error(
        `[${this.name}] A delivery did not end within the stop deadline and is left behind; its message will come again`,
      );
    }
    this.#letJournalGo?.();
  }

  /** Within the stop deadline, or soon after attempts were cut off. */
  async #endsInTime(ended: Promise<unknown>): Promise<boolean> {
    if (await within(this.services.stopDeadlineMs, ended)) return true;
    this.#cutOff.abort();
    return within(CUT_OFF_GRACE_MS, ended);
  }

  #shownState(): Pick<ProcessorStatus, 'state' | 'since' | 'reason' | 'lastError'> {
    const { condition, since, reason } = this.#condition;
    if (this.#pinned !== undefined) return { state: 'PAUSED', since, reason: this.#pinned, lastError: undefined };
    const lastError = this.#lastError;
    if (condition !== 'ACTIVE') return { state: condition, since, reason, lastError };
    const store = this.services.configuration().find('messageStore', this.storeName);
    if (!store)
      return {
        state: 'WAITING_STORE',
        since,
        reason: `there is no message store named '${this.storeName}'`,
        lastError,
      };
    const connection = store.status();
    if (connection.state !== 'READY' && connection.state !== 'DEGRADED') {
      return {
        state: 'WAITING_STORE',
        since: connection.since,
        reason: `the message store '${this.storeName}' is ${connection.state}`,
        lastError: connection.lastError ?? lastError,
      };
    }
    const hindrance = this.method.waitsFor?.(this.services.configuration());
    if (hindrance) {
      return {
        state: 'WAITING_STORE',
        since: hindrance.since ?? since,
        reason: hindrance.reason,
        lastError: hindrance.lastError ?? lastError,
      };
    }
    const open = this.circuit?.open;
    if (open) return { state: 'CIRCUIT_OPEN', since: open.since, reason: open.reason, lastError };
    return { state: 'ACTIVE', since, reason, lastError };
  }
}

function noCounters(): ProcessorCounters {
  return { delivered: 0, failed: 0, retried: 0, dropped: 0, moved: 0, deadLettered: 0, recognised: 0 };
}

function initialCondition({ startsActive }: Pick<ProcessorPlan, 'startsActive'>): Condition {
  const since = Date.now();
  return startsActive
    ? { condition: 'ACTIVE', since, by: 'deployment', reason: undefined }
    : { condition: 'PAUSED', since, by: 'deployment', reason: 'is.active is false' };
}

/** Members in turn, so that fewer workers after a redeployment still go on with the schedule of the first ones. */
function makeWorkers(
  plan: Omit<ProcessorPlan, 'previous'>,
  core: ProcessorCore,
  previous: readonly Worker[] | undefined,
  leases: readonly Lease[] | undefined,
): Worker[] {
  const names = taskNames(plan.name, plan.members);
  const count = plan.members * plan.concurrency;
  // A single worker takes messages in order anyway.
  const ordering = plan.keyOf && count > 1 ? new Ordering(plan.keyOf) : undefined;
  return Array.from({ length: count }, (_, index) => {
    const name = names[index % plan.members] ?? plan.name;
    const { schedule, limits, source } = plan;
    return new Worker({
      name,
      core,
      schedule,
      limits,
      earlier: previous?.[index],
      ordering,
      source,
      lease: leases?.[index % plan.members],
    });
  });
}
