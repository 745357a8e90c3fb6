import { logger } from '../logging/index.ts';
import type { RunningServer } from '../server.ts';

const log = logger('Workers');

/** After a worker has worked for so long, its next end is the first again, ms. */
const PROVEN_MS = 60_000;
/** So many ends of one worker, one after the other without having worked for {@link PROVEN_MS}, are enough. */
export const MAX_ENDS = 6;
/** Before the first new start, ms; twice as long before each further one, of which {@link MAX_ENDS} allows few. */
const FIRST_PAUSE_MS = 100;
/** How long a worker may take to get ready from when it may begin, ms. */
const READY_DEADLINE_MS = 120_000;

export type Role = 'owner' | 'taker';
/** Why all end: a signal's name, or what the management API was asked for. */
export type EndCause = string;

/** What a worker tells when it is ready. */
export type WorkerReady = Pick<
  RunningServer,
  'host' | 'httpPort' | 'httpsPort' | 'managementHost' | 'managementPort' | 'artifactCount' | 'faultyCount'
>;

/** How a process ended: with a code, or by a signal. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A worker process, as the supervisor sees it. */
export interface WorkerProcess {
  readonly pid: number | undefined;
  /** It may open what it opens: the owner first, so that takers find what it has made. */
  begin(): void;
  /** It is to end what is in flight, and then itself. */
  stop(cause: EndCause): void;
  kill(): void;
}

/** What a worker process tells of itself. */
export interface WorkerEvents {
  ready(ready: WorkerReady): void;
  /** The management API was asked to end or restart the server. */
  asked(how: 'shutdown' | 'restart'): void;
  ended(end: ProcessEnd): void;
}

export interface SupervisorOptions {
  /** All of them, at least 2; the first one is the owner. */
  readonly workers: number;
  /** ms that a stop may take. */
  readonly shutdownMs: number;
  fork(role: Role, events: WorkerEvents): WorkerProcess;
}

/** Why {@link Supervisor.ended} resolved. */
export type Outcome =
  /** All ended because they were to. */
  | { readonly kind: 'stopped'; readonly cause: EndCause }
  /** A worker did not get ready at the start; it has said why. */
  | { readonly kind: 'not started'; readonly end: ProcessEnd }
  /** A worker ended too often. */
  | { readonly kind: 'given up' };

interface Slot {
  readonly role: Role;
  readonly number: number;
  /** Undefined: it ended, and waits to be started again. */
  process: WorkerProcess | undefined;
  state: 'waiting' | 'starting' | 'working' | 'ended';
  /** Ends since it has worked for {@link PROVEN_MS}. */
  ends: number;
  /** On the monotonic clock: when it was ready. */
  readySince: number | undefined;
  /** Of the pause before it is started again, or of the deadline for its start. */
  timer: NodeJS.Timeout | undefined;
}

