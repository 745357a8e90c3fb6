import { taskNames } from '../coordination/cluster.ts';
import type { Position } from '../grammar/diagnostic.ts';
import { logger } from '../logging/index.ts';
import { causeChain } from '../mediation/fault.ts';
import { pause } from '../scheduling/index.ts';
import { Activations } from './activation.ts';
import { Circuit } from './circuit.ts';
import type { ProcessorServices } from './component.ts';
import { Coordination, pinnedElsewhere } from './coordination.ts';
import type { DeliveryMethod } from './delivery-method.ts';
import { type Condition, KeptCondition } from './kept-condition.ts';
import {
  type MessageProcessor,
  type ProcessorCounters,
  type ProcessorState,
  type ProcessorStatus,
  type StepOutcome,
  StepRefusedError,
} from './message-processor.ts';
import type { ProcessorCore, SelfDeactivation } from './processor-core.ts';
import { makeWorkers, type ProcessorPlan } from './processor-plan.ts';
import type { ProcessorSequences } from './processor-sequences.ts';
import type { RetryPolicy } from './retry-policy.ts';
import { type ShownState, shownState } from './shown-state.ts';
import { StoreUnreachableError } from './store-link.ts';
import { within } from './waiting.ts';
import type { Delivered, Worker } from './worker.ts';

const log = logger('ScheduledMessageProcessor');
const tasks = logger('AbstractQuartzTaskManager');
const STEP_WAIT_MS = 1000;
/** How long a cut-off attempt may take to notice it, ms. */
const CUT_OFF_GRACE_MS = 1000;
/** Who changes a state that another node has decided on. */
const BY_CLUSTER = 'another node';

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
 * While it does not work an operator may have it make one step: PAUSED ── step ──► one delivery by the first worker ──► PAUSED (and so
 * from DEACTIVATED and FAULTY); what the message does to it is remembered as its last error, not as a state.
 *
 * A transition takes effect at once and is then recorded. Workers run while the `halt` of the present activation is not aborted;
 * every activation has a new one.
 */
export class ScheduledProcessor implements MessageProcessor, ProcessorCore {
  readonly #plan: Omit<ProcessorPlan, 'previous'>;
  #previous: MessageProcessor | undefined;
  readonly #workers: readonly Worker[];
  readonly #cutOff = new AbortController();
  readonly #condition: KeptCondition;
  readonly circuit: Circuit | undefined;
  readonly #coordination: Coordination | undefined;
  /** Why it does not work on this server. */
  readonly #pinned: string | undefined;
  #letJournalGo: (() => void) | undefined;
  #halt = new AbortController();
  /** Resolves when the processor that this one replaces has ended. */
  #gate: Promise<void> = Promise.resolve();
  #started = false;
  #stopping: Promise<void> | undefined;
  readonly #activations: Activations | undefined;
  /** Resolves when what followed the activations of processors that this one replaces has ended. Never rejects. */
  #earlierActivations: Promise<unknown> = Promise.resolve();
  /** Resolves when the processor that replaces this one waits for what follows its activations. */
  readonly #handedOver = Promise.withResolvers<void>();
  /** Aborted when the present step is to end. */
  #stepping: AbortController | undefined;
  #reactivation: { readonly at: number; readonly cancel: AbortController } | undefined;
  counters: ProcessorCounters;

