import type { ParametersOf, WrittenParameter } from '../../grammar/parameters.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import { emptyAnswer } from '../../transport/http-answer.ts';
import { DEFAULT_LIMITS, type Dispatcher } from '../../transport/http-listener.ts';
import { type InboundOpening, type InboundServices, type InboundTransport, inboundKind } from '../component.ts';
import type { MessageEntry } from '../entry.ts';
import { InboundDispatcher } from '../http/dispatch.ts';
import { reviewTls, tlsOf } from '../http/http.ts';
import { ListeningInbound, type Tls } from '../http/listening-inbound.ts';
import { ApiFrames } from './api-frames.ts';
import { type ClientsOptions, WebSocketClients } from './clients.ts';
import { WebSocketFlows } from './flows.ts';
import {
  type CLIENT_PARAMETERS,
  HTTP_WS_PARAMETERS,
  HTTPS_WSS_PARAMETERS,
  WS_PARAMETERS,
  WSS_PARAMETERS,
} from './parameters.ts';

/** `protocol="ws"`: frames of WebSocket clients. */
export const wsInbound = inboundKind({
  protocol: 'ws',
  packages: ['ws'],
  doc: 'Takes frames of WebSocket clients through a sequence, and those of back ends back to them through another.',
  parameters: WS_PARAMETERS,
  answers: false,
  review: (written, parameters, reader) => reviewSequences(written, parameters, reader),
  open: (opening) => webSockets(opening, undefined),
});

/** `protocol="wss"`: the same with TLS. */
export const wssInbound = inboundKind({
  protocol: 'wss',
  packages: ['ws'],
  doc: 'As ws, with TLS.',
  parameters: WSS_PARAMETERS,
  answers: false,
  review(written, parameters, reader) {
    reviewTls(written, parameters, reader);
    reviewSequences(written, parameters, reader);
    const keys = written.get('wss.ssl.key.store.file');
    if (keys && !parameters['x.tls.key'])
      reader.warning(keys.element, 'Java key stores are not read: the certificate of the server is used', {
        expected: 'x.tls.key and x.tls.certificate, PEM files',
      });
  },
  open: (opening) => webSockets(opening, tlsOf(opening.parameters, opening.services)),
});

/** `protocol="httpws"`: HTTP requests and WebSocket clients on one port, for REST APIs, proxies or a sequence. */
export const httpWsInbound = inboundKind({
  protocol: 'httpws',
  packages: ['ws'],
  doc: 'Takes HTTP requests and frames of WebSocket clients on one port.',
  parameters: HTTP_WS_PARAMETERS,
  answers: true,
  review: (written, _parameters, reader) => reviewVersion(written, reader),
  open: (opening) => httpAndWebSockets(opening, undefined),
});

/** `protocol="httpswss"`: the same with TLS. */
export const httpsWssInbound = inboundKind({
  protocol: 'httpswss',
  packages: ['ws'],
  doc: 'As httpws, with TLS.',
  parameters: HTTPS_WSS_PARAMETERS,
  answers: true,
  review(written, parameters, reader) {
    reviewTls(written, parameters, reader);
    reviewVersion(written, reader);
  },
  open: (opening) => httpAndWebSockets(opening, tlsOf(opening.parameters, opening.services)),
});

function reviewSequences(
  written: ReadonlyMap<string, WrittenParameter>,
  parameters: {
    readonly 'ws.outflow.dispatch.sequence'?: string | undefined;
    readonly 'ws.outflow.dispatch.fault.sequence'?: string | undefined;
  },
  reader: ArtifactReader,
): void {
  for (const name of ['ws.outflow.dispatch.sequence', 'ws.outflow.dispatch.fault.sequence'] as const) {
    const element = written.get(name)?.element;
    const key = parameters[name];
    if (element && key !== undefined) reader.refer('sequence', key, element);
  }
}

