import type { MessageContext } from '../message/message-context.ts';
import type { Packaging } from '../message/related.ts';
import type { Format } from './settings.ts';

declare module '../message/configuration.ts' {
  interface Services {
    /** Transports beside HTTP, by the scheme of an address. Absent where there are none. */
    transports?: ReadonlyMap<string, OutgoingTransport>;
  }
}

/** One message for a transport beside HTTP. */
export interface TransportRequest {
  readonly address: string;
  readonly format: Format | undefined;
  readonly encoding: string | undefined;
  readonly optimize?: Packaging | undefined;
  /** How long an answer may take, ms. */
  readonly timeoutMs: number;
  /** Nobody waits for an answer. */
  readonly outOnly: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Sends messages to addresses of one scheme. */
export interface OutgoingTransport {
  /**
   * Resolves with the answer, or, for a one-way message, with an empty one when the message is safe.
   * @throws MediationError with the reference's code
   */
  exchange(message: MessageContext, request: TransportRequest): Promise<MessageContext>;
}

/** The transport of an address; undefined for HTTP. */
export function transportOf({ configuration }: MessageContext, address: string): OutgoingTransport | undefined {
  const { transports } = configuration.services;
  const colon = address.indexOf(':');
  return transports && colon > 0 ? transports.get(address.slice(0, colon).toLowerCase()) : undefined;
}
