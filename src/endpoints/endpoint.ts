import type { Position } from '../grammar/diagnostic.ts';
import type { MessageContext } from '../message/message-context.ts';

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
  /** Ends the send early, for example when a processor is deactivated or the server stops. */
  readonly signal?: AbortSignal;
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
  /**
   * Sends a message and waits for the answer: a new message context in response direction with axis2 HTTP_SC set, for whatever
   * status the back end gave. Applies the endpoint's format, properties, timeout and state machine (spec proxies 5). Does not
   * change the message's payload for a later resend.
   * @throws MediationError with the composed ERROR_CODE when no answer came; the state machine has been updated already
   */
  send(message: MessageContext, options?: SendOptions): Promise<MessageContext>;
  /** Ready now? Otherwise the earliest time (epoch ms) at which it may be tried again; Infinity when switched off. */
  readyAt(message: MessageContext): number;
  /** What operators see. */
  describe(): EndpointStatus;
}

export type EndpointState = 'ACTIVE' | 'TIMEOUT' | 'SUSPENDED' | 'OFF';

export interface EndpointStatus {
  readonly state: EndpointState;
  /** Epoch ms; undefined when active. */
  readonly nextRetryTime: number | undefined;
  readonly address: string | undefined;
}
