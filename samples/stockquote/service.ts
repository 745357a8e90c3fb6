/**
 * The sample back end: SimpleStockQuoteService and friends on HTTP and HTTPS, wire-compatible with the server that comes
 * with Apache Synapse and WSO2 (stockquote-samples 1). This module is its programmatic face; `service-cli.ts` is the program.
 */
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Behaviour, Behaviours } from './service/behaviour.ts';
import { answer, type Deployment, type Forward, type HttpAnswer } from './service/dispatch.ts';
import { loadBalanceService1, loadBalanceService2 } from './service/load-balance.ts';
import type { AcceptedOrder, Addresses, Flavour, SampleService, World } from './service/operation.ts';
import { mtomSwaSampleService } from './service/optimized.ts';
import type { HttpRequest } from './service/request.ts';
import { fastStockQuoteService, secureStockQuoteService, simpleStockQuoteService } from './service/stock-quote.ts';
import type { Random } from './wire/quotes.ts';

export type { AcceptedOrder, Behaviour, Flavour, HttpRequest };

/** How to start the sample back end. */
export interface StockQuoteServiceOptions {
  /** 0 takes any free port. */
  readonly httpPort: number;
  /** No HTTPS listener by default; 0 takes any free port. */
  readonly httpsPort?: number | undefined;
  /** Address to listen on, 127.0.0.1 by default. */
  readonly host?: string | undefined;
  /** What LBService1 and LBService2 answer with. */
  readonly name?: string | undefined;
  /** `wso2` by default. */
  readonly flavour?: Flavour | undefined;
  /** Called for each request that has arrived as a whole, before anything is done about it. */
  readonly onRequest?: ((request: HttpRequest) => void) | undefined;
  /** Called for each accepted order, before the client gets its 202. */
  readonly onAccepted?: ((order: AcceptedOrder) => void) | undefined;
  /** Gets each console line, without line end. By default lines go nowhere. */
  readonly print?: ((line: string) => void) | undefined;
  /** Gets failures that no client hears of: one-way operations that failed, replies that could not be sent. */
  readonly reportError?: ((text: string) => void) | undefined;
  /** Source of the made-up prices, `Math.random` by default. */
  readonly random?: Random | undefined;
  /** How many accepted orders `accepted()` remembers at most, the newest; 100,000 by default. */
  readonly rememberedOrders?: number | undefined;
}

/** A running back end. */
export interface StockQuoteService {
  readonly httpPort: number;
  readonly httpsPort: number | undefined;
  /** The certificate of the HTTPS listener, PEM: for those who have to trust it. */
  readonly certificate: string | undefined;
  /** The accepted orders, oldest first, as far as they are remembered. */
  accepted(): AcceptedOrder[];
  /** How many orders were accepted since the start, remembered or not. */
  acceptedCount(): number;
  /** Makes trouble from the next request on; `{}` is back to normal. */
  behave(behaviour: Behaviour): void;
  /** Stops listening, gives running calls up to two seconds, then cuts the connections. May be called again. */
  close(): Promise<void>;
}

/** The back end cannot listen: the port is taken or not allowed. */
export class ServiceStartError extends Error {
  override readonly name = 'ServiceStartError';
}

/** Largest request body, bytes; more is answered with 413. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** How long a client may take to send a whole request, milliseconds. */
const REQUEST_DEADLINE_MS = 60_000;
/** How long a POST of a response to a ReplyTo address may take, milliseconds. */
const FORWARD_DEADLINE_MS = 30_000;
/** Responses on their way to ReplyTo addresses at a time; more are dropped and reported. */
const MAX_FORWARDS = 1_000;
/** How long running calls may go on after close(), milliseconds. */
const CLOSE_GRACE_MS = 2_000;

/**
 * Starts the back end and resolves when it listens.
 *
 * @throws ServiceStartError when a port cannot be had; nothing is left listening then
 */
export async function startStockQuoteService(options: StockQuoteServiceOptions): Promise<StockQuoteService> {
  const service = new ServiceProcess(options);
  try {
    await service.listen(options);
  } catch (error) {
    await service.close();
    throw error;
  }
  return service;
}

