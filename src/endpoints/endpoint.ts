import type { Position } from '../grammar/diagnostic.ts';
import type { Configuration } from '../message/configuration.ts';
import type { MessageContext } from '../message/message-context.ts';
import type { EndpointCounts } from '../observation/counts.ts';

declare module '../message/configuration.ts' {
  interface ArtifactKinds {
    endpoint: Endpoint;
  }
}

/** How the answer of a send is wanted. */
export interface SendOptions {
  /** One-way (OUT_ONLY): the answer's status is reported, its body is drained and not kept. */
  readonly outOnly?: boolean;
  /** A blocking sender (a message processor): every missing answer is a failure, whatever `responseAction` says (spec stores 4.7). */
  readonly blocking?: boolean;
  /**
   * Answers with these statuses are failures of the endpoint for its state machine, as they are for a blocking sender (spec stores
   * 4.7, 4.12); absent: every answer is a success.
   */
  readonly failsWith?: (status: number) => boolean;
  /** A large answer may be handed out while it still comes: nobody will read it (`mediation/body-passing.ts`). */
  readonly passesAnswer?: boolean;
  /** Ends the send early, for example when a processor is deactivated or the server stops. */
  readonly signal?: AbortSignal;
  /** Takes the answers of further recipients of a recipient list, whose first answer is that of the send; without it they are dropped. */
  readonly onFurtherAnswer?: (answer: MessageContext) => Promise<void>;
  /** The groups that the message is in already: one that meets itself again does not go on for ever. */
  readonly groups?: readonly Endpoint[];
}

/**
 * Where messages are sent to. A definition with a state: endpoints of any kind look the same to `send`, `call`, proxies and
 * message processors.
 */
export interface Endpoint {
  /** Undefined for an anonymous inline endpoint, printed as `AnonymousEndpoint`. */
  readonly name: string | undefined;
  /** address, http, wsdl, default, indirect, … */
  readonly kind: string;
  readonly position: Position;
  /** What was sent to it; absent for those that only send to others. */
  readonly counts?: EndpointCounts;
  /** What it sends to, in document order, where it is a group of others. */
  readonly members?: readonly Endpoint[];
  /**
   * Sends a message and waits for the answer: a new message context in response direction with axis2 HTTP_SC set, for whatever
   * status the back end gave. Applies the endpoint's format, properties, timeout and state machine (spec proxies 5). Does not
   * change the message's payload for a later resend.
   * @throws MediationError with the composed ERROR_CODE when no answer came; the state machine has been updated already
   */
  send(message: MessageContext, options?: SendOptions): Promise<MessageContext>;
  /**
   * Ready now? Otherwise the earliest time (epoch ms) at which it may be tried again, of groups that of the first child; Infinity
   * when switched off or not there. Ready where that cannot be told without a look into a message that cannot be read.
   */
  readyAt(message: MessageContext): number;
  /** May a group go on to another child after this one failed with the code (`retryConfig`, spec proxies 5.6)? Absent: always. */
  allowsRetry?(code: number | undefined, message: MessageContext): boolean;
  /**
   * Sends a body once, and looks at nothing in it: it may be one that still comes. Absent: it needs the whole body.
   * @param isBlind whether the sequence of that name, if it runs, leaves the body alone
   */
  passesBody?(configuration: Configuration, isBlind: (sequence: string) => boolean): boolean;
  /** Switches it on or off, by an operator; absent: only its members have a state of their own. */
  switchTo?(on: boolean): void;
  /** What operators see. */
  describe(): EndpointStatus;
}

export type EndpointState = 'ACTIVE' | 'TIMEOUT' | 'SUSPENDED' | 'OFF';

export interface EndpointStatus {
  readonly state: EndpointState;
  /** Epoch ms; undefined when active. */
  readonly nextRetryTime: number | undefined;
  /** As configured, with the credentials that a URL may hold: to be masked by whoever shows it. */
  readonly address: string | undefined;
  /** After how many more failures of the kind that only marks it, it will be suspended. */
  readonly retriesLeft?: number;
  /** Why it failed last. */
  readonly lastError?: string;
  /** Of groups: what is inside, in document order. */
  readonly children?: readonly ChildStatus[];
}

export interface ChildStatus extends EndpointStatus {
  /** Undefined for anonymous children; the key of an indirect one. */
  readonly name: string | undefined;
  readonly kind: string;
}
