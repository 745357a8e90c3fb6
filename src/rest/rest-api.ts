import type { Position } from '../grammar/diagnostic.ts';
import { logger } from '../logging/index.ts';
import { type Eventually, whenThere } from '../mediation/eventually.ts';
import { runFlow } from '../mediation/flow.ts';
import { passesPreMediate } from '../mediation/pre-mediate.ts';
import { clearSendMarkers } from '../mediation/send.ts';
import { pushFaultSequence, resolveSequence } from '../mediation/sequence-reference.ts';
import '../message/flow-observer.ts';
import { aboutMessage } from '../mediation/about-message.ts';
import type { MessageContext, ResponseReceiver } from '../message/message-context.ts';
import type { ResourceDefinition } from './resource.ts';

declare module '../message/configuration.ts' {
  interface ArtifactKinds {
    api: RestApi;
  }
}

const log = logger('API');

/** Where the version of an API stands in its URLs: after the context, or in place of `{version}` in it (spec proxies 6.1). */
export type VersionStrategy = 'url' | 'context';

/** An `<api>` as read from its artifact (spec proxies 6.1). */
export interface ApiDefinition {
  readonly name: string;
  readonly position: Position;
  /** Without trailing slashes, version filled in for the context strategy; `''` takes every path. */
  readonly context: string;
  readonly version: { readonly name: string; readonly strategy: VersionStrategy } | undefined;
  readonly hostname: string | undefined;
  readonly port: number | undefined;
  /** Undefined: both. */
  readonly transports: readonly string[] | undefined;
  /** The inbound endpoints that serve it; `default` is the server's own listener. */
  readonly bindsTo: readonly string[];
  readonly resources: readonly ResourceDefinition[];
  /** The key of its OpenAPI document. */
  readonly publishSwagger: string | undefined;
}

/** `N`, or `N:vV` for a version (spec proxies 6.1). */
export function displayName({ name, version }: Pick<ApiDefinition, 'name' | 'version'>): string {
  return version === undefined ? name : `${name}:v${version.name}`;
}

/** What stands before the part of a path that resources match. */
export function pathPrefix({ context, version }: Pick<ApiDefinition, 'context' | 'version'>): string {
  return version?.strategy === 'url' ? `${context}/${version.name}` : context;
}

/** A REST API at work. Which of its resources takes a request is decided before, by `dispatch-api.ts`. */
export class RestApi {
  readonly definition: ApiDefinition;
  /** Takes the responses of each resource's flows. */
  readonly #receivers: ReadonlyMap<ResourceDefinition, ResponseReceiver>;

  constructor(definition: ApiDefinition) {
    this.definition = definition;
    this.#receivers = new Map(definition.resources.map((resource) => [resource, this.#receiverOf(resource)]));
  }

  get name(): string {
    return this.definition.name;
  }

  /** Runs the in-flow of a request, to the end of the in-sequence (spec proxies 6.5). Never throws, never rejects. */
  receive(message: MessageContext, resource: ResourceDefinition): Eventually<void> {
    message.responseReceiver = this.#receivers.get(resource);
    const ended = message.configuration.services.observer?.enters(message, 'api', displayName(this.definition));
    const flow = runFlow(message, () =>
      whenThere(passesPreMediate(message), (passes) => passes && this.#runInFlow(message, resource)),
    );
    return ended ? whenThere(flow, () => ended()) : flow;
  }

  #runInFlow(message: MessageContext, resource: ResourceDefinition): Eventually<unknown> {
    this.#pushFaultHandler(message, resource);
    const sequence = resolveSequence(message, resource.inSequence, notFound);
    if (sequence) return sequence.mediate(message);
    log.debug(`${this.name}: the resource has no in-sequence; the message is dropped`, aboutMessage(message));
    return undefined;
  }

  /** The response path (spec proxies 4.8): receiving sequence, else out-sequence, else straight back. */
  #receiverOf(resource: ResourceDefinition): ResponseReceiver {
    return {
      injectResponse: async (response) => {
        if (!(await passesPreMediate(response))) return;
        this.#pushFaultHandler(response, resource);
        const receiving = response.text('RECEIVING_SEQUENCE');
        clearSendMarkers(response);
        try {
          await runResponse(response, resource, receiving);
        } catch (error) {
          response.axis2.set('HTTP_SC', '500');
          throw error;
        }
      },
    };
  }

  #pushFaultHandler(message: MessageContext, resource: ResourceDefinition): void {
    pushFaultSequence(message, resource.faultSequence, `fault sequence of API '${this.name}'`);
  }
}

function notFound(key: string): string {
  return `Specified sequence: ${key} cannot be found`;
}

async function runResponse(
  response: MessageContext,
  resource: ResourceDefinition,
  receiving: string | undefined,
): Promise<void> {
  if (receiving !== undefined) {
    const sequence = response.configuration.find('sequence', receiving);
    if (sequence) await sequence.mediate(response);
    else
      log.warn(
        `Cannot find a Sequence with name: ${receiving} for injecting the response message`,
        aboutMessage(response),
      );
    return;
  }
  const out = resolveSequence(response, resource.outSequence, notFound);
  if (out) await out.mediate(response);
  else response.exchange?.respond(response);
}