class ServiceProcess implements StockQuoteService {
  httpPort = 0;
  httpsPort: number | undefined;
  certificate: string | undefined;
  readonly #options: StockQuoteServiceOptions;
  readonly #deployment: Deployment;
  readonly #behaviours = new Behaviours();
  readonly #servers: Server[] = [];
  readonly #closing = new AbortController();
  readonly #remembered: number;
  readonly #orders: AcceptedOrder[] = [];
  #orderNumber = 0;
  #forwards = 0;
  #closed: Promise<void> | undefined;

  constructor(options: StockQuoteServiceOptions) {
    this.#options = options;
    this.#remembered = Math.max(1, options.rememberedOrders ?? 100_000);
    const services = [
      simpleStockQuoteService,
      fastStockQuoteService,
      secureStockQuoteService,
      loadBalanceService1(),
      loadBalanceService2(),
      mtomSwaSampleService(),
    ];
    this.#deployment = {
      services: new Map(services.map((service): [string, SampleService] => [service.name, service])),
      world: this.#world(),
      reportError: options.reportError ?? (() => undefined),
    };
  }

  accepted(): AcceptedOrder[] {
    return this.#orders.slice(-this.#remembered);
  }

  acceptedCount(): number {
    return this.#orderNumber;
  }

  behave(behaviour: Behaviour): void {
    this.#behaviours.set(behaviour);
  }

  async listen({ httpPort, httpsPort, host = '127.0.0.1' }: StockQuoteServiceOptions): Promise<void> {
    this.httpPort = await this.#open(createServer(SERVER_OPTIONS), httpPort, host);
    if (httpsPort === undefined) return;
    // Loaded only here: most runs have no HTTPS and making a certificate takes a while.
    const { createSelfSignedCertificate } = await import('../../src/transport/certificate.ts');
    const names = ['localhost', '127.0.0.1', '::1', ...(host === '0.0.0.0' || host === '::' ? [] : [host])];
    const pair = await createSelfSignedCertificate({
      commonName: 'localhost',
      altNames: [...new Set(names)],
      days: 365,
    });
    this.certificate = pair.cert;
    this.httpsPort = await this.#open(createSecureServer({ ...SERVER_OPTIONS, ...pair }), httpsPort, host);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort(new Error('The service is closing'));
    const closed = this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    const cut = setTimeout(() => {
      for (const server of this.#servers) server.closeAllConnections();
    }, CLOSE_GRACE_MS);
    await Promise.all(closed);
    clearTimeout(cut);
  }

  #world(): World {
    const { flavour = 'wso2', name, random = Math.random, onAccepted, print } = this.#options;
    return {
      flavour,
      serverName: name,
      random,
      now: () => new Date(),
      print: print ?? (() => undefined),
      nextOrderNumber: () => {
        this.#orderNumber += 1;
        return this.#orderNumber;
      },
      accepted: (order) => {
        this.#orders.push(order);
        // Cut in blocks: shifting each time would move the whole list for every order.
        if (this.#orders.length >= 2 * this.#remembered) this.#orders.splice(0, this.#orders.length - this.#remembered);
        onAccepted?.(order);
      },
      sleep: (milliseconds) => this.#sleep(milliseconds),
    };
  }

  async #open(server: Server, port: number, host: string): Promise<number> {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#serve(request, response).catch((error: unknown) => {
        this.#deployment.reportError(`A request failed: ${error instanceof Error ? error.message : String(error)}`);
        response.destroy();
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause: NodeJS.ErrnoException) => {
        const why = cause.code === 'EADDRINUSE' ? 'the port is taken by another program' : cause.message;
        reject(new ServiceStartError(`Cannot listen on ${host}:${port}: ${why}`, { cause }));
      });
      server.listen(port, host, resolve);
    });
    this.#servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? 'GET';
    if (!['GET', 'HEAD', 'POST', 'PUT'].includes(method)) {
      return write(response, { status: 405, headers: { Allow: 'GET, HEAD, POST, PUT' }, body: '' });
    }
    const body = await readBody(request, response);
    if (!body) return;
    const { url = '/', headers } = request;
    const arrived = { method, url, headers, body };
    this.#options.onRequest?.(arrived);
    const behaviour = this.#behaviours.next();
    const troubled = Boolean(behaviour.reset || behaviour.hang || behaviour.status !== undefined);
    let result: HttpAnswer | undefined;
    if (!troubled || behaviour.afterOperation) {
      result = await answer(arrived, this.#addresses(headers.host), this.#deployment);
    }
    if (behaviour.delayMs !== undefined) await this.#sleep(behaviour.delayMs).catch(() => undefined);
    // A connection kept open would hold up close() until the grace is over.
    if (this.#closing.signal.aborted) response.shouldKeepAlive = false;
    if (behaviour.reset) {
      request.socket.resetAndDestroy();
    } else if (behaviour.hang) {
      this.#holdUntilClose(response);
    } else if (behaviour.status !== undefined) {
      const { status, contentType = 'text/xml; charset=UTF-8', body = '' } = behaviour;
      write(response, { status, headers: body ? { 'Content-Type': contentType } : {}, body });
    } else if (result) {
      write(response, result);
      if (result.forward) this.#forward(result.forward);
    }
  }

  /** The service is known to its WSDL by the name that the client calls it. */
  #addresses(hostHeader: string | undefined): Addresses {
    const host = (hostHeader ?? 'localhost').replace(/:\d+$/, '');
    return { host, httpPort: this.httpPort, httpsPort: this.httpsPort };
  }

  #holdUntilClose(response: ServerResponse): void {
    const end = () => response.destroy();
    this.#closing.signal.addEventListener('abort', end, { once: true });
    response.once('close', () => this.#closing.signal.removeEventListener('abort', end));
    if (this.#closing.signal.aborted) end();
  }

  #sleep(milliseconds: number): Promise<void> {
    const { signal } = this.#closing;
    return new Promise((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', stop);
        resolve();
      }, milliseconds);
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    });
  }

  /** Sends a response to the address that the request asked for; the client has its 202 already. */
  #forward({ url, headers, body }: Forward): void {
    const failed = (why: string) => this.#deployment.reportError(`The reply to ${url} could not be sent: ${why}`);
    if (this.#forwards >= MAX_FORWARDS) {
      failed(`${MAX_FORWARDS} others are under way`);
      return;
    }
    if (!URL.canParse(url) || !/^https?:/.test(url)) {
      failed('it is not an HTTP address');
      return;
    }
    this.#forwards += 1;
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(FORWARD_DEADLINE_MS)]);
    const send = url.startsWith('https:') ? httpsRequest : httpRequest;
    const outgoing = send(url, {
      method: 'POST',
      // The listeners of the sample clients have self-signed certificates.
      rejectUnauthorized: false,
      agent: false,
      signal,
      headers: { ...headers, 'Content-Length': Buffer.byteLength(body) },
    });
    outgoing.on('response', (incoming) => incoming.resume().on('error', (error) => failed(error.message)));
    outgoing.on('error', (error) => failed(error.message));
    outgoing.on('close', () => {
      this.#forwards -= 1;
    });
    outgoing.end(body);
  }
}

