import type { Cluster } from '../coordination/cluster.ts';
import type { Position } from '../grammar/diagnostic.ts';
import type { ParametersOf, ParameterTypes } from '../grammar/parameters.ts';
import type { MessageStore } from './message-store.ts';

/** What `open` may use besides its parameters. */
export interface StoreOpening<P extends ParameterTypes> {
  readonly name: string;
  readonly position: Position;
  readonly parameters: ParametersOf<P>;
  /** All parameters as written (trimmed), also unknown ones. */
  readonly written: ReadonlyMap<string, string>;
  readonly services: StoreServices;
  /** The store of the same name and kind that this one replaces; takes over what it holds in memory (OP-34, REQ-28). */
  readonly previous: MessageStore | undefined;
}

/** What the server lends to stores. */
export interface StoreServices {
  /** Where durable embedded stores, states and journals live. */
  readonly dataDirectory: string;
  /** How long a put may take at most, ms (OP-11). */
  readonly putDeadlineMs: number;
  /** `provider URL -> STOMP URL` overrides of the configuration. */
  readonly stompUrls: ReadonlyMap<string, string>;
  /** Where files are looked for that parameters name without a whole path, the first one first; default: the working directory. */
  readonly resourceDirectories?: readonly string[];
  /** PEM certificates of further authorities that brokers and databases are trusted by; a store's own setting wins. */
  readonly trustedCertificates?: string | undefined;
  /** The data sources of the configuration (MI's `[[datasource]]`), by their id. */
  readonly dataSources: ReadonlyMap<string, DataSource>;
  /**
   * Undefined: other nodes are not agreed with. Otherwise what a node has in hand that gives no sign of life any more is to be back
   * within its lease.
   */
  readonly cluster?: Cluster | undefined;
}

/** A database that the configuration gives a name, so that artifacts need not know where it is. */
export interface DataSource {
  /** A JDBC URL. */
  readonly url: string;
  readonly username: string | undefined;
  /** A function looks it up, for each connection anew; it throws when nobody knows it. */
  readonly password: string | (() => string) | undefined;
  /** The JDBC driver class; the URL tells enough without it. */
  readonly driver: string | undefined;
}

/** Parameters that are right each by itself and do not fit together (REQ-03). */
export interface Misfit {
  /** The one to look at. */
  readonly parameter: string;
  /** Names the parameter and the value. */
  readonly message: string;
}

/** A kind of store, declared in one file: its class names, its parameters, its opening. */
export interface StoreKind {
  /** The management API's word, e.g. `jms-message-store`. */
  readonly type: string;
  readonly doc: string;
  /** All spellings of the class attribute (spec stores 1.3); the in-memory kind is also meant when there is none. */
  readonly classes: readonly string[];
  readonly parameters: ParameterTypes;
  /** What is wrong with the parameters as a whole, as far as it can be said without the configuration and the medium. */
  misfit?(opening: Pick<StoreOpening<ParameterTypes>, 'name' | 'parameters' | 'written'>): Misfit | undefined;
  /**
   * Makes the running store. Never waits for the medium: it connects in the background (OP-14, REQ-36).
   */
  open(opening: StoreOpening<ParameterTypes>): MessageStore;
}

/** Declares a kind of store. */
export function messageStore<const P extends ParameterTypes>(declaration: {
  type: string;
  doc: string;
  classes: readonly string[];
  parameters: P;
  misfit?(opening: Pick<StoreOpening<P>, 'name' | 'parameters' | 'written'>): Misfit | undefined;
  open(opening: StoreOpening<P>): MessageStore;
}): StoreKind {
  return declaration as unknown as StoreKind;
}

/** What `read` throws, as a misfit of the parameter. */
export function misfitOf(parameter: string, read: () => unknown): Misfit | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    return { parameter, message: `parameter '${parameter}': ${(error as Error).message}` };
  }
}
