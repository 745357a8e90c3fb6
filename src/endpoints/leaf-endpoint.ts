import type { ProfileDifferences } from '../compat/profile.ts';
import type { DynamicValue } from '../expressions/value.ts';
import type { Position } from '../grammar/diagnostic.ts';
import { logger } from '../logging/index.ts';
import { maskCredentials, maskSecrets } from '../logging/secrets.ts';
import { aboutMessage } from '../mediation/about-message.ts';
import { causeChain } from '../mediation/fault.ts';
import { sequenceFaultHandler } from '../mediation/sequence.ts';
import type { Configuration } from '../message/configuration.ts';
import { ERROR_CODES, MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';
import { setProperty } from '../message/property-scopes.ts';
import { integerOf } from '../message/property-value.ts';
import { STREAMED_FROM_BYTES, type StreamedBody } from '../message/streamed-body.ts';
import { EndpointCounts } from '../observation/counts.ts';
import { secureExchange } from '../security/endpoint-security.ts';
import type { HttpRequest, HttpResponse } from '../transport/http-sender.ts';
import { writeAddressing } from './addressing.ts';
import { type EndpointAuthentication, sendAs } from './authentication.ts';
import type { Endpoint, EndpointStatus, SendOptions } from './endpoint.ts';
import type { EndpointProperty } from './endpoint-property.ts';
import { outgoingRequest, passesAsItComes, type RequestOptions } from './outgoing-request.ts';
import { type OutgoingTransport, transportOf } from './outgoing-transport.ts';
import { responseMessage } from './response-message.ts';
import type { EndpointSettings } from './settings.ts';
import { nameOf, shownName } from './shown-name.ts';
import { EndpointSuspension } from './suspension.ts';

declare module '../message/configuration.ts' {
  interface Services {
    /** ms after which a send without a timeout of its own expires (spec proxies 2.2, `synapse.global_timeout_interval`). */
    globalTimeoutMs: number;
  }
}

const log = logger('TimeoutHandler');
/** Characters of an error that is kept for operators. */
const MAX_ERROR_LENGTH = 500;
const ENDPOINT_LOG = logger('EndpointContext');

/** What makes one kind of leaf different from another. */
export interface LeafDefinition {
  readonly name: string | undefined;
  readonly kind: 'address' | 'http' | 'wsdl' | 'default';
  readonly position: Position;
  readonly settings: EndpointSettings;
  readonly properties: readonly EndpointProperty[];
  /** The sequence that runs when this endpoint failed. */
  readonly onError: string | undefined;
  /** Fixed HTTP method of an http endpoint; it also drops the REST postfix (spec proxies 5.4). */
  readonly method: string | undefined;
  /** How it says who sends; absent: not at all. */
  readonly authentication?: EndpointAuthentication | undefined;
  /** For logs and operators; undefined when it depends on the message. */
  readonly staticAddress: string | undefined;
  /** The address for this message, without the REST postfix; undefined when there is none. */
  address(message: MessageContext): string | undefined | Promise<string>;
}

/** An endpoint with one address at a time: address, http, wsdl and default endpoints (spec proxies 5.1 to 5.4). */
export class LeafEndpoint implements Endpoint {
  readonly #definition: LeafDefinition;
  readonly #suspension: EndpointSuspension;
  readonly counts = new EndpointCounts();
  #lastError: string | undefined;
  #compat: ProfileDifferences | undefined;

  constructor(definition: LeafDefinition) {
    this.#definition = definition;
    this.#suspension = new EndpointSuspension(definition.settings.suspension, this.#label(undefined));
  }

  get name(): string | undefined {
    return this.#definition.name;
  }

  get kind(): string {
    return this.#definition.kind;
  }

  get position(): Position {
    return this.#definition.position;
  }

  readyAt(): number {
    return this.#suspension.readyAt;
  }

  allowsRetry(code: number | undefined): boolean {
    const { disabledErrorCodes, enabledErrorCodes } = this.#definition.settings.retryConfig;
    if (disabledErrorCodes.includes(code ?? ERROR_CODES.generic)) return false;
    return enabledErrorCodes.length === 0 || enabledErrorCodes.includes(code ?? ERROR_CODES.generic);
  }

  describe(): EndpointStatus {
    const { readyAt, state, retriesLeft } = this.#suspension;
    return {
      state,
      nextRetryTime: readyAt === 0 ? undefined : readyAt,
      address: this.#definition.staticAddress,
      retriesLeft,
      ...(this.#lastError !== undefined && { lastError: this.#lastError }),
    };
  }

  switchTo(on: boolean): void {
    if (on) this.#suspension.switchOn();
    else this.#suspension.switchOff();
  }

  passesBody(_configuration: Configuration, isBlind: (sequence: string) => boolean): boolean {
    const { settings, properties, authentication, onError } = this.#definition;
    const { addressing, security, timeout } = settings;
    const looks = addressing || security || authentication || properties.length > 0;
    return !looks && typeof timeout.duration !== 'object' && (onError === undefined || isBlind(onError));
  }

  async send(message: MessageContext, options: SendOptions = {}): Promise<MessageContext> {
    this.#noteProfile(message.configuration.services.compat);
    try {
      if (!this.#suspension.ready) throw this.#notReady(message);
      const response = await this.#observed(message, options);
      const status = integerOf(response.axis2.get('HTTP_SC'));
      if (status !== undefined && options.failsWith?.(status))
        this.#suspension.failed(ERROR_CODES.blockingSenderFailed, () => ({ ...this.#about(message), status }));
      else
        whenOver(response.payload.stream, (error) => !error && this.#suspension.succeeded(() => this.#about(message)));
      return response;
    } catch (error) {
      this.#noteError(error);
      this.#pushErrorSequence(message);
      throw error;
    }
  }

  #noteError(error: unknown): void {
    const text = maskSecrets(error instanceof Error ? error.message : String(error));
    this.#lastError = text.slice(0, MAX_ERROR_LENGTH);
  }

  /** The first message tells the profile, which is that of all. */
  #noteProfile(compat: ProfileDifferences | undefined): void {
    if (this.#compat === compat) return;
    this.#compat = compat;
    this.#suspension.label = this.#label(compat);
  }

  #label(compat: ProfileDifferences | undefined): string {
    const { staticAddress } = this.#definition;
    const tellsAddress = staticAddress !== undefined && compat?.endpointLogsTellAddress !== false;
    return `Endpoint : ${shownName(this, compat)}${tellsAddress ? ` with address ${maskSecrets(staticAddress)}` : ''}`;
  }

  /** Counts the exchange, and tells the message's trace of it. */
  async #observed(message: MessageContext, options: SendOptions): Promise<MessageContext> {
    const { counts } = this;
    const { trace } = message;
    const began = performance.now();
    const send = trace?.sends(this.name, this.kind, this.position);
    counts.requests += 1;
    counts.inFlight += 1;
    const over = (failed: boolean) => {
      if (failed) counts.errors += 1;
      counts.inFlight -= 1;
      counts.latency.add(performance.now() - began);
    };
    try {
      const response = await this.#exchange(message, options);
      const status = integerOf(response.axis2.get('HTTP_SC'));
      if (send !== undefined) trace?.sent(send, { status });
      whenOver(response.payload.stream, (error) =>
        over(error !== undefined || (status !== undefined && status >= 500)),
      );
      return response;
    } catch (error) {
      if (send !== undefined) trace?.sent(send, { error });
      over(true);
      throw error;
    }
  }

  async #exchange(message: MessageContext, options: SendOptions): Promise<MessageContext> {
    const { settings, properties, method } = this.#definition;
    for (const property of properties) setProperty(message, property.scope, property.name, property.value(message));
    const address = await this.#definition.address(message);
    if (!address)
      throw new MediationError('The endpoint has no address to send to', { code: ERROR_CODES.leafNotReady });
    const timeoutMs = this.#timeoutMs(message);
    const { addressing, format, encoding, optimize } = settings;
    const transport = transportOf(message, address);
    const form = { address, format, encoding, optimize, method };
    if (message.payload.stream && (transport || !this.#streams(message, form, options))) await message.payload.hold();
    if (addressing) writeAddressing(message, addressing, { to: address, format, outOnly: options.outOnly ?? false });
    if (transport) return this.#exchangeOver(transport, message, { address, timeoutMs, options });
    const plain = outgoingRequest(message, form);
    const secured = settings.security && (await secureExchange(message, settings.security, plain));
    const request = secured?.request ?? plain;
    message.properties.set('last_endpoint', nameOf(this, message));
    message.properties.set('ENDPOINT_PREFIX', address);
    const span = message.span?.sends(this.name, request.url, request.method);
    let answer: MessageContext;
    try {
      const response = await this.#authenticated(message, {
        method: request.method,
        url: request.url,
        headers: span ? withTraceparent(request.headers, span.traceparent) : request.headers,
        body: request.body,
        stream: request.stream,
        passFrom: options.passesAnswer && !settings.security ? STREAMED_FROM_BYTES : undefined,
        responseTimeoutMs: timeoutMs,
        discardBody: options.outOnly,
        correlationId: correlationId(message),
        about: () => this.#about(message),
        signal: options.signal,
      });
      span?.end({ status: response.status });
      answer = responseMessage(message, response, { outOnly: options.outOnly, rest: plain.rest });
      if (response.stream && !message.exchange?.passes?.(answer)) await answer.payload.hold();
    } catch (error) {
      span?.end({ error });
      throw this.#sendFailed(message, error, address, timeoutMs, options);
    }
    secured?.open(answer);
    answer.payload.stream?.onEnd((end) => {
      if (!(end instanceof Error)) return;
      this.#noteError(end);
      this.#sendFailed(message, end, address, timeoutMs, options);
    });
    return answer;
  }

  /** May the body go out while it still comes? For anything else it has to be held, whatever was planned. */
  #streams(message: MessageContext, form: RequestOptions, { outOnly, blocking }: SendOptions): boolean {
    const { settings, authentication } = this.#definition;
    if (settings.addressing || settings.security || authentication || outOnly || blocking) return false;
    return passesAsItComes(message, form);
  }

  #authenticated(message: MessageContext, request: HttpRequest): Promise<HttpResponse> {
    const { authentication } = this.#definition;
    const { http } = message.configuration.services;
    if (!authentication) return http.send(request);
    // Of two answers only the second one is taken.
    return sendAs(authentication, message, { ...request, passFrom: undefined });
  }

  /** Over another transport than HTTP, which has neither methods nor statuses. */
  async #exchangeOver(
    transport: OutgoingTransport,
    message: MessageContext,
    { address, timeoutMs, options }: { address: string; timeoutMs: number; options: SendOptions },
  ): Promise<MessageContext> {
    const { format, encoding, optimize, security } = this.#definition.settings;
    if (security) throw new MediationError('Messages are secured (<enableSec>) for HTTP addresses only');
    message.properties.set('last_endpoint', nameOf(this, message));
    message.properties.set('ENDPOINT_PREFIX', maskCredentials(address));
    const { outOnly = false, signal } = options;
    try {
      return await transport.exchange(message, { address, format, encoding, optimize, timeoutMs, outOnly, signal });
    } catch (error) {
      throw this.#sendFailed(message, error, address, timeoutMs, options);
    }
  }

  /** Updates the state machine and decides what an expired send means (spec proxies 4.10, 5.8; REQ-3). */
  #sendFailed(
    message: MessageContext,
    error: unknown,
    address: string,
    timeoutMs: number,
    options: SendOptions,
  ): unknown {
    const ours = options.signal?.aborted || message.payload.stream?.error !== undefined;
    if (!(error instanceof MediationError) || ours) return error;
    const { responseAction } = this.#definition.settings.timeout;
    const expired = error.code === ERROR_CODES.sendTimeout;
    if (expired) this.#logExpiry(message, address, timeoutMs);
    const silent = expired && responseAction === undefined && !options.blocking;
    if (!silent) this.#suspension.failed(error.code, () => ({ ...this.#about(message), cause: causeChain(error) }));
    if (!expired || options.blocking || responseAction === 'fault') return error;
    if (responseAction === 'discard')
      ENDPOINT_LOG.info('Ignoring fault handlers since the timeout action is set to DISCARD', this.#about(message));
    return new MediationError(error.message, {
      code: ERROR_CODES.sendTimeout,
      status: 504,
      skipsFaultHandlers: true,
      cause: error,
    });
  }

  #logExpiry(message: MessageContext, address: string, timeoutMs: number): void {
    const own = this.#definition.settings.timeout.duration !== undefined;
    const proxy = message.text('proxy.name');
    const entry = proxy
      ? `Received through Proxy service : ${proxy}`
      : 'Received through an entry point other than a proxy, an api or an inbound endpoint ';
    log.warn(
      `Expiring message ID : ${message.messageId}; dropping message after ${own ? 'ENDPOINT_TIMEOUT' : 'GLOBAL_TIMEOUT'} of : ${timeoutMs / 1000} seconds for ${nameOf(this, message)}, URI : ${maskSecrets(address)}, ${entry}Correlation ID : ${message.axis2.get('correlation_id') ?? ''}`,
      this.#about(message),
    );
  }

  #about(message: MessageContext) {
    const { file, line } = this.position;
    // A processor's message has passed no mediator yet: then the endpoint's own place is the nearest one.
    return { file, line, ...aboutMessage(message), endpoint: nameOf(this, message) };
  }

  #timeoutMs(message: MessageContext): number {
    const { duration } = this.#definition.settings.timeout;
    const global = message.configuration.services.globalTimeoutMs;
    if (duration === undefined) return this.#timeoutOfAction(message) ?? global;
    if (typeof duration === 'number') return duration;
    return dynamicTimeout(duration, message, global);
  }

  /** Of Apache's, an action alone brings a time with it (spec proxies 12). */
  #timeoutOfAction({ configuration }: MessageContext): number | undefined {
    const { responseAction } = this.#definition.settings.timeout;
    return responseAction === undefined ? undefined : configuration.services.compat?.timeoutOfActionMs;
  }

  #notReady(message: MessageContext): MediationError {
    const { kind } = this.#definition;
    const title = kind === 'http' ? 'HTTP' : kind === 'wsdl' ? 'WSDL' : kind === 'default' ? 'Default' : 'Address';
    const text = `Currently , ${title} endpoint : [ Name : ${nameOf(this, message)} ] [ State : ${this.#suspension.state} ]`;
    const code = kind === 'wsdl' ? ERROR_CODES.wsdlNotReady : ERROR_CODES.leafNotReady;
    ENDPOINT_LOG.warn(`Endpoint failure - Error Code: ${code}, Error Message: ${text}`, this.#about(message));
    return new MediationError(text, { code, status: 503 });
  }

  #pushErrorSequence(message: MessageContext): void {
    const { onError } = this.#definition;
    const sequence = onError === undefined ? undefined : message.configuration.find('sequence', onError);
    if (sequence)
      message.faultStack.push(sequenceFaultHandler(sequence, `onError sequence '${onError}' of an endpoint`));
  }
}

/** Calls back when a body has come to its end, or at once without one; with what broke it off, if it did. */
function whenOver(stream: StreamedBody | undefined, listener: (error?: Error) => void): void {
  if (stream) stream.onEnd((end) => (end instanceof Error ? listener(end) : listener()));
  else listener();
}

/** Ours takes the place of the client's, which it continues (OP-73). */
function withTraceparent(headers: ReadonlyArray<[string, string]>, traceparent: string): Array<[string, string]> {
  return [...headers.filter(([name]) => name.toLowerCase() !== 'traceparent'), ['traceparent', traceparent]];
}

function correlationId({ axis2 }: MessageContext): string | undefined {
  const id = axis2.get('correlation_id');
  return id === undefined ? undefined : String(id);
}

/** Evaluated per send, never above the global timeout; what is no number means the global one. */
function dynamicTimeout(duration: DynamicValue, message: MessageContext, globalMs: number): number {
  const text = (duration.evaluate(message) ?? '').trim();
  if (/^\d{1,15}$/.test(text)) return Math.min(Number(text), globalMs);
  log.warn(
    `Endpoint timeout expression evaluated to '${text}', which is no number of ms; the global timeout is used`,
    aboutMessage(message),
  );
  return globalMs;
}
