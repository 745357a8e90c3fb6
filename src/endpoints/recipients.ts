import type { DynamicValue } from '../expressions/value.ts';
import type { Position } from '../grammar/diagnostic.ts';
import { MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';
import type { Endpoint } from './endpoint.ts';
import { GROUP_ERROR_CODES } from './group.ts';
import { LeafEndpoint } from './leaf-endpoint.ts';
import { DEFAULT_SETTINGS } from './settings.ts';

/** One message never goes to more; a longer list is not what its author had in mind. */
const MAX_RECIPIENTS = 1000;

/** Whom a recipient list sends to. */
export interface Recipients {
  /** All that are known without a message, for operators. */
  readonly known: readonly Endpoint[];
  /** @throws MediationError when the recipients of this message cannot be told */
  of(message: MessageContext): readonly Endpoint[];
}

export function fixedRecipients(endpoints: readonly Endpoint[]): Recipients {
  return { known: endpoints, of: () => endpoints };
}

/**
 * `<endpoints value="{expr}">`: the addresses stand in the message, separated by commas (spec proxies 5.7). The endpoints that were
 * used last are kept with their state: a suspended one stays suspended for the next message.
 */
export class AddressesInMessage implements Recipients {
  readonly #list: DynamicValue;
  readonly #position: Position;
  readonly #maxCached: number;
  /** The one unused for longest first. */
  readonly #cached = new Map<string, Endpoint>();

  /** @param maxCached `max-cache`: how many endpoints are kept */
  constructor(list: DynamicValue, position: Position, maxCached: number) {
    this.#list = list;
    this.#position = position;
    this.#maxCached = maxCached;
  }

  get known(): readonly Endpoint[] {
    return [...this.#cached.values()];
  }

  of(message: MessageContext): readonly Endpoint[] {
    const addresses = (this.#list.evaluate(message) ?? '').split(',', MAX_RECIPIENTS + 1).map((one) => one.trim());
    if (addresses.length > MAX_RECIPIENTS) {
      throw new MediationError(`A recipient list of more than ${MAX_RECIPIENTS} addresses`, {
        code: GROUP_ERROR_CODES.noneReady,
      });
    }
    const endpoints = addresses.filter((address) => address !== '').map((address) => this.#endpointFor(address));
    for (const [address] of this.#cached) {
      if (this.#cached.size <= this.#maxCached) break;
      this.#cached.delete(address);
    }
    return endpoints;
  }

  #endpointFor(address: string): Endpoint {
    const endpoint = this.#cached.get(address) ?? addressEndpoint(address, this.#position);
    this.#cached.delete(address);
    this.#cached.set(address, endpoint);
    return endpoint;
  }
}

function addressEndpoint(address: string, position: Position): Endpoint {
  return new LeafEndpoint({
    name: undefined,
    kind: 'address',
    position,
    settings: DEFAULT_SETTINGS,
    properties: [],
    onError: undefined,
    method: undefined,
    staticAddress: address,
    address: () => address,
  });
}
