import type { Endpoint } from '../endpoints/endpoint.ts';
import type { Position } from '../grammar/diagnostic.ts';
import { logger } from '../logging/index.ts';
import type { Configuration } from '../message/configuration.ts';
import { MediationError } from '../message/errors.ts';
import '../message/flow-observer.ts';
import type { MessageContext, ResponseReceiver } from '../message/message-context.ts';
import { acceptRequest, type ProxySecurity } from '../security/proxy-security.ts';
import type { XmlElement } from '../xml/index.ts';
import { aboutMessage } from './about-message.ts';
import { answerPasses, requestPasses } from './body-passing.ts';
import { type Eventually, whenThere } from './eventually.ts';
import { runFlow } from './flow.ts';
import { passesPreMediate } from './pre-mediate.ts';
import { clearSendMarkers, startSend } from './send.ts';
import { pushFaultSequence, resolveSequence, type SequenceReference } from './sequence-reference.ts';

declare module '../message/configuration.ts' {
  interface ArtifactKinds {
    proxy: ProxyService;
  }
}

const log = logger('ProxyService');

/** The target endpoint of a proxy: by key, looked up per message, or inline. */
export type EndpointReference =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'inline'; readonly endpoint: Endpoint };

/** `<publishWSDL>`: where the WSDL comes from (spec proxies 1.1). */
export interface PublishedWsdl {
  readonly source:
    | { readonly kind: 'inline'; readonly wsdl: XmlElement }
    | { readonly kind: 'key' | 'uri' | 'endpoint'; readonly value: string };
  readonly preservePolicy: boolean;
  readonly resources: ReadonlyArray<{ readonly location: string; readonly key: string }>;
}

/** A `<proxy>` as read from its artifact (spec proxies 1.1). */
export interface ProxyDefinition {
  readonly name: string;
  readonly position: Position;
  /** `undefined`: every transport. */
  readonly transports: readonly string[] | undefined;
  readonly startOnLoad: boolean;
  readonly pinnedServers: readonly string[];
  readonly inSequence: SequenceReference | undefined;
  readonly outSequence: SequenceReference | undefined;
  readonly faultSequence: SequenceReference | undefined;
  readonly endpoint: EndpointReference | undefined;
  readonly publishWsdl: PublishedWsdl | undefined;
  readonly parameters: ReadonlyMap<string, string>;
  /** Longer requests are answered 413, bytes; undefined: the listener's limit holds (OP-91). */
  readonly maxBodyBytes?: number | undefined;
  /** How messages are secured; undefined: not at all. */
  readonly security?: ProxySecurity | undefined;
}

/**
 * A proxy service at work: takes a request through its in-sequence to its endpoint, and responses through its out-sequence back to
 * the client (spec proxies 1.3, 4.7, 4.8).
 */
export class ProxyService implements ResponseReceiver {
  readonly definition: ProxyDefinition;
  /** False when stopped, or deployed with `startOnLoad="false"`. */
  active: boolean;
  #passes: { readonly configuration: Configuration; readonly request: boolean; readonly answer: boolean } | undefined;

  constructor(definition: ProxyDefinition) {
    this.definition = definition;
    this.active = definition.startOnLoad;
  }

  get name(): string {
    return this.definition.name;
  }

  /** Is the service offered on this transport (`http`, `https`)? */
  exposedOn(transport: string): boolean {
    const { transports } = this.definition;
    return transports === undefined || transports.includes(transport);
  }

