import type { Position } from '../grammar/diagnostic.ts';
import { logger } from '../logging/index.ts';
import type { SequenceTemplate } from '../mediation/sequence-template.ts';
import { ERROR_CODES, MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';
import type { Endpoint, EndpointStatus, SendOptions } from './endpoint.ts';

declare module '../message/configuration.ts' {
  interface ArtifactKinds {
    template: EndpointTemplate | SequenceTemplate;
    /** The templates of connectors, by `library.operation`. */
    operation: SequenceTemplate;
  }
}

const log = logger('TemplateEndpoint');

/** A `<template>` that endpoints are made of (spec proxies 6.6). */
export interface EndpointTemplate {
  readonly kind: 'endpoint';
  readonly name: string;
  /**
   * Makes an endpoint with these values in the place of `$parameter`.
   * @throws MediationError when there is no endpoint to be made with them
   */
  endpointWith(values: ReadonlyMap<string, string>): Endpoint;
}

/**
 * `<endpoint template="…">`: an endpoint made of a template with values of its own (spec proxies 5.4). The template is looked up for
 * every send, so that a redeployed one takes effect at once; the endpoint made of it, with its state, is kept as long as the template.
 */
export class TemplateEndpoint implements Endpoint {
  readonly kind = 'template';
  readonly name: string | undefined;
  readonly position: Position;
  readonly #template: string;
  readonly #values: ReadonlyMap<string, string>;
  readonly #made = new WeakMap<EndpointTemplate, Endpoint | MediationError>();
  #latest: Endpoint | undefined;

  constructor(definition: {
    readonly name: string | undefined;
    readonly position: Position;
    readonly template: string;
    readonly values: ReadonlyMap<string, string>;
  }) {
    this.name = definition.name;
    this.position = definition.position;
    this.#template = definition.template;
    this.#values = definition.values;
  }

  get members(): readonly Endpoint[] {
    return this.#latest ? [this.#latest] : [];
  }

  /** @throws MediationError 305100 when there is no such template, or nothing can be made of it with these values */
  async send(message: MessageContext, options: SendOptions = {}): Promise<MessageContext> {
    const endpoint = this.#endpointFor(message);
    if (endpoint instanceof MediationError) throw endpoint;
    if (endpoint) return endpoint.send(message, options);
    throw new MediationError(`Couldn't find the endpoint template with the name : ${this.#template}`, {
      code: ERROR_CODES.keyNotFound,
    });
  }

  /** Without its template it is not ready; where the template is no good the send says so. */
  readyAt(message: MessageContext): number {
    const endpoint = this.#endpointFor(message);
    if (endpoint instanceof MediationError) return 0;
    return endpoint ? endpoint.readyAt(message) : Number.POSITIVE_INFINITY;
  }

  allowsRetry(code: number | undefined, message: MessageContext): boolean {
    const endpoint = this.#endpointFor(message);
    if (endpoint instanceof MediationError) return true;
    return endpoint?.allowsRetry?.(code, message) ?? true;
  }

  describe(): EndpointStatus {
    return this.#latest?.describe() ?? { state: 'ACTIVE', nextRetryTime: undefined, address: undefined };
  }

  #endpointFor(message: MessageContext): Endpoint | MediationError | undefined {
    const template = message.configuration.find('template', this.#template);
    if (template?.kind !== 'endpoint') return undefined;
    const known = this.#made.get(template);
    if (known) return known;
    const made = this.#make(template);
    this.#made.set(template, made);
    return made;
  }

  #make(template: EndpointTemplate): Endpoint | MediationError {
    try {
      this.#latest = template.endpointWith(this.#values);
      return this.#latest;
    } catch (error) {
      if (!(error instanceof MediationError)) throw error;
      log.error(`Endpoint ${this.name ?? 'AnonymousEndpoint'} cannot be made of its template: ${error.message}`);
      return error;
    }
  }
}
