import type { DynamicValue } from '../expressions/value.ts';
import type { Position } from '../grammar/diagnostic.ts';
import { ERROR_CODES, MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';
import type { Endpoint, EndpointStatus, SendOptions } from './endpoint.ts';

/** `<endpoint key="…">`: looked up anew for every send, so a redeployed endpoint takes effect at once (spec proxies 5.4). */
export class IndirectEndpoint implements Endpoint {
  readonly kind = 'indirect';
  readonly name: string | undefined;
  readonly position: Position;
  readonly #key: DynamicValue;

  constructor(key: DynamicValue, position: Position, name?: string) {
    this.#key = key;
    this.position = position;
    this.name = name ?? key.static;
  }

  /** @throws MediationError 305100 when there is no endpoint of that name */
  async send(message: MessageContext, options: SendOptions = {}): Promise<MessageContext> {
    return this.#target(message).send(message, options);
  }

  readyAt(message: MessageContext): number {
    return this.#target(message).readyAt(message);
  }

  describe(): EndpointStatus {
    return { state: 'ACTIVE', nextRetryTime: undefined, address: undefined };
  }

  #target(message: MessageContext): Endpoint {
    const key = this.#key.static ?? this.#key.evaluate(message) ?? '';
    const found = message.configuration.find('endpoint', key);
    if (!found)
      throw new MediationError(`Couldn't find the endpoint with the key : ${key}`, { code: ERROR_CODES.keyNotFound });
    return found;
  }
}
