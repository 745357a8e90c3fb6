import { type Eventually, whenThere } from './mediation/eventually.ts';
import { runMain } from './mediation/main-flow.ts';
import type { ProxyService } from './mediation/proxy-service.ts';
import type { Configuration } from './message/configuration.ts';
import type { MessageContext } from './message/message-context.ts';
import { proxyWsdl } from './proxy-wsdl.ts';
import { dispatchToApi } from './rest/dispatch-api.ts';
import { selectApi } from './rest/select-api.ts';
import type { ClientExchange } from './transport/client-exchange.ts';
import { inactiveService, serviceNotFound } from './transport/fault-response.ts';
import type { HttpAnswer } from './transport/http-answer.ts';
import type { Dispatcher } from './transport/http-listener.ts';
import { inboundMessage } from './transport/inbound-message.ts';
import { type IncomingRequest, splitTarget } from './transport/incoming-request.ts';
import { routeService, type ServiceRoute } from './transport/service-dispatch.ts';
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

  dispatch(request: IncomingRequest, exchange: ClientExchange): Eventually<void> {
    const configuration = this.#configuration();
    const way: Way = { configuration, ...routed(localTarget(request), configuration) };
    const { stream } = request;
    if (stream && !way.proxy?.passesRequest(configuration)) {
      // It was redeployed since the head of the request came.
      return stream.whole().then((body) => this.dispatch({ ...request, body, stream: undefined }, exchange));
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') return enter(request, exchange, way);
    return whenThere(this.#metadata(request, way), (metadata) =>
      metadata ? exchange.answerWith(metadata) : enter(request, exchange, way),
    );
  }

  #metadata(request: IncomingRequest, { proxy, configuration }: Way): Eventually<HttpAnswer | undefined> {
    const wanted = proxy && request.query !== undefined && METADATA_QUERY.test(request.query);
    return whenThere(wanted ? proxyWsdl(proxy, configuration) : undefined, (wsdl) =>
      metadataAnswer(request, {
        service: proxy && description(proxy, wsdl, configuration),
        ports: this.#ports(),
        services: () =>
          configuration
            .names('proxy')
            .map((name) => configuration.find('proxy', name))
            .filter((found) => found !== undefined)
            .map((found) => description(found, undefined, configuration)),
      }),
    );
  }
}

/** Where a request goes: to a proxy service, or to what the path means besides. */
interface Way {
  readonly configuration: Configuration;
  readonly route: ServiceRoute;
  readonly proxy: ProxyService | undefined;
}

/** Brings a request into the flow that is to take it, or answers that none does. */
function enter(
  request: IncomingRequest,
  exchange: ClientExchange,
  { configuration, route, proxy }: Way,
): Eventually<void> {
  if (proxy && !proxy.exposedOn(request.scheme)) return exchange.answerWith(serviceNotFound(request));
  if (proxy && !proxy.active) return exchange.answerWith(inactiveService(request, proxy.name));
  const api = proxy ? undefined : selectApi(configuration, request);
  if (api) return dispatchToApi(api, request, exchange, configuration);
  const message = inboundMessage(request, configuration, exchange, route.postfix);
  exchange.carries(message);
  return whenThere(flowOf(message, proxy), () => exchange.inFlowEnded(message));
}

function flowOf(message: MessageContext, proxy: ProxyService | undefined): Eventually<void> {
  if (!proxy) return runMain(message);
  return proxy.definition.parameters.get('inbound.only') === 'true' ? undefined : proxy.receive(message);
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
