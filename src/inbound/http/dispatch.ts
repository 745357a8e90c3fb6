import type { WholeMatch } from '../../expressions/regex.ts';
import type { Configuration } from '../../message/configuration.ts';
import { dispatchToApi } from '../../rest/dispatch-api.ts';
import { selectApi } from '../../rest/select-api.ts';
import type { ClientExchange } from '../../transport/client-exchange.ts';
import { inactiveService, serviceNotFound } from '../../transport/fault-response.ts';
import type { Dispatcher } from '../../transport/http-listener.ts';
import { inboundMessage } from '../../transport/inbound-message.ts';
import type { IncomingRequest } from '../../transport/incoming-request.ts';
import { routeService } from '../../transport/service-dispatch.ts';
import { type MessageEntry, markInbound } from '../entry.ts';

export interface InboundDispatch {
  readonly name: string;
  readonly entry: MessageEntry;
  /** False: nothing is left for a sequence; what nobody takes is answered with a fault. */
  readonly hasSequence: boolean;
  /** `dispatch.filter.pattern`. */
  readonly pattern: WholeMatch | undefined;
  /** `api.dispatching.enabled`. */
  readonly servesApis: boolean;
  configuration(): Configuration;
}

/**
 * Brings requests of an HTTP inbound endpoint to what takes them, in this order (spec proxies 1.3, 6.2, 6.6):
 *
 * 1. a REST API that is bound to this endpoint (`binds-to`);
 * 2. if the path matches the pattern, or APIs are served here anyway: any other REST API;
 * 3. if the path matches the pattern: a proxy service, also one for inbound endpoints only;
 * 4. the sequence.
 */
export class InboundDispatcher implements Dispatcher {
  readonly #options: InboundDispatch;

  constructor(options: InboundDispatch) {
    this.#options = options;
  }

  async dispatch(request: IncomingRequest, exchange: ClientExchange): Promise<void> {
    const { name, entry, hasSequence, servesApis } = this.#options;
    const configuration = this.#options.configuration();
    const passes = this.#passes(request);
    const api =
      selectApi(configuration, request, name) ?? (passes || servesApis ? selectApi(configuration, request) : undefined);
    if (api) {
      await dispatchToApi(api, request, exchange, configuration);
      return;
    }
    if (passes && (await this.#toProxy(request, exchange, configuration))) return;
    if (!hasSequence) {
      exchange.answerWith(serviceNotFound(request));
      return;
    }
    const message = inboundMessage(request, configuration, exchange, localTarget(request).slice(1));
    exchange.carries(message);
    await entry.enter(message);
    exchange.inFlowEnded(message);
  }

  #passes({ path, target }: IncomingRequest): boolean {
    const { pattern } = this.#options;
    return pattern !== undefined && (pattern(path) !== undefined || (target !== path && pattern(target) !== undefined));
  }

  async #toProxy(request: IncomingRequest, exchange: ClientExchange, configuration: Configuration): Promise<boolean> {
    const route = routeService(localTarget(request), (name) => configuration.find('proxy', name) !== undefined);
    const proxy = route.serviceName === undefined ? undefined : configuration.find('proxy', route.serviceName);
    if (!proxy) return false;
    if (!proxy.active) {
      exchange.answerWith(inactiveService(request, proxy.name));
      return true;
    }
    const message = inboundMessage(request, configuration, exchange, route.postfix);
    exchange.carries(message);
    markInbound(message, this.#options.name);
    await proxy.receive(message);
    exchange.inFlowEnded(message);
    return true;
  }
}

/** The target without scheme and authority, which an absolute-form request line has. */
function localTarget({ path, query }: IncomingRequest): string {
  return query === undefined ? path : `${path}?${query}`;
}
