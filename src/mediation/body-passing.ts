import type { Endpoint } from '../endpoints/endpoint.ts';
import type { Reference } from '../grammar/reader.ts';
import type { Configuration } from '../message/configuration.ts';
import type { Sequence } from './sequence.ts';
import type { SequenceReference } from './sequence-reference.ts';
import type { Step, StepList } from './step.ts';

/*
 * Which flows leave a body alone, so that it may be passed on while it still comes (REQ-23). Told from what is deployed, before a message
 * comes; a flow of which it is not certain holds the body as ever.
 *
 * - Every mediator on the way says of itself that it neither reads nor replaces the body, nor copies the message, nor changes how
 *   a body is written or a request is answered (`CompileContext.leavesBody`). Lists inside it, the sequences that it names and the
 *   endpoints are looked at by themselves.
 * - A request goes to one endpoint that sends it once (`Endpoint.passesBody`): no group, which might send it again, nothing that
 *   secures, addresses or authorizes. It is not sent back to the client.
 * - Where something failed, the body may be half gone: fault sequences of a request send nothing. Of such a body a full log shows the
 *   beginning; in any other place it reads it.
 * - The answer goes back to the client and nowhere else.
 */

/** The parts of a proxy that a body passes. */
export interface PassedFlow {
  /** Run in order. */
  readonly sequences: ReadonlyArray<SequenceReference | undefined>;
  /** Where it goes at the end. */
  readonly endpoint?: Endpoint | undefined;
  /** Undefined: that of the configuration, if there is one. */
  readonly faultSequence: SequenceReference | undefined;
}

/** True when nothing on the way of a request reads its body, and one endpoint gets it. */
export function requestPasses(configuration: Configuration, flow: PassedFlow): boolean {
  const walk = new Walk(configuration, { kind: 'request', failed: false });
  const ends = !flow.endpoint || walk.endpoint(flow.endpoint);
  return ends && walk.named('pre-mediate') && flow.sequences.every((each) => walk.referred(each)) && faults(walk, flow);
}

/** The same for the answer on its way to the client. */
export function answerPasses(configuration: Configuration, flow: PassedFlow): boolean {
  const walk = new Walk(configuration, { kind: 'answer', failed: false });
  return walk.named('pre-mediate') && flow.sequences.every((each) => walk.referred(each)) && faults(walk, flow);
}

function faults(walk: Walk, { faultSequence }: PassedFlow): boolean {
  const inFault = walk.afterFailure();
  return faultSequence ? inFault.referred(faultSequence) : inFault.named('fault');
}

/** What passes, and what is left of it when something went wrong. */
interface Passing {
  readonly kind: 'request' | 'answer';
  readonly failed: boolean;
}

class Walk {
  readonly #configuration: Configuration;
  readonly #passing: Passing;
  /** Sequences may call each other in circles. */
  readonly #seen = new Set<Sequence>();

  constructor(configuration: Configuration, passing: Passing) {
    this.#configuration = configuration;
    this.#passing = passing;
  }

  afterFailure(): Walk {
    return this.#passing.failed ? this : new Walk(this.#configuration, { ...this.#passing, failed: true });
  }

  referred(reference: SequenceReference | undefined): boolean {
    if (!reference) return true;
    return reference.kind === 'inline' ? this.#sequence(reference.sequence) : this.named(reference.key);
  }

  /** One that is not there reads nothing. */
  named(name: string): boolean {
    const sequence = this.#configuration.find('sequence', name);
    return !sequence || this.#sequence(sequence);
  }

  endpoint(endpoint: Endpoint): boolean {
    const inFault = this.afterFailure();
    return endpoint.passesBody?.(this.#configuration, (sequence) => inFault.named(sequence)) === true;
  }

  #sequence(sequence: Sequence): boolean {
    if (this.#seen.has(sequence)) return true;
    this.#seen.add(sequence);
    return (sequence.onError === undefined || this.afterFailure().named(sequence.onError)) && this.#list(sequence.list);
  }

  #list({ steps }: StepList): boolean {
    return steps.every((step) => {
      if (!this.#leavesBody(step)) return false;
      const { references, endpoints, branches } = step;
      const keyed = references.filter(({ kind }) => kind === 'endpoint');
      const sends = [...endpoints, ...keyed.map(({ name }) => this.#configuration.find('endpoint', name))];
      // An answer that is sent on is a request again, of which nobody would know whether it failed.
      if (this.#passing.kind === 'answer' && sends.length > 0) return false;
      return (
        sends.every((found) => found !== undefined && this.endpoint(found)) &&
        references.every((reference) => reference.kind !== 'sequence' || this.#refers(reference)) &&
        branches.every((list) => this.#list(list))
      );
    });
  }

  #leavesBody({ leavesBody, mediator }: Step): boolean {
    const { kind, failed } = this.#passing;
    if (leavesBody === undefined || (leavesBody === 'after a failure' && !failed)) return false;
    return kind === 'answer' || (mediator !== 'respond' && !(failed && mediator === 'send'));
  }

  #refers({ name, attribute }: Reference): boolean {
    return (attribute === 'onError' ? this.afterFailure() : this).named(name);
  }
}
