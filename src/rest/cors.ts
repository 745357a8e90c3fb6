import type { Exchange, FlowFailure } from '../message/exchange.ts';
import type { TransportHeaders } from '../message/headers.ts';
import type { MessageContext } from '../message/message-context.ts';

declare module '../message/configuration.ts' {
  interface Services {
    cors: CorsPolicy;
  }
}

/** `synapse.rest.CORSConfig.*` (spec proxies 6.4). */
export interface CorsPolicy {
  readonly enabled: boolean;
  /** Origins that may read answers; `*`: every one. */
  readonly origins: readonly string[];
  /** Value of `Access-Control-Allow-Headers`. */
  readonly headers: string;
}

/** The CORS headers for an answer to a request from this origin; empty when the policy has nothing to say. */
export function corsHeaders(
  policy: CorsPolicy,
  origin: string | undefined,
  methods: string,
): ReadonlyArray<readonly [string, string]> {
  if (!policy.enabled || origin === undefined) return [];
  const allowed = policy.origins.includes('*') ? '*' : policy.origins.find((candidate) => candidate === origin);
  if (allowed === undefined) return [];
  return [
    ['Access-Control-Allow-Origin', allowed],
    ['Access-Control-Allow-Methods', methods],
    ['Access-Control-Allow-Headers', policy.headers],
    ...(allowed === '*' ? [] : ([['Vary', 'Origin']] as const)),
  ];
}

/** Sets what the answer does not say itself. */
export function addCorsHeaders(headers: TransportHeaders, cors: ReadonlyArray<readonly [string, string]>): void {
  for (const [name, value] of cors) if (!headers.has(name)) headers.set(name, value);
}

/** The client of an API whose answers carry CORS headers. */
export class CorsExchange implements Exchange {
  readonly #client: Exchange;
  readonly #cors: ReadonlyArray<readonly [string, string]>;

  constructor(client: Exchange, cors: ReadonlyArray<readonly [string, string]>) {
    this.#client = client;
    this.#cors = cors;
  }

  get answered(): boolean {
    return this.#client.answered;
  }

  take(): void {
    this.#client.take();
  }

  respond(message: MessageContext): void {
    addCorsHeaders(message.headers, this.#cors);
    this.#client.respond(message);
  }

  track(work: Promise<void>, kind?: 'work' | 'group'): void {
    this.#client.track(work, kind);
  }

  acknowledge(message: MessageContext): void {
    this.#client.acknowledge?.(message);
  }

  onEnd(listener: () => void): void {
    this.#client.onEnd?.(listener);
  }

  failed(reason: FlowFailure): void {
    this.#client.failed(reason);
  }
}
