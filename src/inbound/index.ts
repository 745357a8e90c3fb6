import type { InboundKind } from './component.ts';
import { fileInbound } from './file/file.ts';
import { httpInbound, httpsInbound } from './http/http.ts';
import { jmsInbound } from './jms/jms.ts';
import { mqttInbound } from './mqtt/mqtt.ts';
import { rabbitMqInbound } from './rabbitmq/rabbitmq.ts';
import { httpsWssInbound, httpWsInbound, wsInbound, wssInbound } from './websocket/websocket.ts';

/** The kinds of inbound endpoints. A new kind is one folder beside these and one line here. */
const KINDS: ReadonlyMap<string, InboundKind> = new Map(
  [
    httpInbound,
    httpsInbound,
    jmsInbound,
    rabbitMqInbound,
    fileInbound,
    mqttInbound,
    wsInbound,
    wssInbound,
    httpWsInbound,
    httpsWssInbound,
  ].map((kind) => [kind.protocol, kind]),
);

export function inboundProtocols(): readonly string[] {
  return [...KINDS.keys()];
}

export function findInboundKind(protocol: string): InboundKind | undefined {
  return KINDS.get(protocol);
}
