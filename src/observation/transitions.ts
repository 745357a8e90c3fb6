import type { Configuration } from '../message/configuration.ts';

/** What has changed its state since it was looked at last. */
export interface Transition {
  readonly kind: 'store' | 'processor' | 'endpoint';
  readonly name: string;
  readonly state: string;
  /** Its state before; undefined: it is new. */
  readonly before: string | undefined;
}

/** Notices changes of state by looking now and then; between two looks the last state counts. */
export class Transitions {
  #states = new Map<string, string>();
  #first = true;

  look(configuration: Configuration): Transition[] {
    const states = new Map<string, string>();
    const changed: Transition[] = [];
    for (const { kind, name, state } of statesOf(configuration)) {
      const key = `${kind}\n${name}`;
      states.set(key, state);
      const before = this.#states.get(key);
      if (before !== state && !this.#first) changed.push({ kind, name, state, before });
    }
    this.#states = states;
    this.#first = false;
    return changed;
  }
}

function* statesOf(configuration: Configuration): Generator<Omit<Transition, 'before'>> {
  for (const name of configuration.names('messageStore')) {
    const store = configuration.find('messageStore', name);
    if (store) yield { kind: 'store', name, state: store.status().state };
  }
  for (const name of configuration.names('messageProcessor')) {
    const processor = configuration.find('messageProcessor', name);
    if (processor) yield { kind: 'processor', name, state: processor.status().state };
  }
  for (const name of configuration.names('endpoint')) {
    const endpoint = configuration.find('endpoint', name);
    if (endpoint) yield { kind: 'endpoint', name, state: endpoint.describe().state };
  }
}
