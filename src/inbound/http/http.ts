import { existsSync } from 'node:fs';
import type { WrittenParameter } from '../../grammar/parameters.ts';
import type { ArtifactReader } from '../../grammar/reader.ts';
import { logger } from '../../logging/index.ts';
import { pause } from '../../scheduling/index.ts';
import type { CertificatePair } from '../../transport/certificate.ts';
import { type Dispatcher, type HttpListener, startHttpListener } from '../../transport/http-listener.ts';
import { listenerCertificate } from '../../transport/tls.ts';
import { type InboundOpening, type InboundServices, type InboundTransport, inboundKind } from '../component.ts';
import { InboundDispatcher } from './dispatch.ts';
import { HTTP_PARAMETERS, HTTPS_PARAMETERS, type HttpParameters, type HttpsParameters } from './parameters.ts';

const log = logger('InboundHttpListener');
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 10_000;

/** `protocol="http"`: a listener of its own. */
export const httpInbound = inboundKind({
  protocol: 'http',
  doc: 'Listens on a port of its own.',
  parameters: HTTP_PARAMETERS,
  answers: true,
  open: (opening) => new HttpInbound(opening, undefined),
});

/** `protocol="https"`. */
export const httpsInbound = inboundKind({
  protocol: 'https',
  doc: 'Listens on a port of its own, with TLS.',
  parameters: HTTPS_PARAMETERS,
  answers: true,
  review: (written, parameters, reader) => reviewTls(written, parameters, reader),
  open(opening) {
    const { 'x.tls.key': keyFile, 'x.tls.certificate': certificateFile } = opening.parameters;
    const files = keyFile !== undefined && certificateFile !== undefined ? { keyFile, certificateFile } : undefined;
    return new HttpInbound(opening, {
      key: JSON.stringify(files ?? 'server'),
      pair: () => (files ? listenerCertificate(files, '') : opening.services.certificate()),
    });
  },
});

const JAVA_STORES = ['keystore', 'truststore', 'SSLVerifyClient', 'CertificateRevocationVerifier'];

function reviewTls(
  written: ReadonlyMap<string, WrittenParameter>,
  {
    'x.tls.key': key,
    'x.tls.certificate': certificate,
  }: { readonly 'x.tls.key'?: string | undefined; readonly 'x.tls.certificate'?: string | undefined },
  reader: ArtifactReader,
): void {
  const own = written.get('x.tls.key') ?? written.get('x.tls.certificate');
  if (own && (key === undefined || certificate === undefined)) {
    reader.error(own.element, "parameters 'x.tls.key' and 'x.tls.certificate' belong together", {
      expected: 'the PEM files of a key and of its certificate',
    });
  }
  for (const file of [key, certificate]) {
    if (own && file !== undefined && !existsSync(file))
      reader.warning(own.element, `the file ${file} is not there yet`);
  }
  for (const name of JAVA_STORES) {
    const parameter = written.get(name);
    if (!parameter) continue;
    const serves = own ? '' : ': the certificate of the server is used';
    const what =
      name === 'keystore'
        ? `Java key stores are not read${serves}`
        : `'${name}' has no effect: clients are not asked for certificates`;
    reader.warning(parameter.element, what, {
      expected: 'x.tls.key and x.tls.certificate, PEM files',
    });
  }
}

interface Tls {
  /** Equal for equal certificates. */
  readonly key: string;
  pair(): Promise<CertificatePair>;
}

/** Lets a listener outlive the endpoint that opened it: requests go to the endpoint of this moment. */
class Switch implements Dispatcher {
  #current: Dispatcher;

  constructor(first: Dispatcher) {
    this.#current = first;
  }

  use(next: Dispatcher): void {
    this.#current = next;
  }

  dispatch(...call: Parameters<Dispatcher['dispatch']>): void | Promise<void> {
    return this.#current.dispatch(...call);
  }
}

interface OpenListener {
  readonly listener: HttpListener;
  readonly dispatcher: Switch;
}

