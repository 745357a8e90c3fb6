import type { MonotonicClock } from '../../src/coordination/clock.ts';
import { Lease } from '../../src/coordination/lease.ts';
import type { Grant, LeaseMedium, Refusal } from '../../src/coordination/lease-medium.ts';
import type { Tenure } from '../../src/coordination/tenure.ts';

export const LEASE_MS = 15_000;
const VALID_MS = LEASE_MS * 0.8;
const ASK_EVERY_MS = 2_000;
const DELIVER_EVERY_MS = 400;

interface Due {
  readonly at: number;
  /** Who has to be awake for it; undefined: it happens in any case. */
  readonly node: Node | undefined;
  readonly fire: () => void;
}

/** Time as the test makes it pass; nodes in it can be stopped as by SIGSTOP. */
export class World {
  now = 1_000_000;
  readonly medium = new Medium(this);
  readonly nodes: Node[] = [];
  readonly problems: string[] = [];
  #due: Due[] = [];

  add(name: string): Node {
    const node = new Node(this, name);
    this.nodes.push(node);
    return node;
  }

  after(ms: number, fire: () => void, node?: Node): () => void {
    const due = { at: this.now + Math.max(0, ms), node, fire };
    this.#due.push(due);
    return () => {
      this.#due = this.#due.filter((other) => other !== due);
    };
  }

  async pass(ms: number): Promise<void> {
    const end = this.now + ms;
    for (;;) {
      await settled();
      const ready = this.#due.filter(({ at, node }) => at <= end && !node?.frozen);
      const [first] = ready.sort((one, other) => one.at - other.at);
      if (!first) break;
      this.#due = this.#due.filter((due) => due !== first);
      // What was due while its node was stopped happens late.
      this.now = Math.max(this.now, first.at);
      first.fire();
      await settled();
      this.check();
    }
    this.now = end;
    this.check();
  }

  /** Those that would deliver now. */
  holders(): Node[] {
    return this.nodes.filter((node) => !node.frozen && node.lease.status().here);
  }

  check(): void {
    const holders = this.holders();
    if (holders.length > 1) this.problems.push(`${this.now}: ${holders.map(({ name }) => name).join(' and ')} hold it`);
  }
}

/** A database: leases by its own clock. */
export class Medium {
  reachable = true;
  /** Answers are lost, what was asked for is done. */
  deaf = false;
  latencyMs = 5;
  owner: string | undefined;
  expiresAt = 0;
  token = 0;
  grants = 0;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  for(node: Node): LeaseMedium {
    return { where: 'the world', states: undefined, acquire: () => this.#acquire(node) };
  }

  async #acquire(node: Node): Promise<Grant | Refusal> {
    const askedAt = this.#world.now;
    const answer = await this.#ask(node, () => {
      if (this.owner !== node.name && this.expiresAt > this.#world.now) return undefined;
      this.owner = node.name;
      this.token += 1;
      this.expiresAt = this.#world.now + LEASE_MS;
      return this.token;
    });
    if (answer === undefined) return { granted: false, holder: this.owner, retryMs: ASK_EVERY_MS };
    this.grants += 1;
    return this.#grant(node, answer, askedAt);
  }

  #grant(node: Node, token: number, askedAt: number): Grant {
    const isOurs = () => this.owner === node.name && this.token === token;
    return {
      granted: true,
      askedAt,
      validMs: VALID_MS,
      lost: new AbortController().signal,
      renew: () =>
        this.#ask(node, () => {
          if (isOurs()) this.expiresAt = this.#world.now + LEASE_MS;
          return isOurs();
        }),
      release: async () => {
        await this.#ask(node, () => {
          if (isOurs()) this.expiresAt = 0;
        }).catch(() => undefined);
      },
    };
  }

  /** The question arrives whatever becomes of who asked; the answer is heard when he is awake. */
  #ask<T>(node: Node, act: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#world.after(this.latencyMs, () => {
        const result = this.reachable ? act() : undefined;
        const failed = !this.reachable || this.deaf;
        this.#world.after(this.latencyMs, () => (failed ? reject(new Error('no answer')) : resolve(result as T)), node);
      });
    });
  }
}

/** A node that delivers something every now and then while it has the task. */
export class Node {
  readonly name: string;
  readonly lease: Lease;
  readonly delivered: number[] = [];
  frozen = false;
  /** How long it takes to stop, ms. */
  stopsInMs = 50;
  tenures = 0;
  readonly #world: World;
  readonly #clock: MonotonicClock;
  #halt = new AbortController();
  #done: Promise<void> = Promise.resolve();

  constructor(world: World, name: string) {
    this.#world = world;
    this.name = name;
    this.#clock = { now: () => world.now, pause: (ms, ...signals) => this.#pause(ms, signals) };
    const medium = world.medium.for(this);
    this.lease = new Lease({ task: 'MSMP_P_0', node: name, medium: () => medium, clock: this.#clock });
  }

  start(): void {
    this.#halt = new AbortController();
    const { signal } = this.#halt;
    this.#done = this.lease.during(signal, (tenure) => this.#work(tenure, signal));
  }

  /** Resolves when it has given everything back; somebody has to make time pass. */
  stop(): Promise<void> {
    this.#halt.abort();
    return this.#done;
  }

  /** As a killed process: nothing of it happens any more. */
  freeze(): void {
    this.frozen = true;
  }

  thaw(): void {
    this.frozen = false;
  }

  async #work(tenure: Tenure, halt: AbortSignal): Promise<void> {
    this.tenures += 1;
    while (!tenure.over.aborted && !halt.aborted) {
      if (tenure.holds()) this.#deliver();
      await this.#clock.pause(DELIVER_EVERY_MS, tenure.over, halt);
    }
    await this.#clock.pause(this.stopsInMs);
  }

  #deliver(): void {
    const { medium, now } = this.#world;
    this.delivered.push(now);
    if (medium.owner !== this.name || medium.expiresAt <= now) {
      this.#world.problems.push(
        `${now}: ${this.name} delivers, the medium has ${medium.owner} until ${medium.expiresAt}`,
      );
    }
  }

  #pause(ms: number, signals: readonly AbortSignal[]): Promise<void> {
    if (signals.some(({ aborted }) => aborted)) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        for (const signal of signals) signal.removeEventListener('abort', end);
        resolve();
      };
      const cancel = Number.isFinite(ms) ? this.#world.after(ms, end, this) : () => undefined;
      for (const signal of signals) signal.addEventListener('abort', end);
    });
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
