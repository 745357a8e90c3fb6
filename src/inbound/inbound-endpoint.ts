import { logger } from '../logging/index.ts';
import type { InboundEndpointDefinition, InboundServices, InboundTransport } from './component.ts';
import { sequenceEntry } from './entry.ts';
import type { RunningTransports } from './running-transports.ts';

declare module '../message/configuration.ts' {
  interface ArtifactKinds {
    inboundEndpoint: InboundEndpoint;
  }
}

const log = logger('InboundEndpoint');
/** How long what is in hand may take to end when an endpoint is replaced or undeployed, ms. */
const STOP_DEADLINE_MS = 30_000;

/**
 * An inbound endpoint at work: its transport, or none while it is suspended (spec proxies 6.6). A transport works once: when an operator
 * has stopped the endpoint and starts it again, it gets a new one.
 */
export class InboundEndpoint {
  readonly definition: InboundEndpointDefinition;
  readonly #services: InboundServices;
  readonly #running: RunningTransports;
  #transport: InboundTransport | undefined;
  #active = false;

  /** @throws when its transport cannot work with these parameters */
  constructor(definition: InboundEndpointDefinition, services: InboundServices, previous?: InboundEndpoint) {
    this.definition = definition;
    this.#services = services;
    this.#running = services.running;
    if (definition.suspended) return;
    this.#transport = this.#open(previous?.definition.kind === definition.kind ? previous.#transport : undefined);
  }

  get name(): string {
    return this.definition.name;
  }

  /** Does it take messages in? */
  get active(): boolean {
    return this.#active;
  }

  /** Never rejects. */
  async start(): Promise<void> {
    const { name, kind } = this.definition;
    if (!this.#transport) {
      log.info(`Inbound endpoint ${name} is currently suspended.`);
      return;
    }
    log.info(`Initializing Inbound Endpoint: ${name} (${kind.protocol})`);
    this.#active = true;
    await this.#running.start(this.#transport);
  }

  /** Idempotent, never rejects. */
  async stop(deadlineMs = STOP_DEADLINE_MS): Promise<void> {
    this.#active = false;
    if (this.#transport) await this.#running.stop(this.#transport, deadlineMs);
  }

  /** By an operator: begins to take messages in, also when it was deployed suspended. @throws as the constructor */
  async activate(): Promise<void> {
    if (this.#active) return;
    this.#transport = this.#open(undefined);
    await this.start();
  }

  /** By an operator: takes nothing in any more until it is activated or deployed again. */
  async deactivate(): Promise<void> {
    await this.stop();
    log.info(`Inbound endpoint ${this.name} was stopped`);
  }

  #open(previous: InboundTransport | undefined): InboundTransport {
    const { name, kind, sequence, onError, parameters, written } = this.definition;
    // A client that waits is owed an answer, so its faults fall to `fault`; others are given back.
    const handler = onError ?? (kind.answers ? 'fault' : false);
    const entry = sequenceEntry({ name, sequence, onError: handler });
    return kind.open({ name, entry, parameters, written, services: this.#services, previous });
  }
}