  constructor(plan: ProcessorPlan) {
    const { previous: replaced, ...own } = plan;
    const previous = replaced instanceof ScheduledProcessor ? replaced : undefined;
    this.#plan = own;
    this.#previous = replaced;
    this.counters = previous?.counters ?? noCounters();
    const { dataDirectory } = own.services;
    const { name: processor, startsActive } = own;
    const kept = previous === undefined ? undefined : previous.#condition;
    this.#condition = new KeptCondition({ dataDirectory, processor, startsActive }, kept);
    const { activateSequence, services } = own;
    if (activateSequence !== undefined) {
      this.#activations = new Activations(activateSequence, () => services.configuration());
    }
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

  get position(): Position {
    return this.#plan.position;
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
      by: this.#condition.current.by,
      failingMessageId: this.#condition.failingMessageId,
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
    await this.#condition.load();
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
    await this.#condition.load();
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
    const { condition: from, reason } = this.#condition.current;
    const recorded = this.#enter({ condition: 'ACTIVE', since: Date.now(), by, reason: undefined });
    this.#halt = new AbortController();
    if (this.#started) this.#startWorkers();
    for (const name of this.#tasks) tasks.info(`Task resumed: [ESB_TASK][${name}]`);
    log.info(`Successfully re-activated the message processor [${this.name}]`, { processor: this.name, by });
    // Of all nodes that follow an activation, the one where it was made tells of it.
    if (by !== BY_CLUSTER) this.#activations?.add({ processor: this.name, by, from, reason });
    await recorded;
    return this.#shownState().state;
  }

  async deactivate(by: string): Promise<ProcessorState> {
    await this.#condition.load();
    if (this.#condition.current.condition === 'PAUSED' || this.#stopping) return this.#shownState().state;
    const wasActive = this.#active;
    const recorded = this.#enter({ condition: 'PAUSED', since: Date.now(), by, reason: `deactivated by ${by}` });
    if (wasActive) this.#halted();
    await recorded;
    return this.#shownState().state;
  }

  async step(by: string): Promise<StepOutcome> {
    await this.#condition.load();
    const refusal = this.#stepRefusal();
    const [worker] = this.#workers;
    if (refusal !== undefined || !worker) throw new StepRefusedError(`[${this.name}] cannot step: ${refusal}`);
    const before = { ...this.counters };
    const step = new AbortController();
    this.#stepping = step;
    log.info(`[${this.name}] makes one step`, { processor: this.name, by });
    try {
      const delivered = await worker.step(step.signal, this.#gate, this.#plan.stepWaitMs ?? STEP_WAIT_MS);
      const outcome = stepOutcome(delivered, before, this.counters);
      const cause = outcome === 'failed' || outcome === 'set-aside' ? this.#condition.lastError : undefined;
      return { outcome, messageId: delivered?.id, cause };
    } finally {
      this.#stepping = undefined;
    }
  }

  #stepRefusal(): string | undefined {
    if (!this.#started || this.#stopping) return 'it is not running';
    if (this.#pinned !== undefined) return this.#pinned;
    if (this.#stepping) return 'it makes a step already';
    if (this.#active) return 'it works by itself; pause it first';
    return this.method.obstacle(this.services.configuration());
  }

  async deactivateItself({ state, reason, messageId, about }: SelfDeactivation): Promise<void> {
    if (!this.#active || this.#stopping) return;
    this.#condition.noteFailure({ messageId });
    const recorded = this.#enter({ condition: state, since: Date.now(), by: 'itself', reason });
    this.#halted();
    log.warn(`[${this.name}] deactivated itself and stays so until it is activated: ${reason}`, {
      processor: this.name,
      store: this.storeName,
      messageId,
      ...about,
    });
    this.#planReactivation();
    await recorded;
  }

  noteFailure(error: string, messageId: string): void {
    this.#condition.noteFailure({ error, messageId });
  }

  async stop({ undeploy }: { readonly undeploy: boolean }): Promise<void> {
    this.#stopping ??= this.#end();
    // From here on nothing is recorded, so the record can go before the last attempt has ended.
    if (undeploy) await this.#condition.remove();
    await this.#stopping;
    await this.#condition.flushed();
    await this.#coordination?.stop({ undeploy });
    if (undeploy) for (const name of this.#tasks) tasks.info(`Task deleted: [ESB_TASK][${name}]`);
  }

  /** The reference's names of its tasks. */
  get #tasks(): readonly string[] {
    return taskNames(this.name, this.#plan.members);
  }

  /** Does what was decided on another node. */
  async #follow(wanted: 'active' | 'inactive'): Promise<void> {
    const { condition, by } = this.#condition.current;
    // What keeps it from working here was said once; an operator may try again.
    if (wanted === 'active' && condition === 'FAULTY' && by === BY_CLUSTER) return;
    if (wanted === 'active') await this.activate(BY_CLUSTER);
    else await this.deactivate(BY_CLUSTER);
  }

  get #active(): boolean {
    return this.#condition.active;
  }

  /** Goes on where the processor of the same name is, and lets it end first. */
  #takeOver(): void {
    const previous = this.#previous;
    if (!previous) return;
    this.#previous = undefined;
    if (previous instanceof ScheduledProcessor) {
      this.#condition.takeOver(previous.#condition);
      this.#earlierActivations = previous.#handOverActivations();
    }
    this.#gate = previous.stop({ undeploy: false });
  }

  /** What follows activations keeps nobody from delivering: the successor waits for it at its own end. */
  #handOverActivations(): Promise<unknown> {
    this.#handedOver.resolve();
    return this.#activationsEnd();
  }

  #activationsEnd(): Promise<unknown> {
    return Promise.all([this.#earlierActivations, this.#activations?.ended()]);
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
    const recorded = this.#condition.enter(condition);
    if (condition.by !== BY_CLUSTER) this.#coordination?.announce(this.#active ? 'active' : 'inactive');
    return recorded;
  }

  async #failedUnexpectedly(error: unknown): Promise<void> {
    const service = logger(this.method.service);
    const cause = causeChain(error);
    if (error instanceof StoreUnreachableError) service.error(`Error while connecting to message store ${this.name}`);
    service.fatal(`Deactivating the message processor [${this.name}]`, { processor: this.name, cause });
    this.#condition.noteFailure({ error: cause });
    await this.deactivateItself({ state: 'DEACTIVATED', reason: cause, messageId: undefined });
  }

  #planReactivation(): void {
    const { reactivateAfterMs } = this.#plan;
    const { condition, since } = this.#condition.current;
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
    this.#stepping?.abort();
    await Promise.all([this.#endDeliveries(), this.#endActivations()]);
    this.#letJournalGo?.();
  }

  async #endDeliveries(): Promise<void> {
    const ended = Promise.all([this.#gate, ...this.#workers.map((worker) => worker.ended())]);
    if (await this.#endsInTime(ended)) return;
    log.error(
      `[${this.name}] A delivery did not end within the stop deadline and is left behind; its message will come again`,
    );
  }

  async #endActivations(): Promise<void> {
    const ended = Promise.race([this.#activationsEnd(), this.#handedOver.promise]);
    if (await within(this.services.stopDeadlineMs, ended)) return;
    this.#activations?.leave();
    log.error(`[${this.name}] The activate sequence did not end within the stop deadline and is left behind`, {
      processor: this.name,
    });
  }

  /** Within the stop deadline, or soon after attempts were cut off. */
  async #endsInTime(ended: Promise<unknown>): Promise<boolean> {
    if (await within(this.services.stopDeadlineMs, ended)) return true;
    this.#cutOff.abort();
    return within(CUT_OFF_GRACE_MS, ended);
  }

  #shownState(): ShownState {
    const { since } = this.#condition.current;
    if (this.#pinned !== undefined) return { state: 'PAUSED', since, reason: this.#pinned, lastError: undefined };
    return shownState(this, this.#condition);
  }
}

/** By what the counters say, which nobody else changes while it does not work. */
function stepOutcome(
  delivered: Delivered | undefined,
  before: ProcessorCounters,
  after: ProcessorCounters,
): StepOutcome['outcome'] {
  if (!delivered) return 'none';
  const grown = (...names: ReadonlyArray<keyof ProcessorCounters>) => names.some((name) => after[name] > before[name]);
  if (grown('delivered', 'recognised')) return 'delivered';
  if (delivered.gone) return 'set-aside';
  return grown('failed') ? 'failed' : 'not-ready';
}

function noCounters(): ProcessorCounters {
  return { delivered: 0, failed: 0, retried: 0, dropped: 0, late: 0, moved: 0, deadLettered: 0, recognised: 0 };
}
