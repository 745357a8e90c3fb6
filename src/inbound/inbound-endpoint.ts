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

/** An inbound endpoint at work: its transport, or none while it is suspended (spec proxies 6.6). */
export class InboundEndpoint {
  readonly definition: InboundEndpointDefinition;
  readonly #transport: InboundTransport | undefined;
  readonly #running: RunningTransports;

  /** @throws when its transport cannot work with these parameters */
  constructor(definition: InboundEndpointDefinition, services: InboundServices, previous?: InboundEndpoint) {
    this.definition = definition;
    this.#running = services.running;
    if (definition.suspended) return;
    const { name, kind, sequence, onError, parameters, written } = definition;
    // A client that waits is owed an answer, so its faults fall to `fault`; others are given back.
    const handler = onError ?? (kind.answers ? 'fault' : false);
    this.#transport = kind.open({
      name,
      entry: sequenceEntry({ name, sequence, onError: handler }),
      parameters,
      written,
      services,
      previous: previous?.definition.kind === kind ? previous.#transport : undefined,
    });
  }

  get name(): string {
    return this.definition.name;
  }

  /** Never rejects. */
  async start(): Promise<void> {
    const { name, kind } = this.definition;
    if (!this.#transport) {
      log.info(`Inbound endpoint ${name} is currently suspended.`);
      return;
    }
    log.info(`Initializing Inbound Endpoint: ${name} (${kind.protocol})`);
    await this.#running.start(this.#transport);
  }

  /** Idempotent, never rejects. */
  async stop(deadlineMs = STOP_DEADLINE_MS): Promise<void> {
    if (this.#transport) await this.#running.stop(this.#transport, deadlineMs);
  }
}