const SERVER_OPTIONS = {
  requestTimeout: REQUEST_DEADLINE_MS,
  headersTimeout: REQUEST_DEADLINE_MS / 2,
  keepAliveTimeout: 60_000,
  noDelay: true,
};

/** The whole body; undefined when the client went away or sent too much, which is answered here. */
async function readBody(request: IncomingMessage, response: ServerResponse): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    // Leaving the loop early must not take the connection away under the answer.
    const incoming: AsyncIterable<Uint8Array> = request.iterator({ destroyOnReturn: false });
    for await (const chunk of incoming) {
      size += chunk.byteLength;
      if (size > MAX_BODY_BYTES) {
        request.resume();
        write(response, { status: 413, headers: { Connection: 'close' }, body: '' });
        return undefined;
      }
      chunks.push(chunk);
    }
  } catch {
    // The client has gone: there is nobody to answer and nothing was done yet.
    response.destroy();
    return undefined;
  }
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
}

function write(response: ServerResponse, { status, headers, body }: HttpAnswer): void {
  // Axis2 answers in chunks; what is empty says so with its length.
  const chunked = body.length > 0 && response.req.httpVersionMinor > 0;
  const framing = chunked ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': Buffer.byteLength(body) };
  response.writeHead(status, { Server: 'Synapse-HttpComponents-NIO', ...headers, ...framing });
  response.end(body);
}
