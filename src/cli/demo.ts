import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CallFailure, sendStockQuote } from '../../samples/stockquote/client.ts';
import {
  type AcceptedOrder,
  ServiceStartError,
  type StockQuoteService,
  startStockQuoteService,
} from '../../samples/stockquote/service.ts';
import { readConfiguration } from '../config/config.ts';
import { closeLogging, configureLogging } from '../logging/index.ts';
import { type RunningServer, startServer } from '../server.ts';
import { PortTakenError } from '../transport/listening.ts';
import { integerFlag, parseFlags } from './arguments.ts';
import { BrokerMissingError, demoBroker } from './demo-broker.ts';
import { type CommandIo, EXIT } from './io.ts';
import { DEMO } from './table/server.ts';
import { version } from './version.ts';

/** The ports that the sample endpoints name. */
const BACK_END_PORTS = [9001, 9002, 9003];
const DEFAULT_ORDERS = 12;
const MAX_ORDERS = 10_000;
/** Each forwarder brings one order a second. */
const FORWARDER_INTERVAL_MS = 1000;
const DELIVERY_MARGIN_MS = 20_000;

/**
 * `mini-synapse demo`: three back ends, the runtime with the sample artifacts, and orders of the bundled client; shows which back
 * end accepted which order, and that none was lost. Needs nothing else; `--activemq` does it on a real broker.
 */
export async function demo(args: string[], io: CommandIo): Promise<number> {
  const { values } = parseFlags(args, DEMO.options);
  const orders = integerFlag('orders', values.orders, 1, MAX_ORDERS) ?? DEFAULT_ORDERS;
  const stage = new Stage(io);
  const stopListening = onStopSignal(() => stage.interrupt());
  try {
    await stage.setUp(values.activemq ?? false);
    const lost = await stage.play(orders);
    if (values.keep) await stage.keep();
    return lost === 0 ? EXIT.fine : EXIT.wrong;
  } catch (error) {
    if (!isUnavailable(error) && !(error instanceof CallFailure)) throw error;
    io.stderr.write(`mini-synapse demo: ${error.message}\n`);
    return error instanceof CallFailure ? EXIT.wrong : EXIT.unavailable;
  } finally {
    stopListening();
    await stage.strike();
  }
}

/** Calls back at the first SIGINT or SIGTERM only: a second one ends the process at once. Returns how to stop. */
function onStopSignal(stop: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const stopListening = () => {
    for (const signal of signals) process.off(signal, listener);
  };
  const listener = () => {
    stopListening();
    stop();
  };
  for (const signal of signals) process.on(signal, listener);
  return stopListening;
}

function isUnavailable(error: unknown): error is Error {
  return error instanceof PortTakenError || error instanceof ServiceStartError || error instanceof BrokerMissingError;
}

/** Everything the demo starts, and stops again in reverse order. */
class Stage {
  readonly #io: CommandIo;
  readonly #strike: Array<() => Promise<void>> = [];
  readonly #backEnds: StockQuoteService[] = [];
  /** Order -> its number, by what identifies it on the wire. */
  readonly #sent = new Map<string, number>();
  readonly #acceptedBy = new Map<string, number[]>();
  readonly #interrupted = new AbortController();
  /** Called after each accepted order. */
  #onAccepted = () => {};
  #server: RunningServer | undefined;

  constructor(io: CommandIo) {
    this.#io = io;
  }

  /** Ends the waiting, whatever for; what was started is stopped as usual. */
  interrupt(): void {
    this.#interrupted.abort();
  }

