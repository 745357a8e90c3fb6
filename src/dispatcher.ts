import { runMain } from './mediation/main-flow.ts';
import type { ProxyService } from './mediation/proxy-service.ts';
import type { Configuration } from './message/configuration.ts';
import { proxyWsdl } from './proxy-wsdl.ts';
import { dispatchToApi } from './rest/dispatch-api.ts';
import { selectApi } from './rest/select-api.ts';
import type { ClientExchange } from './transport/client-exchange.ts';
import { inactiveService, serviceNotFound } from './transport/fault-response.ts';
import type { Dispatcher } from './transport/http-listener.ts';
import { inboundMessage } from './transport/inbound-message.ts';
import { type IncomingRequest, splitTarget } from './transport/incoming-request.ts';
import { routeService } from './transport/service-dispatch.ts';
import { type ListeningPort, metadataAnswer, type ServiceDescription } from './transport/service-metadata.ts';
import { serializeXml, type XmlElement } from './xml/index.ts';

const METADATA_QUERY = /^(wsdl2?|xsd|info)(?:$|[&=])/i;

/**
 * Brings requests to what is deployed (spec proxies 1.4 to 1.8): metadata, proxy services, and the `main` sequence for everything
 * that nobody else takes. Each request keeps the configuration that was served when it arrived.
 */
export class RequestDispatcher implements Dispatcher {
  readonly #configuration: () => Configuration;
  readonly #ports: () => readonly ListeningPort[];

  constructor(configuration: () => Configuration, ports: () => readonly ListeningPort[]) {
    this.#configuration = configuration;
    this.#ports = ports;
  }

  /** What a proxy says of itself (OP-91). */
  bodyLimit(path: string): number | undefined {
    return routed(path, this.#configuration()).proxy?.definition.maxBodyBytes;
  }

  /** Only proxies take bodies that still come, those whose flows leave them alone. */
  passesBody(target: string): boolean {
    const configuration = this.#configuration();
    const { path, query } = splitTarget(target);
    return routed(localTarget({ path, query }), configuration).proxy?.passesRequest(configuration) === true;
  }

  async dispatch(request: IncomingRequest, exchange: ClientExchange): Promise<void> {
    const configuration = this.#configuration();
    const { route, proxy } = routed(localTarget(request), configuration);
    if (request.stream && !proxy?.passesRequest(configuration)) {
      // It was redeployed since the head of the request came.
      const body = await request.stream.whole();
      return this.dispatch({ ...request, body, stream: undefined }, exchange);
    }
    if (request.method === 'GET' || request.method === 'HEAD') {
      const metadata = await this.#metadata(request, proxy, configuration);
      if (metadata) {
        exchange.answerWith(metadata);
        return;
      }
    }
    if (proxy && !proxy.exposedOn(request.scheme)) {
      exchange.answerWith(serviceNotFound(request));
      return;
    }
    if (proxy && !proxy.active) {
      exchange.answerWith(inactiveService(request, proxy.name));
      return;
    }
    const api = proxy ? undefined : selectApi(configuration, request);
    if (api) {
      await dispatchToApi(api, request, exchange, configuration);
      return;
    }
    const message = inboundMessage(request, configuration, exchange, route.postfix);
    exchange.carries(message);
    if (proxy?.definition.parameters.get('inbound.only') !== 'true')
      await (proxy ? proxy.receive(message) : runMain(message));
    exchange.inFlowEnded(message);
  }

  async #metadata(request: IncomingRequest, proxy: ProxyService | undefined, configuration: Configuration) {
    const wanted = proxy && request.query !== undefined && METADATA_QUERY.test(request.query);
    const wsdl = wanted ? await proxyWsdl(proxy, configuration) : undefined;
    return metadataAnswer(request, {
      service: proxy && description(proxy, wsdl, configuration),
      ports: this.#ports(),
      services: () =>
        configuration
          .names('proxy')
          .map((name) => configuration.find('proxy', name))
          .filter((found) => found !== undefined)
          .map((found) => description(found, undefined, configuration)),
    });
  }
}

/** The target without scheme and authority, which an absolute-form request line has. */
function localTarget({ path, query }: Pick<IncomingRequest, 'path' | 'query'>): string {
  return query === undefined ? path : `${path}?${query}`;
}

function routed(target: string, configuration: Configuration) {
  const route = routeService(target, (name) => configuration.find('proxy', name) !== undefined);
  const proxy = route.serviceName === undefined ? undefined : configuration.find('proxy', route.serviceName);
  return { route, proxy };
}

function description(
  proxy: ProxyService,
  wsdl: XmlElement | undefined,
  configuration: Configuration,
): ServiceDescription {
  const { parameters, publishWsdl } = proxy.definition;
  return {
    name: proxy.name,
    active: proxy.active,
    exposedOn: (transport) => proxy.exposedOn(transport),
    wsdl,
    keepsAddresses:
      parameters.get('useOriginalwsdl') === 'true' || parameters.get('modifyUserWSDLPortAddress') === 'false',
    resource(location) {
      const key = publishWsdl?.resources.find((candidate) => candidate.location === location)?.key;
      const entry = key === undefined ? undefined : configuration.find('localEntry', key);
      return entry && (entry.xml ? serializeXml(entry.xml) : entry.text);
    },
  };
}
