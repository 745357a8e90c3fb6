import type { Context, Link, Span, SpanContext, SpanKind, Tracer } from '@opentelemetry/api';
import type { OtlpSettings } from '../config/config.ts';
import { logger } from '../logging/index.ts';
import { maskSecrets } from '../logging/secrets.ts';
import type { ExchangeEnd } from '../message/exchange.ts';
import type { EntryKind, FlowSpan, OutgoingSpan, SendEnd } from '../message/flow-observer.ts';
import type { MessageContext } from '../message/message-context.ts';
import { requirePackage } from '../optional-package.ts';
import type { ObservedAttempt } from '../processors/delivery-observer.ts';
import type { Outcome } from '../processors/outcome.ts';
import type { AttemptSpan, Spans } from './spans.ts';
import { formatTraceparent, parseTraceparent } from './traceparent.ts';

const log = logger('OpenTelemetry');
/** Spans that wait to be exported; more are dropped by the SDK. */
const MAX_WAITING = 4_096;
const EXPORT_EVERY_MS = 2_000;
const EXPORT_TIMEOUT_MS = 5_000;

type Api = typeof import('@opentelemetry/api');

/**
 * Spans by OTLP/HTTP (OP-73). The libraries are loaded only here, when an endpoint is configured.
 *
 *     SERVER  proxy P ──► CLIENT  POST            (traceparent goes to the back end)
 *        └──► PRODUCER  send S                    (traceparent goes into the stored message)
 *                  ▲ link and parent
 *                  └── CONSUMER  process S ──► CLIENT  POST
 *
 * @param version of this program
 */
export async function openOtlpSpans(settings: OtlpSettings, version: string): Promise<Spans> {
  requirePackage('@opentelemetry/sdk-trace', '[observability.otlp]');
  const [api, sdk, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  const { diag, DiagLogLevel } = api;
  // What the exporter cannot send is said once in a while: the log's storm guard collapses the rest.
  const quiet = () => undefined;
  const warn = (message: string) => log.warn(maskSecrets(message));
  diag.setLogger({ error: warn, warn, info: quiet, debug: quiet, verbose: quiet }, DiagLogLevel.WARN);
  const exporter = new OTLPTraceExporter({
    url: settings.endpoint,
    headers: { ...settings.headers },
    timeoutMillis: EXPORT_TIMEOUT_MS,
  });
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({ 'service.name': settings.serviceName, 'service.version': version }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(settings.sample) }),
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter,
        maxQueueSize: MAX_WAITING,
        scheduledDelayMillis: EXPORT_EVERY_MS,
        exportTimeoutMillis: EXPORT_TIMEOUT_MS,
      }),
    ],
  });
  return new OtlpSpans(api, provider.getTracer('mini-synapse', version), async () => {
    try {
      await provider.shutdown();
    } catch (error) {
      log.warn(`The last spans could not be exported: ${textOf(error)}`);
    }
  });
}

class OtlpSpans implements Spans {
  readonly #api: Api;
  readonly #tracer: Tracer;
  readonly #shutdown: () => Promise<void>;

  constructor(api: Api, tracer: Tracer, shutdown: () => Promise<void>) {
    this.#api = api;
    this.#tracer = tracer;
    this.#shutdown = shutdown;
  }