  async setUp(activemq: boolean): Promise<void> {
    configureLogging({ level: 'warn', stream: this.#io.stderr });
    this.#strike.push(async () => closeLogging());
    if (activemq) {
      const broker = await demoBroker((line) => this.#say(line));
      this.#strike.push(broker.close);
    }
    for (const [index, httpPort] of BACK_END_PORTS.entries()) {
      const backEnd = await startStockQuoteService({
        httpPort,
        onAccepted: (order) => this.#accepted(index + 1, order),
      });
      this.#strike.push(() => backEnd.close());
      this.#backEnds.push(backEnd);
    }
    this.#server = await this.#startServer(activemq ? 'samples/load-balancing/artifacts' : 'artifacts');
    const { host, httpPort, artifactCount } = this.#server;
    // From the begin of the process, as it is waited for.
    this.#say(
      `Three back ends on ports ${BACK_END_PORTS.join(', ')}; mini-synapse on http://${host}:${httpPort} with ${artifactCount} artifacts, ready in ${Math.round(performance.now())} ms.`,
    );
  }

  /** Sends the orders, waits until they are delivered, prints the table; returns how many are lost. */
  async play(count: number): Promise<number> {
    const url = `http://127.0.0.1:${this.#server?.httpPort}/services/StockQuoteProxy`;
    this.#say(`Sending ${count} orders to ${url}; each forwarder delivers one a second.\n`);
    const begun = performance.now();
    for (let number = 1; number <= count && !this.#interrupted.signal.aborted; number += 1) {
      const symbol = `ORD${number}`;
      // A back end may have the order before the client has its answer.
      this.#sent.set(symbol, number);
      await sendStockQuote({ addurl: url, mode: 'placeorder', symbol });
    }
    this.#say(`All ${this.#sent.size} orders were answered 202 after ${Math.round(performance.now() - begun)} ms.`);
    const deadline = (count / BACK_END_PORTS.length) * FORWARDER_INTERVAL_MS * 2 + DELIVERY_MARGIN_MS;
    await this.#delivered(deadline);
    return this.#printTable(performance.now() - begun);
  }

  /** Stays up until Ctrl-C. */
  async keep(): Promise<void> {
    const { signal } = this.#interrupted;
    if (signal.aborted) return;
    const { host, httpPort, managementPort } = this.#server ?? { host: '', httpPort: 0, managementPort: 0 };
    this.#say(`\nStill up (Ctrl-C stops). Try:
  bin/stockquote-client --addurl http://${host}:${httpPort}/services/StockQuoteProxy --mode placeorder --symbol IBM
  curl http://127.0.0.1:${managementPort}/management/message-processors
  edit a file in artifacts/ and save it`);
    await once(signal, 'abort');
  }

  /** Whatever one step does, the others are taken too. */
  async strike(): Promise<void> {
    for (const step of this.#strike.reverse()) {
      await step().catch((error: unknown) => this.#io.stderr.write(`mini-synapse demo: ${String(error)}\n`));
    }
  }

  async #startServer(artifacts: string): Promise<RunningServer> {
    const data = await mkdtemp(join(tmpdir(), 'mini-synapse-demo-'));
    this.#strike.push(() => rm(data, { recursive: true, force: true }));
    const flags = { artifacts: packagePath(artifacts), data };
    let server: RunningServer;
    try {
      server = await startServer(readConfiguration(flags), { version: version() });
    } catch (error) {
      // Someone else's server on the usual ports is no reason not to show anything.
      if (!(error instanceof PortTakenError)) throw error;
      server = await startServer(readConfiguration({ ...flags, httpPort: 0, httpsPort: 0, managementPort: 0 }), {
        version: version(),
      });
    }
    this.#strike.push(() => server.stop());
    return server;
  }

  #accepted(backEnd: number, order: AcceptedOrder): void {
    const symbol = order.symbol ?? '?';
    const before = this.#acceptedBy.get(symbol) ?? [];
    this.#acceptedBy.set(symbol, [...before, backEnd]);
    const number = this.#sent.get(symbol) ?? symbol;
    const indent = ' '.repeat(24 * (backEnd - 1));
    this.#say(`${indent}back end ${backEnd}: order ${number}${before.length > 0 ? ' (again)' : ''}`);
    this.#onAccepted();
  }

  /** Resolves when every order was accepted, at the deadline (ms), or at an interruption. */
  async #delivered(deadlineMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const deadline = setTimeout(resolve, deadlineMs);
    this.#interrupted.signal.addEventListener('abort', () => resolve(), { once: true });
    this.#onAccepted = () => {
      if ([...this.#sent.keys()].every((symbol) => this.#acceptedBy.has(symbol))) resolve();
    };
    this.#onAccepted();
    if (!this.#interrupted.signal.aborted) await promise;
    clearTimeout(deadline);
  }

  /** Returns how many orders are lost. */
  #printTable(elapsedMs: number): number {
    const lost = [...this.#sent.keys()].filter((symbol) => !this.#acceptedBy.has(symbol)).length;
    const twice = [...this.#acceptedBy.values()].filter((backEnds) => backEnds.length > 1).length;
    const rows: Array<[string, number]> = [
      ['orders sent', this.#sent.size],
      ...this.#backEnds.map((backEnd, index): [string, number] => [
        `accepted by back end ${index + 1}`,
        backEnd.acceptedCount(),
      ]),
      ['delivered twice', twice],
      [this.#interrupted.signal.aborted ? 'not delivered yet' : 'lost', lost],
    ];
    this.#say('');
    for (const [label, value] of rows) this.#say(`  ${label.padEnd(24)} ${String(value).padStart(5)}`);
    this.#say(`\nDone in ${(elapsedMs / 1000).toFixed(1)} s.`);
    return lost;
  }

  #say(line: string): void {
    this.#io.stdout.write(`${line}\n`);
  }
}

/** A folder of this package, also when the compiled form runs from `dist`. */
function packagePath(path: string): string {
  const compiled = import.meta.url.endsWith('.js');
  return fileURLToPath(new URL(`${compiled ? '../../../' : '../../'}${path}`, import.meta.url));
}
