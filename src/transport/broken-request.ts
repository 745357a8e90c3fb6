import type { Duplex } from 'node:stream';
import { STATUS_CODES } from '../node-http.ts';

/** The answer to something that never became a request. */
export interface BrokenRequestAnswer {
  readonly status: number;
  readonly text: string;
}

const REQUEST_LINE = /^[A-Za-z][!#$%&'*+\-.^_`|~0-9A-Za-z]* \S+ HTTP\/\d/;

/**
 * What a client is told when its bytes are no HTTP request (spec proxies 1.8); undefined when it could not understand an answer
 * either (TLS errors, reset connections).
 */
export function brokenRequestAnswer(
  error: NodeJS.ErrnoException & { rawPacket?: Uint8Array },
): BrokenRequestAnswer | undefined {
  const { code = '', rawPacket } = error;
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return { status: 408, text: 'The request was not complete in time' };
  if (code === 'HPE_HEADER_OVERFLOW') return { status: 431, text: 'The headers are too large' };
  if (code === 'HPE_INVALID_METHOD' && isRequestLine(rawPacket)) return unsupportedMethod('of this request');
  return code.startsWith('HPE_') ? { status: 400, text: 'Bad request' } : undefined;
}

export function unsupportedMethod(method: string): BrokenRequestAnswer {
  return { status: 501, text: `The method ${method} is not supported` };
}

/** Writes a whole response to a connection that has no request, and ends our side of it. */
export function writeRawAnswer(socket: Duplex, status: number, text: string): void {
  const body = Buffer.from(text, 'utf8');
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Content-Type: text/plain; charset=UTF-8',
    `Content-Length: ${body.byteLength}`,
    'Connection: close',
  ];
  // The peer may be gone already; there is nobody else to tell.
  socket.on('error', () => {});
  socket.end(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), body]));
}

/** A well-formed request with an unknown method, or garbage? */
function isRequestLine(packet: Uint8Array | undefined): boolean {
  return packet !== undefined && REQUEST_LINE.test(Buffer.from(packet.subarray(0, 1024)).toString('latin1'));
}
