import type { MessageContext } from '../../src/message/message-context.ts';
import type { HttpRequest } from '../../src/transport/http-sender.ts';
import { FakeConfiguration, FakeExchange, type MessageParts, message, sequence } from '../mediation/harness.ts';

type Sequences = Readonly<Record<string, string>>;

/** A flow with a client that waits, sequences by name, and back ends that a test answers for. */
export class SplitFlow {
  readonly exchange = new FakeExchange();
  readonly configuration: FakeConfiguration;
  readonly request: MessageContext;
  /** Responses go to the sequence `out`, if there is one. */
  readonly #out: string | undefined;

  constructor(sequences: Sequences = {}, parts: MessageParts = {}) {
    const read = Object.entries(sequences).map(([name, mediators]) => [name, sequence(mediators, `name="${name}"`)]);
    this.configuration = new FakeConfiguration({ sequence: Object.fromEntries(read) });
    this.#out = Object.hasOwn(sequences, 'out') ? 'out' : undefined;
    this.request = message({ ...parts, configuration: this.configuration, exchange: this.exchange });
    this.request.responseReceiver = {
      injectResponse: async (response) => {
        if (this.#out) await this.configuration.find('sequence', this.#out)?.mediate(response);
        else response.exchange?.respond(response);
      },
    };
  }

  get sent(): readonly HttpRequest[] {
    return this.configuration.sender.requests;
  }

  /** Bodies as sent. */
  get bodies(): string[] {
    return this.sent.map(({ body }) => Buffer.from(body ?? []).toString());
  }

  /** Runs the mediators on the request and waits for everything that they started. */
  async run(mediators: string): Promise<boolean> {
    const outcome = await sequence(mediators).mediate(this.request);
    await this.exchange.settled();
    await this.configuration.flows.idle(5000);
    return outcome;
  }

  /** The payloads that the client was answered with, as XML or JSON. */
  answers(): string[] {
    return this.exchange.responses.map(shown);
  }
}

/** The payload as text: JSON, or the children of the Body. */
export function shown({ payload }: MessageContext): string {
  const json = payload.json();
  if (json !== undefined) return json;
  const text = String(payload.body());
  return text.replace(/^<[^>]*?>|<\/[^<>]*>$/g, '').replace(/ xmlns(:\w+)?="[^"]*"/g, '');
}

/** An endpoint of this address. */
export const endpointAt = (host: string) => `<endpoint><address uri="http://${host}/s"/></endpoint>`;