/**
 * The listener of one inbound endpoint:
 *
 *     AT REST ──start()──► taken over from the former endpoint, same port and certificate ──► LISTENING ──stop()──► CLOSED
 *                    └──► opening ──► LISTENING                                                  └──handOver()──► CLOSED, the listener stays open
 *                            └──port taken──► ERROR logged, tried again after 0.1 s to 10 s ──► LISTENING
 */
class HttpInbound implements InboundTransport {
  readonly #name: string;
  readonly #port: number;
  readonly #tls: Tls | undefined;
  readonly #services: InboundServices;
  readonly #dispatcher: InboundDispatcher;
  readonly #life = new AbortController();
  #previous: InboundTransport | undefined;
  #open: OpenListener | undefined;
  #opening: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | undefined;

  constructor(opening: InboundOpening<HttpParameters | HttpsParameters>, tls: Tls | undefined) {
    const { name, entry, parameters, services, previous, written } = opening;
    this.#name = name;
    this.#port = parameters['inbound.http.port'];
    this.#tls = tls;
    this.#services = services;
    this.#previous = previous;
    this.#dispatcher = new InboundDispatcher({
      name,
      entry,
      hasSequence: entry.hasSequence,
      pattern: parameters['dispatch.filter.pattern'],
      servesApis: parameters['api.dispatching.enabled'],
      configuration: () => services.configuration(),
    });
    if (written.get('inbound.port.offset.enable') === 'true')
      log.warn(`Inbound endpoint [${name}]: the offset of the server is not added to inbound.http.port`);
  }

  async start(): Promise<void> {
    const previous = this.#previous;
    // Or every version would keep all of its predecessors.
    this.#previous = undefined;
    if (previous instanceof HttpInbound) this.#open = previous.#handOver(this);
    if (this.#open) {
      this.#open.dispatcher.use(this.#dispatcher);
      this.#announce('goes on listening');
      return;
    }
    if (await this.#tryToOpen(true)) return;
    this.#opening = this.#keepTrying();
  }

  stop(deadlineMs: number): Promise<void> {
    this.#stopped ??= this.#stop(deadlineMs);
    return this.#stopped;
  }

  async #stop(deadlineMs: number): Promise<void> {
    this.#life.abort();
    await this.#opening;
    const open = this.#open;
    this.#open = undefined;
    await open?.listener.close(deadlineMs);
  }

  /** The open listener, if it is the one that the next endpoint wants. */
  #handOver(next: HttpInbound): OpenListener | undefined {
    const same = this.#port === next.#port && this.#tls?.key === next.#tls?.key;
    if (!same || !this.#open) return undefined;
    const open = this.#open;
    this.#open = undefined;
    return open;
  }

  async #keepTrying(): Promise<void> {
    for (let waitMs = FIRST_RETRY_MS; !this.#life.signal.aborted; waitMs = Math.min(waitMs * 2, LONGEST_RETRY_MS)) {
      await pause(waitMs, this.#life.signal);
      if (this.#life.signal.aborted || (await this.#tryToOpen(false))) return;
    }
  }

  async #tryToOpen(first: boolean): Promise<boolean> {
    const dispatcher = new Switch(this.#dispatcher);
    const { host, limits } = this.#services;
    try {
      const tls = await this.#tls?.pair();
      const listener = await startHttpListener({ host, port: this.#port, dispatcher, limits, ...(tls && { tls }) });
      if (this.#life.signal.aborted) {
        await listener.close(0);
        return true;
      }
      this.#open = { listener, dispatcher };
    } catch (error) {
      const problem = `Inbound endpoint [${this.#name}] cannot listen: ${error instanceof Error ? error.message : String(error)}`;
      if (first) log.error(`${problem}; it is tried again until it can`, { inbound: this.#name });
      else log.debug(problem, { inbound: this.#name });
      return false;
    }
    this.#announce('listens');
    return true;
  }

  #announce(how: string): void {
    if (!this.#open) return;
    const { scheme, host, port } = this.#open.listener;
    log.info(`Inbound endpoint [${this.#name}] ${how} on ${scheme}://${host}:${port}`, { inbound: this.#name });
  }
}
