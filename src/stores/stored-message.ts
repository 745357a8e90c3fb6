import { isUtf8 } from 'node:buffer';
import type { PropertyValue } from '../message/property-value.ts';

/**
 * A message at rest (REQ-05): everything that makes the restored message indistinguishable from the stored one for every mediator,
 * and nothing of the flow that stored it (REQ-18: no fault handlers, no client). Immutable: stores may keep and share it.
 */
export interface StoredMessage {
  readonly v: 1;
  /** The stable id: equal over retries, restarts and moves between stores (OP-05). */
  readonly id: string;
  /** The id of the message that the store mediator saw (`aggregateCorelation`, OrigMessageID). */
  readonly originalId: string;
  readonly correlationId: string | undefined;
  /** Epoch ms. */
  readonly storedAt: number;
  /** The service that stored it (proxy name), restored as `service.logger.name` (REQ-06). */
  readonly service: string | undefined;
  readonly body: StoredBody;
  readonly addressing: StoredAddressing;
  readonly direction: 'request' | 'response';
  readonly doingRest: boolean;
  /** Transport headers, repeated ones repeated. */
  readonly headers: ReadonlyArray<readonly [string, string]>;
  readonly axis2: ReadonlyMap<string, PropertyValue>;
  readonly properties: ReadonlyMap<string, PropertyValue>;
  readonly variables: ReadonlyMap<string, PropertyValue>;
  /** The JMS priority 0-9, from axis2 JMS_PRIORITY or JMS_PROD_PRIORITY (REQ-42). */
  readonly priority: number | undefined;
  /** Deliveries that failed so far, over all stores it was moved through. */
  readonly history: readonly DeliveryFailure[];
  /** How often operators have sent it again (OP-62); absent: never. */
  readonly replays?: number;
}

/** The payload, byte for byte (OP-90). */
export interface StoredBody {
  readonly kind: 'soap11' | 'soap12' | 'xml' | 'json' | 'text' | 'binary' | 'none';
  readonly bytes: Uint8Array;
  /** The Content-Type header with all of its parameters; undefined when there was none. */
  readonly contentType: string | undefined;
  /** The SOAP Header element as XML text, when header blocks go with a payload that is no envelope. */
  readonly soapHeader?: string;
}

/**
 * True when a body can be kept as text without changing a byte: media that show text to their operators (JMS text messages) may
 * use it; everything else must be kept as bytes (OP-90).
 */
export function isReadableText(body: StoredBody): boolean {
  return body.kind !== 'binary' && isUtf8(body.bytes);
}

export interface StoredAddressing {
  readonly to?: string;
  readonly from?: string;
  readonly replyTo?: string;
  readonly faultTo?: string;
  readonly relatesTo?: string;
  readonly action?: string;
}

/** Why a message stands in a fail store (OP-26). */
export interface DeliveryFailure {
  readonly processor: string;
  readonly sourceStore: string;
  readonly endpoint: string | undefined;
  readonly cause: string;
  readonly status: number | undefined;
  readonly attempts: number;
  /** Epoch ms. */
  readonly firstAttemptAt: number;
  readonly lastAttemptAt: number;
}