  enters(message: MessageContext, kind: EntryKind, name: string): ((end: ExchangeEnd | undefined) => void) | undefined {
    const { SpanKind: kinds } = this.#api;
    const remote = parseTraceparent(message.headers.get('traceparent'));
    const method = message.axis2.get('HTTP_METHOD');
    const http = message.axis2.has('REMOTE_ADDR') && method !== undefined;
    const flow = this.#begin(`${kind} ${name}`, http ? kinds.SERVER : kinds.INTERNAL, {
      parent: remote,
      attributes: {
        'mini_synapse.artifact.kind': kind,
        'mini_synapse.artifact.name': name,
        'mini_synapse.message.id': message.messageId,
        ...(http && { 'http.request.method': String(method), 'url.path': pathOf(message) }),
      },
    });
    if (!flow) return undefined;
    message.span = flow;
    return (end) => flow.end({ status: end?.status, error: end?.failure?.message });
  }

  begins({ processor, store, stored, number }: ObservedAttempt): AttemptSpan | undefined {
    const produced = parseTraceparent(stored.headers.find(([name]) => name.toLowerCase() === 'traceparent')?.[1]);
    const flow = this.#begin(`process ${store}`, this.#api.SpanKind.CONSUMER, {
      parent: produced,
      links: produced ? [{ context: produced }] : [],
      attributes: {
        'messaging.system': 'mini-synapse',
        'messaging.destination.name': store,
        'messaging.operation.type': 'process',
        'messaging.operation.name': 'process',
        'messaging.message.id': stored.id,
        'messaging.message.body.size': stored.body.bytes.byteLength,
        'mini_synapse.processor': processor,
        'mini_synapse.attempt': number,
      },
    });
    if (!flow) return undefined;
    return { span: flow, end: (outcome) => flow.end(endOf(outcome)) };
  }

  close(): Promise<void> {
    return this.#shutdown();
  }

  #begin(
    name: string,
    kind: SpanKind,
    options: { parent: SpanContext | undefined; links?: Link[]; attributes: Record<string, string | number> },
  ): OtlpFlowSpan | undefined {
    const { trace, ROOT_CONTEXT } = this.#api;
    const { parent, links = [], attributes } = options;
    const around = parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
    const span = this.#tracer.startSpan(name, { kind, links, attributes }, around);
    if (!span.isRecording()) return undefined;
    return new OtlpFlowSpan(this.#api, this.#tracer, span);
  }
}

/** A span with others below it. */
class OtlpFlowSpan implements FlowSpan {
  readonly #api: Api;
  readonly #tracer: Tracer;
  readonly #span: Span;
  readonly #context: Context;

  constructor(api: Api, tracer: Tracer, span: Span) {
    this.#api = api;
    this.#tracer = tracer;
    this.#span = span;
    this.#context = api.trace.setSpan(api.ROOT_CONTEXT, span);
  }

  end(end: SendEnd): void {
    endSpan(this.#api, this.#span, end);
  }

  sends(endpoint: string | undefined, address: string, method: string): OutgoingSpan {
    const url = URL.parse(address);
    return this.#outgoing(method, this.#api.SpanKind.CLIENT, {
      'http.request.method': method,
      'url.full': maskSecrets(address),
      ...(url && {
        'server.address': url.hostname,
        'server.port': Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
      }),
      ...(endpoint !== undefined && { 'mini_synapse.endpoint': endpoint }),
    });
  }

  stores(store: { readonly name: string; readonly type: string }, messageId: string): OutgoingSpan {
    return this.#outgoing(`send ${store.name}`, this.#api.SpanKind.PRODUCER, {
      'messaging.system': systemOf(store.type),
      'messaging.destination.name': store.name,
      'messaging.operation.type': 'send',
      'messaging.operation.name': 'store',
      'messaging.message.id': messageId,
    });
  }

  #outgoing(name: string, kind: SpanKind, attributes: Record<string, string | number>): OutgoingSpan {
    const span = this.#tracer.startSpan(name, { kind, attributes }, this.#context);
    return {
      traceparent: formatTraceparent(span.spanContext()),
      end: (end) => endSpan(this.#api, span, end),
    };
  }
}

function endSpan({ SpanStatusCode }: Api, span: Span, { status, error }: SendEnd): void {
  if (status !== undefined) span.setAttribute('http.response.status_code', status);
  if (error !== undefined) {
    span.setStatus({ code: SpanStatusCode.ERROR, message: maskSecrets(textOf(error)) });
    span.setAttribute('error.type', error instanceof Error ? error.name : 'fault');
  } else if ((status ?? 0) >= 500) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    span.setAttribute('error.type', String(status));
  }
  span.end();
}

function endOf(outcome: Outcome | undefined): SendEnd {
  switch (outcome?.kind) {
    case 'delivered':
      return { status: outcome.status };
    case 'settled':
      return {};
    case 'failed':
      return { status: outcome.failure.status, error: outcome.failure.cause };
    default:
      return { error: outcome && 'reason' in outcome ? outcome.reason : (outcome?.kind ?? 'an unexpected error') };
  }
}

/** OpenTelemetry's names of messaging systems where there is one. */
function systemOf(storeType: string): string {
  if (storeType.startsWith('rabbitmq')) return 'rabbitmq';
  if (storeType.startsWith('jms')) return 'activemq';
  return storeType.startsWith('jdbc') || storeType.startsWith('resequence') ? 'jdbc' : 'mini-synapse';
}

function pathOf(message: MessageContext): string {
  return (message.to ?? String(message.axis2.get('TransportInURL') ?? '')).split('?', 1)[0] ?? '';
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
