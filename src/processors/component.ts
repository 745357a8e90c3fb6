import type { Cluster } from '../coordination/cluster.ts';
import type { Position } from '../grammar/diagnostic.ts';
import type { ParametersOf, ParameterTypes } from '../grammar/parameters.ts';
import type { Configuration } from '../message/configuration.ts';
import type { WallClock } from '../scheduling/index.ts';
import type { DeliveryLedger } from './delivery-ledger.ts';
import type { MessageProcessor } from './message-processor.ts';

/** What `open` may use. */
export interface ProcessorOpening<P extends ParameterTypes> {
  readonly name: string;
  readonly position: Position;
  /** The `messageStore` attribute. */
  readonly storeName: string;
  /** The `targetEndpoint` attribute; it wins over the parameter `target.endpoint` (spec stores 4.6, REQ-01). */
  readonly targetEndpoint: string | undefined;
  readonly parameters: ParametersOf<P>;
  /** All parameters as written (trimmed), also unknown ones. */
  readonly written: ReadonlyMap<string, string>;
  readonly services: ProcessorServices;
  /** The processor of the same name that this one replaces; `start` takes over from it. */
  readonly previous: MessageProcessor | undefined;
}

/** What the server lends to processors. */
export interface ProcessorServices {
  /** Recorded states (`message-processors/`) and the dead-letter area (`dead-letter/`) live here. */
  readonly dataDirectory: string;
  /** The configuration that is served now; asked anew for every attempt. */
  configuration(): Configuration;
  /** Calls back after every swap of the configuration. Returns how to stop. */
  onConfigurationChange(listener: () => void): () => void;
  /** One for all processors of the server: competing processors must know of each other's deliveries (REQ-32). */
  readonly ledger: DeliveryLedger;
  /** Whose spelling and defaults win where both code bases have one (REQ-02). */
  readonly profile: 'wso2' | 'apache';
  /** How long `stop` lets an attempt in flight go on, ms (OP-110). */
  readonly stopDeadlineMs: number;
  /** Undefined: workers are not coordinated with those of other nodes (spec stores 6). */
  readonly cluster?: Cluster | undefined;
  /** What `pinnedServers` is compared with; undefined: nobody is pinned anywhere. */
  readonly serverName?: string | undefined;
  /** What cron schedules go by; the machine's clock if there is none. */
  readonly clock?: WallClock;
}

/** A kind of processor, declared in one file: its class names, its parameters, its opening. */
export interface ProcessorKind {
  /** The management API's word, for example `Sampling-processor`. */
  readonly type: string;
  readonly doc: string;
  /** All spellings of the class attribute (spec stores 1.3). */
  readonly classes: readonly string[];
  readonly parameters: ParameterTypes;
  /** Makes a processor at rest; it begins with `start`. Never fails: what can be wrong was found while reading. */
  open(opening: ProcessorOpening<ParameterTypes>): MessageProcessor;
}

/**
 * Declares a kind of processor. `src/processors/sampling.ts` is the smallest one: all that a kind adds to the common machinery is
 * what "deliver" means.
 */
export function messageProcessor<const P extends ParameterTypes>(declaration: {
  type: string;
  doc: string;
  classes: readonly string[];
  parameters: P;
  open(opening: ProcessorOpening<P>): MessageProcessor;
}): ProcessorKind {
  return declaration as unknown as ProcessorKind;
}
