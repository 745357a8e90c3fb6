import type { FlowFailure } from '../message/exchange.ts';
import type { StepChanges } from './trace-changes.ts';
import type { TracedArtifact } from './tracing-modes.ts';

/** More steps than this of one message are counted and not kept. */
export const MAX_STEPS = 500;
const MAX_HOPS = 100;
const MAX_DELIVERIES = 100;

export type TraceOutcome = 'ok' | 'fault' | 'dropped' | 'stored' | 'running';
export type StepOutcome = 'running' | 'on' | 'stopped' | 'fault';

/** One mediator, or one send, on the way of a message. */
export interface TraceStep {
  /** Counts from 1. */
  readonly n: number;
  /** The step it happened inside of; 0: none. */
  readonly parent: number;
  readonly id: string;
  /** The element's name; `endpoint` for a send. */
  readonly mediator: string;
  readonly name: string | undefined;
  readonly file: string;
  readonly line: number;
  /** Epoch ms. */
  readonly startedAt: number;
  /** On the monotonic clock, ms. */
  readonly began: number;
  durationMs: number | undefined;
  /** The branch that was taken: `then`, `case/2`, …. */
  branch: string | undefined;
  outcome: StepOutcome;
  error: string | undefined;
  /** Of a send. */
  status: number | undefined;
  changes: StepChanges | undefined;
}

/** The message went into a store. */
export interface TraceHop {
  readonly store: string;
  readonly storedAt: number;
  /** The id that it has there. */
  readonly messageId: string;
}

/** One attempt to deliver it out of a store. */
export interface TraceDelivery {
  readonly processor: string;
  readonly store: string;
  readonly attempt: number;
  readonly startedAt: number;
  readonly durationMs: number;
  readonly endpoint: string | undefined;
  readonly status: number | undefined;
  readonly outcome: string;
  readonly cause: string | undefined;
}

/** The way of one message, as far as this process has seen it (OP-46). */
export class TraceRecord {
  readonly id: string;
  readonly messageId: string;
  readonly artifact: TracedArtifact;
  readonly client: string | undefined;
  readonly bodies: boolean;
  readonly startedAt = Date.now();
  readonly began = performance.now();
  readonly steps: TraceStep[] = [];
  readonly hops: TraceHop[] = [];
  readonly deliveries: TraceDelivery[] = [];
  /** That it had, or was to have, in stores; the ring finds it by them. */
  readonly ids = new Set<string>();
  /** Steps that happened, also those that were not kept. */
  stepCount = 0;
  status: number | undefined;
  failure: FlowFailure | undefined;
  outcome: TraceOutcome = 'running';
  /** Characters that it holds on to, about. */
  weight = 1_000;
  /** On the monotonic clock: the last thing that happened. */
  #last = performance.now();

  constructor(options: {
    readonly id: string;
    readonly messageId: string;
    readonly artifact: TracedArtifact;
    readonly client: string | undefined;
    readonly bodies: boolean;
  }) {
    this.id = options.id;
    this.messageId = options.messageId;
    this.artifact = options.artifact;
    this.client = options.client;
    this.bodies = options.bodies;
  }

  get durationMs(): number {
    return this.#last - this.began;
  }

  touch(): void {
    this.#last = performance.now();
  }

  addHop(hop: TraceHop): void {
    if (this.hops.length < MAX_HOPS) this.hops.push(hop);
    this.touch();
  }

  /** The first and the last ones are kept. */
  addDelivery(delivery: TraceDelivery): void {
    if (this.deliveries.length >= MAX_DELIVERIES) this.deliveries.splice(MAX_DELIVERIES / 2, 1);
    this.deliveries.push(delivery);
    this.touch();
  }

  /** The client has its answer, or the flow has ended where there is none. */
  end(status: number | undefined, failure: FlowFailure | undefined): void {
    this.status = status;
    this.failure = failure;
    this.touch();
    if (failure || (status ?? 0) >= 500) this.outcome = 'fault';
    else if (this.hops.length > 0) this.outcome = 'stored';
    else this.outcome = this.#dropped() ? 'dropped' : 'ok';
  }

  #dropped(): boolean {
    const sent = this.steps.some(({ mediator }) =>
      ['respond', 'send', 'call', 'loopback', 'endpoint'].includes(mediator),
    );
    return !sent && this.steps.some(({ mediator, outcome }) => mediator === 'drop' && outcome === 'stopped');
  }
}
