import type { Position } from '../grammar/diagnostic.ts';
import { logger } from '../logging/index.ts';
import type { Configuration } from '../message/configuration.ts';
import { CronTrigger, type QuartzExpression, type SimpleSchedule, SimpleTrigger } from '../scheduling/index.ts';
import { injectMessage, type MessageInjection } from './message-injector.ts';

declare module '../message/configuration.ts' {
  interface ArtifactKinds {
    task: Task;
  }
}

const log = logger('Task');
/** The reference's name for what runs a task; monitoring rules match on its line. */
const adapter = logger('TaskQuartzJobAdapter');
/** Injections of one task whose flows have not ended; further runs are left out until one has. */
const MAX_IN_FLIGHT = 100;

export type TaskSchedule =
  | { readonly kind: 'cron'; readonly expression: QuartzExpression }
  | ({ readonly kind: 'simple' } & SimpleSchedule);

/** A `<task>` as read from its artifact (spec proxies 6.6). */
export interface TaskDefinition {
  readonly name: string;
  readonly position: Position;
  readonly group: string;
  readonly pinnedServers: readonly string[];
  readonly schedule: TaskSchedule;
  readonly injection: MessageInjection;
}

/** What a task needs from the server. */
export interface TaskServices {
  /** What is served at this moment. */
  configuration(): Configuration;
}

/** A scheduled task at work: injects its message whenever its trigger fires. */
export class Task {
  readonly definition: TaskDefinition;
  readonly #services: TaskServices;
  readonly #trigger: CronTrigger | SimpleTrigger;
  #inFlight = 0;
  #active = false;
  #leftOut = 0;

  constructor(definition: TaskDefinition, services: TaskServices) {
    this.definition = definition;
    this.#services = services;
    const { schedule } = definition;
    this.#trigger =
      schedule.kind === 'cron'
        ? new CronTrigger(schedule.expression, () => this.#run(), { onError: (error) => this.#failed(error) })
        : new SimpleTrigger(schedule, () => this.#run());
  }

  get name(): string {
    return this.definition.name;
  }

  /** Runs that were left out because too many flows of this task were still going on. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** Does its trigger fire? */
  get active(): boolean {
    return this.#active;
  }

  /** When it runs next, epoch ms; undefined when it does not, or cannot be told. */
  get nextRunAt(): number | undefined {
    const { schedule } = this.definition;
    return this.#active && schedule.kind === 'cron' ? schedule.expression.next(Date.now()) : undefined;
  }

  start(): void {
    this.#active = true;
    this.#trigger.start();
    log.info(`Task scheduled: [ESB_TASK][${this.name}].`);
  }

  /** No run starts any more; flows that are going on end by themselves. {@link start} begins anew. */
  stop(): void {
    this.#active = false;
    this.#trigger.stop();
  }

  /** Runs it once now, beside its schedule, whether it is active or not. */
  runOnce(): void {
    this.#run();
  }

  #run(): void {
    if (this.#inFlight >= MAX_IN_FLIGHT) {
      this.#leftOut += 1;
      log.warn(`Task [${this.name}] is not run: ${MAX_IN_FLIGHT} of its flows have not ended yet`);
      return;
    }
    const configuration = this.#services.configuration();
    this.#inFlight += 1;
    const work = injectMessage(this.definition.injection, configuration)
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#inFlight -= 1;
      });
    configuration.services.flows.track(work);
  }

  #failed(error: unknown): void {
    const cause = error instanceof Error ? error.message : String(error);
    adapter.error(`Error in executing task: Task [${this.name}] could not be run: ${cause}`, {
      task: this.name,
      cause,
    });
  }
}
