import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { logger } from '../../logging/index.ts';
import { pause } from '../../scheduling/index.ts';
import type { CertificatePair } from '../../transport/certificate.ts';
import { type Dispatcher, type HttpListener, startHttpListener } from '../../transport/http-listener.ts';
import type { InboundServices, InboundTransport } from '../component.ts';

const log = logger('InboundHttpListener');
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 10_000;

export interface Tls {
  /** Equal for equal certificates. */
  readonly key: string;
  pair(): Promise<CertificatePair>;
}

/** Takes connections that change to another protocol. */
export interface Upgrades {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Ends those that it has taken. Never rejects. */
  close(deadlineMs: number): Promise<void>;
}

export interface ListeningOptions {
  /** Of the endpoint. */
  readonly name: string;
  readonly port: number;
  readonly tls: Tls | undefined;
  readonly services: InboundServices;
  readonly previous: InboundTransport | undefined;
  readonly dispatcher: Dispatcher;
  readonly upgrades?: Upgrades;
}

/** Lets a listener outlive the endpoint that opened it: requests go to the endpoint of this moment. */
class Switch implements Dispatcher {
  #current: Dispatcher;
  #upgrades: Upgrades | undefined;

  constructor(first: Dispatcher, upgrades: Upgrades | undefined) {
    this.#current = first;
    this.#upgrades = upgrades;
  }

  use(next: Dispatcher, upgrades: Upgrades | undefined): void {
    this.#current = next;
    this.#upgrades = upgrades;
  }

  dispatch(...call: Parameters<Dispatcher['dispatch']>): void | Promise<void> {
    return this.#current.dispatch(...call);
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.#upgrades) this.#upgrades.upgrade(request, socket, head);
    else socket.destroy();
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
export class ListeningInbound implements InboundTransport {
  readonly #options: ListeningOptions;
  readonly #life = new AbortController();
  #previous: InboundTransport | undefined;
  #open: OpenListener | undefined;
  #opening: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | undefined;

  constructor(options: ListeningOptions) {
    this.#options = options;
    this.#previous = options.previous;
  }

  async start(): Promise<void> {
    const previous = this.#previous;
    // Or every version would keep all of its predecessors.
    this.#previous = undefined;
    if (previous instanceof ListeningInbound) this.#open = previous.#handOver(this);
    if (this.#open) {
      this.#open.dispatcher.use(this.#options.dispatcher, this.#options.upgrades);
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
    // A listener waits for the connections that it has given away, too.
    await Promise.all([this.#options.upgrades?.close(deadlineMs), open?.listener.close(deadlineMs)]);
  }

  /** The open listener, if it is the one that the next endpoint wants. */
  #handOver(next: ListeningInbound): OpenListener | undefined {
    const { port, tls, upgrades } = this.#options;
    const wanted = next.#options;
    const same = port === wanted.port && tls?.key === wanted.tls?.key && !upgrades === !wanted.upgrades;
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
    const { name, port, services, upgrades } = this.#options;
    const dispatcher = new Switch(this.#options.dispatcher, upgrades);
    const { host, limits } = services;
    try {
      const tls = await this.#options.tls?.pair();
      const listener = await startHttpListener({
        host,
        port,
        dispatcher,
        limits,
        ...(tls && { tls }),
        ...(upgrades && { upgrade: (...taken) => dispatcher.upgrade(...taken) }),
      });
      if (this.#life.signal.aborted) {
        await listener.close(0);
        return true;
      }
      this.#open = { listener, dispatcher };
    } catch (error) {
      const problem = `Inbound endpoint [${name}] cannot listen: ${error instanceof Error ? error.message : String(error)}`;
      if (first) log.error(`${problem}; it is tried again until it can`, { inbound: name });
      else log.debug(problem, { inbound: name });
      return false;
    }
    this.#announce('listens');
    return true;
  }

  #announce(how: string): void {
    if (!this.#open) return;
    const { name } = this.#options;
    const { scheme, host, port } = this.#open.listener;
    log.info(`Inbound endpoint [${name}] ${how} on ${scheme}://${host}:${port}`, { inbound: name });
  }
}
