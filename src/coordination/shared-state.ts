import { logger } from '../logging/index.ts';
import { type MonotonicClock, processClock } from './clock.ts';
import type { TaskStates, Wanted } from './lease-medium.ts';

const log = logger('CoordinatedTaskScheduler');

/** How often nodes look what others want, ms (`task_handling.resolving_period`, spec stores 6.2). */
const LOOK_EVERY_MS = 2_000;

export interface SharedStateOptions {
  readonly tasks: readonly string[];
  /** Where it is kept; undefined: nowhere, every node has a state of its own. @throws an error when it cannot be used */
  states(): TaskStates | undefined;
  /** What holds on this node. */
  current(): Wanted;
  /** Does here what another node wants. */
  apply(wanted: Wanted): Promise<void>;
  readonly clock?: MonotonicClock;
}

/**
 * Whether a processor is active, on all nodes alike (spec stores 6.2):
 *
 *   FOLLOWING ── announce ──► WRITING ── written ──► FOLLOWING      (WRITING again and again while the medium is out of reach)
 *       │ every 2 s: what others have written holds here, unless something was announced meanwhile;
 *       └ nothing there: what holds here is written
 */
export class SharedState {
  readonly #options: SharedStateOptions;
  readonly #clock: MonotonicClock;
  readonly #life = new AbortController();
  #wake = new AbortController();
  /** Not written yet. */
  #announced: Wanted | undefined;
  #announcements = 0;
  #loop: Promise<void> | undefined;
  #problem: string | undefined;

  constructor(options: SharedStateOptions) {
    this.#options = options;
    this.#clock = options.clock ?? processClock;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Something was decided here; the others are to follow. */
  announce(wanted: Wanted): void {
    this.#announced = wanted;
    this.#announcements += 1;
    this.#wake.abort();
  }

  /** With `undeploy` nothing is left of it. Never throws. */
  async stop({ undeploy }: { readonly undeploy: boolean }): Promise<void> {
    this.#life.abort();
    await this.#loop;
    if (!undeploy) return;
    await this.#try(async (states) => states.remove(this.#options.tasks));
  }

  async #run(): Promise<void> {
    while (!this.#life.signal.aborted) {
      this.#wake = new AbortController();
      await this.#try((states) => this.#exchange(states));
      await this.#clock.pause(LOOK_EVERY_MS, this.#life.signal, this.#wake.signal);
    }
    // What was decided last is known to the others before this node goes.
    if (this.#announced !== undefined) await this.#try((states) => this.#exchange(states));
  }

  async #exchange(states: TaskStates): Promise<void> {
    const { tasks, current, apply } = this.#options;
    const announced = this.#announced;
    const announcements = this.#announcements;
    if (announced !== undefined) {
      await states.write(tasks, announced);
      if (announcements === this.#announcements) this.#announced = undefined;
      return;
    }
    const [first = ''] = tasks;
    const wanted = await states.read(first);
    if (announcements !== this.#announcements) return;
    if (wanted === undefined) await states.write(tasks, current());
    else if (wanted !== current()) await apply(wanted);
  }

  async #try(work: (states: TaskStates) => Promise<void>): Promise<void> {
    try {
      const states = this.#options.states();
      if (states) await work(states);
      this.#problem = undefined;
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      const [task = ''] = this.#options.tasks;
      if (problem !== this.#problem) log.debug(`The state of [${task}] cannot be exchanged: ${problem}`, { task });
      this.#problem = problem;
    }
  }
}
