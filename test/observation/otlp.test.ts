import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EchoBackEnd, echoBackEnd } from '../support/echo-back-end.ts';
import { call } from '../support/http-call.ts';
import { type InProcess, inOnly, proxy, serve } from '../support/in-process.ts';
import { waitFor } from '../support/wait-for.ts';

const START_MS = 120_000;
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CLIENT_SPAN = 'b7ad6b7169203331';
const KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: ReadonlyArray<{ key: string; value: { stringValue?: string; intValue?: number | string } }>;
  readonly links?: ReadonlyArray<{ traceId: string; spanId: string }>;
  readonly status?: { code?: number };
}

/** A small OTLP/HTTP receiver: takes JSON, as the exporter sends it. */
class Receiver {
  readonly spans: OtlpSpan[] = [];
  readonly resources: string[] = [];
  readonly headers: Array<string | undefined> = [];
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<Receiver> {
    const server = createServer();
    const receiver = new Receiver(server);
    server.on('request', (request, response) => {
      void receiver
        .#take(request)
        .then((status) => response.writeHead(status, { 'Content-Type': 'application/json' }).end('{}'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1/traces`;
  }

  span(kind: string, where: (span: OtlpSpan) => boolean = () => true): OtlpSpan | undefined {
    return this.spans.find((span) => KINDS[span.kind] === kind && where(span));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #take(request: IncomingMessage): Promise<number> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    this.headers.push(request.headers['x-tenant'] as string | undefined);
    if (request.headers['content-type'] !== 'application/json') return 415;
    const body = JSON.parse(Buffer.concat(chunks).toString()) as {
      resourceSpans: Array<{ resource: unknown; scopeSpans: Array<{ spans: OtlpSpan[] }> }>;
    };
    for (const { resource, scopeSpans } of body.resourceSpans) {
      this.resources.push(JSON.stringify(resource));
      for (const { spans } of scopeSpans) this.spans.push(...spans);
    }
    return 200;
  }
}

function attribute(span: OtlpSpan | undefined, key: string): string | undefined {
  const value = span?.attributes.find((one) => one.key === key)?.value;
  return value === undefined ? undefined : String(value.stringValue ?? value.intValue);
}

let receiver: Receiver;
let backEnd: EchoBackEnd;
let runtime: InProcess;

beforeAll(async () => {
  receiver = await Receiver.open();
  backEnd = await echoBackEnd();
  runtime = await serve(
    {
      Later: inOnly('Later', '<property name="OUT_ONLY" value="true"/><store messageStore="Orders"/>'),
      Now: proxy(
        'Now',
        '<inSequence><send><endpoint key="BackEnd"/></send></inSequence><outSequence><respond/></outSequence>',
      ),
      BackEnd: `<endpoint name="BackEnd"><address uri="http://127.0.0.1:${backEnd.port}/"/></endpoint>`,
      Orders: '<messageStore name="Orders"/>',
      Forwarder: `<messageProcessor name="Forwarder" messageStore="Orders" targetEndpoint="BackEnd"
        class="org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor">
        <parameter name="interval">10</parameter></messageProcessor>`,
    },
    `[observability.otlp]\nendpoint = "${receiver.url}"\nheaders = "x-tenant=blue"\nservice_name = "shop"\n`,
  );
}, START_MS);

afterAll(async () => {
  await runtime?.stop();
  await backEnd?.close();
  await receiver?.close();
});

const send = (name: string, traceparent?: string) =>
  call(runtime.service(name), {
    method: 'POST',
    headers: { 'Content-Type': 'text/plain', ...(traceparent !== undefined && { traceparent }) },
    body: 'x',
  });

describe('OpenTelemetry spans (OP-73)', () => {
  it('continue the client’s trace and hand it to the back end', async () => {
    await send('Now', `00-${TRACE}-${CLIENT_SPAN}-01`);
    const server = await waitFor(() => receiver.span('SERVER', ({ name }) => name === 'proxy Now'), {
      what: 'the server span',
    });
    expect(server).toMatchObject({ traceId: TRACE, parentSpanId: CLIENT_SPAN });
    expect(attribute(server, 'http.request.method')).toBe('POST');
    expect(attribute(server, 'http.response.status_code')).toBe('200');
    const client = receiver.span('CLIENT', ({ traceId }) => traceId === TRACE);
    expect(client?.parentSpanId).toBe(server.spanId);
    expect(backEnd.received.at(-1)?.headers.traceparent).toBe(`00-${TRACE}-${client?.spanId}-01`);
    expect(receiver.headers).toContain('blue');
    expect(receiver.resources[0]).toContain('"shop"');
  });

  it('go through the store: the consumer links to the producer', async () => {
    const trace = TRACE.replace(/c$/, 'd');
    await send('Later', `00-${trace}-${CLIENT_SPAN}-01`);
    const consumer = await waitFor(() => receiver.span('CONSUMER', ({ traceId }) => traceId === trace), {
      what: 'the consumer span',
    });
    const producer = receiver.span('PRODUCER', ({ traceId }) => traceId === trace);
    expect(attribute(producer, 'messaging.destination.name')).toBe('Orders');
    expect(attribute(producer, 'messaging.operation.type')).toBe('send');
    expect(consumer.links).toMatchObject([{ traceId: trace, spanId: producer?.spanId }]);
    expect(attribute(consumer, 'messaging.operation.type')).toBe('process');
    expect(attribute(consumer, 'messaging.message.id')).toBe(attribute(producer, 'messaging.message.id'));
    const client = receiver.span('CLIENT', ({ parentSpanId }) => parentSpanId === consumer.spanId);
    expect(backEnd.received.at(-1)?.headers.traceparent).toBe(`00-${trace}-${client?.spanId}-01`);
  });

  it('are not made for a trace that its beginner does not sample, and its header goes on as it is', async () => {
    const header = `00-${'1'.repeat(32)}-${CLIENT_SPAN}-00`;
    await send('Now', header);
    expect(backEnd.received.at(-1)?.headers.traceparent).toBe(header);
    await send('Now');
    const begun = backEnd.received.at(-1)?.headers.traceparent;
    await waitFor(() => receiver.spans.some(({ traceId }) => begun?.includes(traceId)), { what: 'the next trace' });
    expect(receiver.spans.some(({ traceId }) => traceId === '1'.repeat(32))).toBe(false);
  });

  it('say what failed', async () => {
    backEnd.answer = () => ({ status: 503 });
    const trace = TRACE.replace(/c$/, 'e');
    await send('Now', `00-${trace}-${CLIENT_SPAN}-01`);
    const client = await waitFor(() => receiver.span('CLIENT', ({ traceId }) => traceId === trace), {
      what: 'the client span',
    });
    backEnd.answer = () => ({});
    expect(client.status?.code).toBe(2);
    expect(attribute(client, 'http.response.status_code')).toBe('503');
  });
});
