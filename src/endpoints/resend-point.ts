import { clearErrorProperties } from '../mediation/fault.ts';
import type { MessageContext } from '../message/message-context.ts';
import type { Payload } from '../message/payload.ts';
import type { PropertyValue } from '../message/property-value.ts';

type Scope = ReadonlyMap<string, PropertyValue>;

/**
 * A message as it was before the first child of a group was tried: the next child gets what the first one got, without the properties
 * and headers that were meant for that one only (spec proxies 5.6). The payload needs no copy: sending does not change it.
 */
export class ResendPoint {
  readonly #payload: Payload;
  readonly #properties: Scope;
  readonly #axis2: Scope;
  readonly #axis2Client: Scope;
  readonly #headers: MessageContext['headers'];

  constructor(message: MessageContext) {
    this.#payload = message.payload;
    this.#properties = new Map(message.properties);
    this.#axis2 = new Map(message.axis2);
    this.#axis2Client = new Map(message.axis2Client);
    this.#headers = message.headers.clone();
  }

  /** Puts the message back; nothing of an earlier failure is left on it (REQ-11). */
  restore(message: MessageContext): void {
    message.payload = this.#payload;
    refill(message.properties, this.#properties);
    refill(message.axis2, this.#axis2);
    refill(message.axis2Client, this.#axis2Client);
    message.headers = this.#headers.clone();
    clearErrorProperties(message);
  }
}

function refill(scope: Map<string, PropertyValue>, from: Scope): void {
  scope.clear();
  for (const [name, value] of from) scope.set(name, value);
}