/*
 * The life of all workers:
 *
 *   STARTING ──── all are ready ────► SERVING ──── stop(), a request of the management API ────► STOPPING ──── all ended ────► ENDED
 *      │                                 └──────── a worker ended too often ──────────────────────►│ ▲
 *      └──── a worker ended, or stop() ────────────────────────────────────────────────────────────┘ └─ at the deadline: killed
 *
 * and of each one, while SERVING:
 *
 *   working ──── ended, whatever its code ────► waiting ──── after a pause of 0.1 s, twice as long each time ────► starting
 *      ▲                                           ▲                                                                │    │
 *      │                                           └──── ended, or not ready in time (killed) ──────────────────────┘    │
 *      └──── ready ──────────────────────────────────────────────────────────────────────────────────────────────────────┘
 *
 * All are forked at once, so that they read their code at the same time, and begin when they are told: at the start takers begin when the
 * owner is ready, because a port that is taken, a data folder in use or a wrong artifact folder is said once, by the owner, and because the
 * owner makes what all need (the certificate). Later each begins at once: a taker serves without an owner, only what it stores waits, and
 * an owner finds its listeners held open by the takers.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #slots: Slot[] = [];
  readonly #ready = Promise.withResolvers<WorkerReady>();
  readonly #ended = Promise.withResolvers<Outcome>();
  #state: 'STARTING' | 'SERVING' | 'STOPPING' | 'ENDED' = 'STARTING';
  #ports: WorkerReady | undefined;
  #outcome: Outcome | undefined;
  #deadline: NodeJS.Timeout | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** What the owner has told, when all are ready for the first time; never resolves when that does not come to pass. */
  get ready(): Promise<WorkerReady> {
    return this.#ready.promise;
  }

  /** Resolves when no worker is left. */
  get ended(): Promise<Outcome> {
    return this.#ended.promise;
  }

  start(): void {
    for (let number = 1; number <= this.#options.workers; number += 1) {
      const role = number === 1 ? 'owner' : 'taker';
      const slot: Slot = {
        role,
        number,
        process: undefined,
        state: 'waiting',
        ends: 0,
        readySince: undefined,
        timer: undefined,
      };
      this.#slots.push(slot);
    }
    for (const slot of this.#slots) this.#fork(slot);
    const [owner] = this.#slots;
    if (owner) this.#begin(owner);
  }

  /** Ends all workers; those that take longer than the deadline are killed. Idempotent. */
  stop(cause: EndCause): void {
    this.#stop({ kind: 'stopped', cause });
  }

  #stop(outcome: Outcome): void {
    if (this.#state === 'STOPPING' || this.#state === 'ENDED') return;
    this.#state = 'STOPPING';
    this.#outcome = outcome;
    this.#deadline = setTimeout(() => this.#killAll(), this.#options.shutdownMs);
    for (const slot of this.#slots) {
      clearTimeout(slot.timer);
      if (slot.process) slot.process.stop(outcome.kind === 'stopped' ? outcome.cause : outcome.kind);
      else slot.state = 'ended';
    }
    this.#endsWhenAllHave();
  }

  #killAll(): void {
    log.warn(`Not everything has ended within ${this.#options.shutdownMs} ms; the rest is cut off`);
    for (const { process } of this.#slots) process?.kill();
  }

  #fork(slot: Slot): void {
    slot.state = 'starting';
    slot.readySince = undefined;
    const process: WorkerProcess = this.#options.fork(slot.role, {
      ready: (ready) => {
        if (slot.process === process) this.#isReady(slot, ready);
      },
      asked: (how) => this.stop(how),
      ended: (end) => {
        if (slot.process === process) this.#hasEnded(slot, end);
      },
    });
    slot.process = process;
  }

  /** From now on its time counts: takers may have waited long for an owner with much to deploy. */
  #begin(slot: Slot): void {
    const { process } = slot;
    if (!process) return;
    slot.timer = setTimeout(() => {
      log.error(`Worker ${slot.number} (${slot.role}) is not ready after ${READY_DEADLINE_MS / 1_000} s and is killed`);
      process.kill();
    }, READY_DEADLINE_MS);
    process.begin();
  }

  #isReady(slot: Slot, ready: WorkerReady): void {
    if (slot.state !== 'starting') return;
    clearTimeout(slot.timer);
    slot.state = 'working';
    slot.readySince = performance.now();
    this.#ports ??= ready;
    const ports = this.#ports;
    if (ready.httpPort !== ports.httpPort || ready.httpsPort !== ports.httpsPort) {
      // With port 0, when all had ended at once: nobody knows where the clients are to go.
      log.error(`Worker ${slot.number} listens on port ${ready.httpPort}, the others on ${ports.httpPort}; all end`);
      this.#stop({ kind: 'given up' });
      return;
    }
    if (this.#state === 'SERVING') {
      log.info(`Worker ${slot.number} (${slot.role}), process ${slot.process?.pid}, is ready`);
      return;
    }
    if (this.#state !== 'STARTING') return;
    if (slot.role === 'owner') for (const other of this.#slots) if (other !== slot) this.#begin(other);
    if (!this.#slots.every(({ state }) => state === 'working')) return;
    this.#state = 'SERVING';
    this.#ready.resolve(ports);
  }

  #hasEnded(slot: Slot, end: ProcessEnd): void {
    clearTimeout(slot.timer);
    slot.process = undefined;
    slot.state = 'ended';
    if (this.#state === 'STARTING') this.#stop({ kind: 'not started', end });
    else if (this.#state === 'SERVING') this.#again(slot, end);
    else this.#endsWhenAllHave();
  }

  #again(slot: Slot, end: ProcessEnd): void {
    const { role, number, readySince } = slot;
    const proven = readySince !== undefined && performance.now() - readySince >= PROVEN_MS;
    slot.ends = proven ? 1 : slot.ends + 1;
    const how = end.signal === null ? `with ${end.code}` : `by ${end.signal}`;
    if (slot.ends >= MAX_ENDS) {
      log.fatal(`Worker ${number} (${role}) ended ${how}, for the ${slot.ends}th time in a row; all end`);
      this.#stop({ kind: 'given up' });
      return;
    }
    const pauseMs = FIRST_PAUSE_MS * 2 ** (slot.ends - 1);
    log.error(`Worker ${number} (${role}) ended ${how}; it is started again in ${pauseMs} ms`);
    slot.state = 'waiting';
    slot.timer = setTimeout(() => {
      this.#fork(slot);
      this.#begin(slot);
    }, pauseMs);
  }

  #endsWhenAllHave(): void {
    if (this.#state !== 'STOPPING' || !this.#slots.every(({ state }) => state === 'ended')) return;
    this.#state = 'ENDED';
    clearTimeout(this.#deadline);
    this.#ended.resolve(this.#outcome ?? { kind: 'given up' });
  }
}
