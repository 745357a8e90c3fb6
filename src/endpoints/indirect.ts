import type { DynamicValue } from '../expressions/value.ts';
import type { Position } from '../grammar/diagnostic.ts';
import { logger } from '../logging/index.ts';
import { aboutMessage } from '../mediation/about-message.ts';
import type { Configuration } from '../message/configuration.ts';
import { ERROR_CODES, MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';
import { readyByContent } from './content-readiness.ts';
import type { Endpoint, EndpointStatus, SendOptions } from './endpoint.ts';

const log = logger('IndirectEndpoint');
/** Indirect endpoints that refer to indirect endpoints. */
const MAX_STEPS = 20;

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

  /** An endpoint that is not there is not ready. */
  readyAt(message: MessageContext): number {
    const key = this.#key.static;
    if (key !== undefined) return this.#readyAt(key, message);
    return readyByContent(message, () => this.#readyAt(this.#keyFor(message), message));
  }

  #readyAt(key: string, message: MessageContext): number {
    const found = this.#find(key, message);
    if (found) return found.readyAt(message);
    const text = `Could not find endpoint with key ${key}. Could not verify Endpoint ready to send status.`;
    log.info(text, aboutMessage(message));
    return Number.POSITIVE_INFINITY;
  }

  allowsRetry(code: number | undefined, message: MessageContext): boolean {
    const found = this.#find(this.#keyFor(message), message);
    return found?.allowsRetry?.(code, message) ?? true;
  }

  passesBody(configuration: Configuration, isBlind: (sequence: string) => boolean): boolean {
    const key = this.#key.static;
    const found = key === undefined ? undefined : configuration.find('endpoint', key);
    // One that leads on to another is rare, and may lead in circles.
    return (
      found !== undefined && !(found instanceof IndirectEndpoint) && found.passesBody?.(configuration, isBlind) === true
    );
  }

  describe(): EndpointStatus {
    return { state: 'ACTIVE', nextRetryTime: undefined, address: undefined };
  }

  /** What the key leads to in the end, which is no indirect endpoint; undefined when there is no such endpoint. */
  #find(key: string, message: MessageContext): Endpoint | undefined {
    let found = message.configuration.find('endpoint', key);
    for (let step = 1; found instanceof IndirectEndpoint; step += 1) {
      if (step === MAX_STEPS) throw new MediationError(`The endpoint with the key ${key} leads to itself`);
      found = message.configuration.find('endpoint', found.#keyFor(message));
    }
    return found;
  }

  #keyFor(message: MessageContext): string {
    return this.#key.static ?? this.#key.evaluate(message) ?? '';
  }

  #target(message: MessageContext): Endpoint {
    const key = this.#keyFor(message);
    const found = this.#find(key, message);
    if (!found)
      throw new MediationError(`Couldn't find the endpoint with the key : ${key}`, { code: ERROR_CODES.keyNotFound });
    return found;
  }
}
