import type { Configuration, Services } from '../../src/message/configuration.ts';
import { TransportHeaders } from '../../src/message/headers.ts';
import { MessageContext } from '../../src/message/message-context.ts';
import { Payload } from '../../src/message/payload.ts';
import { clientStyle, type IncomingRequest, splitTarget } from '../../src/transport/incoming-request.ts';

export const NO_ARTIFACTS: Configuration = {
  version: 1,
  services: {} as Services,
  find: () => undefined,
  names: () => [],
};

export function message(payload: Payload = Payload.empty()): MessageContext {
  return new MessageContext(NO_ARTIFACTS, payload);
}

/** A request as the listener would describe it. */
export function request(
  target: string,
  parts: { method?: string; headers?: Array<[string, string]>; body?: string; scheme?: 'http' | 'https' } = {},
): IncomingRequest {
  const headers = TransportHeaders.from(parts.headers ?? []);
  return {
    scheme: parts.scheme ?? 'http',
    method: parts.method ?? 'POST',
    target,
    ...splitTarget(target),
    httpVersion: '1.1',
    headers,
    body: Buffer.from(parts.body ?? ''),
    client: clientStyle(headers),
    remoteAddress: '127.0.0.1',
    authority: 'localhost:8280',
    correlationId: 'c-1',
  };
}
