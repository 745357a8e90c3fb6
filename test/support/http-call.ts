import { type Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface Call {
  /** Default POST with a body, GET without. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Uint8Array;
  /** Default: a connection of its own. */
  readonly agent?: Agent;
  /** Until the whole answer; default 15,000. */
  readonly deadlineMs?: number;
}

export interface Reply {
  readonly status: number;
  readonly reason: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
  readonly elapsedMs: number;
}

/** One HTTP request, its answer untouched: no redirects, no decompression, any certificate. */
export function call(url: string, options: Call = {}): Promise<Reply> {
  const { body, agent, deadlineMs = 15_000, headers = {} } = options;
  const method = options.method ?? (body === undefined ? 'GET' : 'POST');
  const secure = url.startsWith('https:');
  const begun = performance.now();
  const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
  const settings = {
    method,
    headers: { ...length, ...headers },
    agent: agent ?? (false as const),
    signal: AbortSignal.timeout(deadlineMs),
    ...(secure && { rejectUnauthorized: false }),
  };
  return new Promise((resolve, reject) => {
    const outgoing = (secure ? httpsRequest : httpRequest)(url, settings, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const whole = Buffer.concat(chunks);
        resolve({
          status: incoming.statusCode ?? 0,
          reason: incoming.statusMessage ?? '',
          headers: incoming.headers,
          body: whole,
          text: whole.toString(),
          elapsedMs: performance.now() - begun,
        });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const SOAP_11 = 'http://schemas.xmlsoap.org/soap/envelope/';
const SOAP_12 = 'http://www.w3.org/2003/05/soap-envelope';

export function envelope(body: string, version: '1.1' | '1.2' = '1.1'): string {
  const namespace = version === '1.1' ? SOAP_11 : SOAP_12;
  return `<?xml version="1.0"?>\n<e:Envelope xmlns:e="${namespace}">\n  <e:Body>${body}</e:Body>\n</e:Envelope>\n`;
}

/** A call as a SOAP 1.1 client makes it. */
export function soap11(url: string, body = '<q xmlns="urn:q">1</q>', more: Call = {}): Promise<Reply> {
  const headers = { 'Content-Type': 'text/xml; charset=UTF-8', SOAPAction: '"urn:q"', ...more.headers };
  return call(url, { ...more, headers, body: envelope(body) });
}

/** A call as a SOAP 1.2 client makes it. */
export function soap12(url: string, body = '<q xmlns="urn:q">1</q>', more: Call = {}): Promise<Reply> {
  const headers = { 'Content-Type': 'application/soap+xml; charset=UTF-8; action="urn:q"', ...more.headers };
  return call(url, { ...more, headers, body: envelope(body, '1.2') });
}