function reviewVersion(written: ReadonlyMap<string, WrittenParameter>, reader: ArtifactReader): void {
  const version = written.get('protocolVersion');
  if (version && /^2/.test(version.value.trim()))
    reader.warning(version.element, 'HTTP/2 is not spoken: clients are answered in HTTP/1.1', { expected: '1.1' });
}

/** Plain requests have no business there. */
const ONLY_WEB_SOCKETS: Dispatcher = {
  dispatch(_request, exchange) {
    exchange.answerWith(emptyAnswer(426));
  },
};

function webSockets(opening: InboundOpening<typeof WS_PARAMETERS>, tls: Tls | undefined): InboundTransport {
  const { name, entry, parameters, services, previous } = opening;
  const flows = new WebSocketFlows({
    name,
    entry,
    configuration: () => services.configuration(),
    transport: tls ? 'wss' : 'ws',
    outflow: parameters['ws.outflow.dispatch.sequence'],
    outflowFault: parameters['ws.outflow.dispatch.fault.sequence'],
  });
  const upgrades = new WebSocketClients({
    ...clientOptions(opening),
    connected: (client, request) => flows.connected(client, request),
    received: (client, frame) => flows.received(client, frame),
    fromBackEnd: (client, frame) => flows.fromBackEnd(client, frame),
  });
  const port = parameters['inbound.ws.port'];
  return new ListeningInbound({ name, port, tls, services, previous, dispatcher: ONLY_WEB_SOCKETS, upgrades });
}

/** Frames go through the endpoint's sequence if it has one; else each goes where an HTTP request would. */
function httpAndWebSockets(opening: InboundOpening<typeof HTTP_WS_PARAMETERS>, tls: Tls | undefined): InboundTransport {
  const { name, entry, parameters, services, previous } = opening;
  const configuration = () => services.configuration();
  const dispatcher = new InboundDispatcher({
    name,
    entry,
    hasSequence: entry.hasSequence,
    pattern: parameters['dispatch.filter.pattern'],
    servesApis: parameters['api.dispatching.enabled'],
    configuration,
  });
  const flows = new WebSocketFlows({
    name,
    entry,
    configuration,
    transport: tls ? 'wss' : 'ws',
    outflow: undefined,
    outflowFault: undefined,
  });
  const takers = entry.hasSequence
    ? flows
    : new ApiFrames({
        dispatcher,
        scheme: tls ? 'https' : 'http',
        answerMs: services.limits.answerMs ?? DEFAULT_LIMITS.answerMs,
      });
  const upgrades = new WebSocketClients({
    ...clientOptions(opening),
    connected: (client, request) => takers.connected(client, request),
    received: (client, frame) => takers.received(client, frame),
    fromBackEnd: (client, frame) => flows.fromBackEnd(client, frame),
  });
  return new ListeningInbound({ name, port: parameters.port, tls, services, previous, dispatcher, upgrades });
}

function clientOptions({
  entry,
  parameters,
  services,
}: {
  readonly entry: MessageEntry;
  readonly parameters: ParametersOf<typeof CLIENT_PARAMETERS>;
  readonly services: InboundServices;
}): Omit<ClientsOptions, 'connected' | 'received' | 'fromBackEnd'> {
  return {
    label: entry.label,
    maxClients: parameters['x.max.connections'],
    maxFrameBytes: services.limits.maxBodyBytes ?? DEFAULT_LIMITS.maxBodyBytes,
    concurrency: parameters.sequential ? 1 : parameters['x.concurrency'],
    pingMs: parameters['x.ping.interval'],
    broadcast: parameters['ws.client.side.broadcast.level'],
    contentType: parameters['ws.default.content.type'] || undefined,
    subprotocols: (parameters['x.subprotocols'] ?? '').split(/[\s,]+/).filter((word) => word !== ''),
    shutdown: { code: parameters['ws.shutdown.status.code'], reason: parameters['ws.shutdown.status.message'] },
  };
}
