import type { Position } from '../grammar/diagnostic.ts';
import { LONGEST_RECOGNISED, maskSecrets } from '../logging/secrets.ts';
import type { MessagePlace, MessageTrace, SendEnd } from '../message/flow-observer.ts';
import type { MessageContext } from '../message/message-context.ts';
import { detached } from './payload-preview.ts';
import { MessageWatch, weightOf } from './trace-changes.ts';
import { MAX_STEPS, type TraceRecord, type TraceStep } from './trace-record.ts';

/** Characters of bodies and values that one trace may hold on to; what comes then is recorded without its changes. */
const MAX_WEIGHT = 512 * 1024;
const ERROR_CHARACTERS = 2_048;

/** Where a trace and its ring are told what concerns both. */
export interface TraceOwner {
  /** A store has the message under this id. */
  joined(record: TraceRecord, id: string): void;
  /** It holds on to so many characters more. */
  grew(record: TraceRecord, characters: number): void;
}

/** One message, or one copy of it, writing into the trace of the whole. */
export class TraceThread implements MessageTrace {
  readonly #record: TraceRecord;
  readonly #owner: TraceOwner;
  /** The step that things happen inside of now. */
  #inside: number;
  #watch: MessageWatch | undefined;

  constructor(record: TraceRecord, owner: TraceOwner, inside = 0) {
    this.#record = record;
    this.#owner = owner;
    this.#inside = inside;
  }

  enters(listId: string): void {
    const step = this.#step(this.#inside);
    if (step && listId.startsWith(`${step.id}/`)) step.branch ??= listId.slice(step.id.length + 1);
  }

  begins(place: MessagePlace, message: MessageContext): number {
    const n = this.#add(place.id, place.mediator, labelOf(place), place.position);
    this.#inside = n;
    if (this.#keepsChanges()) this.#watch ??= new MessageWatch(message, this.#record.bodies);
    return n;
  }

  ends(n: number, message: MessageContext, outcome: 'on' | 'stopped'): void {
    this.#end(n, message, outcome);
  }

  fails(n: number, message: MessageContext, error: unknown): void {
    this.#end(n, message, 'fault');
    const step = this.#step(n);
    // Those around the one that failed are passed by the same error.
    if (step && !this.#hasFaultInside(n)) step.error = textOf(error);
  }

  sends(endpoint: string | undefined, kind: string, position: Position): number {
    return this.#add(`endpoint/${endpoint ?? kind}`, 'endpoint', endpoint ?? `(${kind})`, position);
  }

  sent(n: number, { status, error }: SendEnd): void {
    const step = this.#step(n);
    if (!step) return;
    step.durationMs = performance.now() - step.began;
    step.status = status;
    step.outcome = error === undefined ? 'on' : 'fault';
    if (error !== undefined) step.error = textOf(error);
    this.#record.touch();
  }

  storing(id: string): void {
    this.#owner.joined(this.#record, id);
  }

  stored(store: string, id: string): void {
    this.#record.addHop({ store, storedAt: Date.now(), messageId: id });
  }

  fork(): MessageTrace {
    return new TraceThread(this.#record, this.#owner, this.#inside);
  }

  #add(id: string, mediator: string, name: string | undefined, { file, line }: Position): number {
    const record = this.#record;
    record.stepCount += 1;
    const n = record.stepCount;
    if (record.steps.length >= MAX_STEPS) return n;
    record.steps.push({
      n,
      parent: this.#inside,
      id,
      mediator,
      name,
      file,
      line,
      startedAt: Date.now(),
      began: performance.now(),
      durationMs: undefined,
      branch: undefined,
      outcome: 'running',
      error: undefined,
      status: undefined,
      changes: undefined,
    });
    record.weight += 256;
    this.#owner.grew(record, 256);
    return n;
  }

  #end(n: number, message: MessageContext, outcome: TraceStep['outcome']): void {
    const step = this.#step(n);
    this.#record.touch();
    if (!step) return;
    step.durationMs = performance.now() - step.began;
    step.outcome = outcome;
    this.#inside = step.parent;
    this.#compare(step, message);
  }

  /** Of a step with others inside, those say what changed. */
  #compare(step: TraceStep, message: MessageContext): void {
    if (!this.#watch || !this.#keepsChanges()) return;
    const hasChildren = this.#record.stepCount > step.n;
    const changes = this.#watch.look(message);
    if (!changes || hasChildren) return;
    step.changes = changes;
    const weight = weightOf(changes);
    this.#record.weight += weight;
    this.#owner.grew(this.#record, weight);
  }

  #keepsChanges(): boolean {
    const { weight, stepCount } = this.#record;
    return weight < MAX_WEIGHT && stepCount <= MAX_STEPS;
  }

  #hasFaultInside(n: number): boolean {
    return this.#record.steps.some(({ parent, outcome }) => parent === n && outcome === 'fault');
  }

  #step(n: number): TraceStep | undefined {
    return this.#record.steps[n - 1];
  }
}

function labelOf(place: MessagePlace): string | undefined {
  return (place as { readonly label?: string }).label;
}

function textOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (text.length <= ERROR_CHARACTERS) return maskSecrets(text);
  return detached(maskSecrets(text.slice(0, ERROR_CHARACTERS + LONGEST_RECOGNISED)).slice(0, ERROR_CHARACTERS));
}