  /** Runs the in-flow of a request, to the end of the in-sequence, before answers of sends arrive. Never throws, never rejects. */
  receive(message: MessageContext): Eventually<void> {
    message.properties.set('proxy.name', this.name);
    message.properties.set('ARTIFACT_NAME', `proxy${this.name}`);
    message.operation.set('proxy.name', this.name);
    message.responseReceiver = this;
    const ended = message.configuration.services.observer?.enters(message, 'proxy', this.name);
    const flow = runFlow(message, () => this.#take(message));
    return ended ? whenThere(flow, () => ended()) : flow;
  }

  /** @throws MediationError, or rejects with it, for the fault stack */
  #take(message: MessageContext): Eventually<void> {
    const { security } = this.definition;
    const accepted = security ? acceptRequest(message, security) : true;
    const passes = whenThere(accepted, (taken) => taken && passesPreMediate(message));
    return whenThere(passes, (taken) => (taken ? this.#runInFlow(message) : undefined));
  }

  /** True when a large request may be passed on to the endpoint while it still comes: nobody looks at its body. */
  passesRequest(configuration: Configuration): boolean {
    return this.#passing(configuration).request;
  }

  /** The same for the answer to a request. */
  passesAnswer({ configuration, properties }: MessageContext): boolean {
    return this.#passing(configuration).answer && !properties.has('RECEIVING_SEQUENCE');
  }

  /** Told once for every configuration: what the sequences and endpoints are that this one names may change. */
  #passing(configuration: Configuration): { readonly request: boolean; readonly answer: boolean } {
    const known = this.#passes;
    if (known?.configuration === configuration) return known;
    const { security, endpoint, inSequence, outSequence, faultSequence } = this.definition;
    const target = endpoint?.kind === 'key' ? configuration.find('endpoint', endpoint.key) : endpoint?.endpoint;
    const request = { sequences: [inSequence], endpoint: target, faultSequence };
    const answer = { sequences: [outSequence], faultSequence };
    this.#passes = {
      configuration,
      request: !security && requestPasses(configuration, request),
      answer: !security && answerPasses(configuration, answer),
    };
    return this.#passes;
  }

  /**
   * The response path (spec proxies 4.8): receiving sequence, else out-sequence, else straight back to the client.
   * @throws MediationError for the fault stack of the response
   */
  async injectResponse(response: MessageContext): Promise<void> {
    if (!(await passesPreMediate(response))) return;
    this.#pushFaultHandler(response);
    const receiving = response.text('RECEIVING_SEQUENCE');
    clearSendMarkers(response);
    try {
      await this.#runResponse(response, receiving);
    } catch (error) {
      response.axis2.set('HTTP_SC', '500');
      throw error;
    }
  }

  #runInFlow(message: MessageContext): Eventually<void> {
    this.#pushFaultHandler(message);
    const sequence = resolveSequence(
      message,
      this.definition.inSequence,
      (key) => `Unable to find in-sequence : ${key}`,
    );
    return whenThere(sequence ? sequence.mediate(message) : true, (reachedEnd) => {
      if (reachedEnd && this.definition.endpoint) startSend(message, this.#targetEndpoint(message));
    });
  }

  async #runResponse(response: MessageContext, receiving: string | undefined): Promise<void> {
    if (receiving !== undefined) {
      const sequence = response.configuration.find('sequence', receiving);
      if (sequence) await sequence.mediate(response);
      else log.warn(`Cannot find a Sequence with name: ${receiving} for injecting the message`, aboutMessage(response));
      return;
    }
    const out = resolveSequence(
      response,
      this.definition.outSequence,
      (key) => `Unable to find the out-sequence specified by the name ${key}`,
    );
    if (out) await out.mediate(response);
    else response.exchange?.respond(response);
  }

  #targetEndpoint(message: MessageContext): Endpoint {
    const { endpoint } = this.definition;
    if (endpoint?.kind === 'inline') return endpoint.endpoint;
    const key = endpoint?.key ?? '';
    const found = message.configuration.find('endpoint', key);
    if (!found) throw new MediationError(`Unable to find the endpoint specified : ${key}`);
    return found;
  }

  #pushFaultHandler(message: MessageContext): void {
    const usesDefault = message.configuration.services.compat?.proxiesUseFault ?? true;
    const description = `fault sequence of proxy '${this.name}'`;
    pushFaultSequence(message, this.definition.faultSequence, description, { usesDefault });
  }
}
