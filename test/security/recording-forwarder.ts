import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { call } from '../support/http-call.ts';

/** Somebody between client and server, who sees all and may change it. */
export interface RecordingForwarder {
  readonly url: string;
  readonly requests: string[];
  readonly responses: string[];
  /** What becomes of the next requests and responses. */
  change: { request?: (text: string) => string; response?: (text: string) => string };
  close(): Promise<void>;
}

export async function recordingForwarder(target: string): Promise<RecordingForwarder> {
  const requests: string[] = [];
  const responses: string[] = [];
  const forwarder: Omit<RecordingForwarder, 'url' | 'close'> = { requests, responses, change: {} };
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const received = Buffer.concat(chunks).toString('utf8');
      requests.push(received);
      const { 'content-type': type = '', soapaction = '' } = request.headers;
      const headers = { 'Content-Type': type, ...(soapaction && { SOAPAction: String(soapaction) }) };
      const body = forwarder.change.request?.(received) ?? received;
      const reply = await call(`${target}${request.url}`, { method: 'POST', headers, body });
      responses.push(reply.text);
      response.writeHead(reply.status, { 'Content-Type': reply.headers['content-type'] ?? 'text/xml' });
      response.end(forwarder.change.response?.(reply.text) ?? reply.text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(forwarder, {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}
