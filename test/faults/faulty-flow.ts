import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { endpointXml, FlowFolder, forwarderXml, PROXY, proxyXml } from '../support/flow-artifacts.ts';
import { freePort } from '../support/free-ports.ts';
import { OrderHistory, type Verdict } from '../support/history.ts';
import { seeStore } from '../support/management.ts';
import { type MiniSynapse, runMiniSynapse } from '../support/mini-synapse.ts';
import { type BackEnd, OrderClient, type OrderStream, orderIn, startBackEnds } from '../support/orders.ts';
import { waitFor } from '../support/wait-for.ts';
import { PlannedEnd } from './fault-plan.ts';
import { Progress } from './progress.ts';
import { NumberedClient, outOfSequence } from './sequenced.ts';
import type { DurableStore, Medium, StoreParameters } from './stores.ts';

/** The store that the proxy fills. */
export const ORDERS = 'Orders';
const SYNAPSE = 'xmlns="http://ws.apache.org/ns/synapse"';

/** How long the last order may take when all faults are over, ms: leases of a dead node expire within 30 s. */
const DRAIN_MS = 90_000;
/** What is in no store for so long will not be delivered any more: it is lost, ms. */
const LONG_EMPTY_MS = 5_000;
const BETWEEN_ORDERS_MS = 80;
const ANSWER_AFTER_MS = 10;

export interface FaultyFlowOptions {
  readonly store: DurableStore;
  readonly medium: Medium;
  /** Each with a back end of its own; default 2. */
  readonly forwarders?: number;
  /** Clients that place one order after the other; default 6. */
  readonly lanes?: number;
  /** Of each forwarder. */
  readonly forwarder?: Readonly<Record<string, string>>;
  /** More parameters of the store. */
  readonly parameters?: StoreParameters;
  /** Another way to the medium's server. */
  readonly port?: number;
  /** Of each endpoint, the content of `<address>`; default: never suspended. */
  readonly endpoint?: string;
  /** Other artifacts than the plain flow's: file -> XML, and which stores there are. */
  readonly artifacts?: (flow: FaultyFlow) => { files: Readonly<Record<string, string>>; stores: readonly string[] };
  /** Lines of a deployment.toml. */
  readonly configuration?: string;
  /** Default: a folder of the flow. */
  readonly dataDirectory?: string;
}

let flows = 0;

/**
 * Proxy, durable store, forwarders, back ends; and clients that never stop sending. The runtime is a process of its own, which the
 * scenarios end and start again; all that clients and back ends see goes into the history.
 */
export class FaultyFlow {
  readonly history = new OrderHistory();
  readonly folder = new FlowFolder();
  readonly end: PlannedEnd;
  /** What waits in vain tell of. */
  readonly progress = new Progress();
  /** Different for each flow: queues and tables of one server are used by several. */
  readonly name: string;
  backEnds: readonly BackEnd[] = [];
  stores: readonly string[] = [];
  readonly #options: FaultyFlowOptions;
  readonly #clients: Array<OrderClient | NumberedClient> = [];
  readonly #foundLetters = new Set<string>();
  #runtime: MiniSynapse | undefined;
  #url = '';
  #begunAt = 0;
  #lastNumber = 0;
  #emptySince: number | undefined;
  #streams: OrderStream[] = [];

  constructor(options: FaultyFlowOptions) {
    flows += 1;
    this.name = `Flow${process.pid}_${flows}`;
    this.#options = options;
    this.end = new PlannedEnd(join(this.folder.path, 'plan'));
  }

  get runtime(): MiniSynapse {
    if (!this.#runtime) throw new Error('the flow has not begun');
    return this.#runtime;
  }

  get store(): DurableStore {
    return this.#options.store;
  }

  /** Since clients began to send. */
  get ageMs(): number {
    return performance.now() - this.#begunAt;
  }

  /** Whether orders are promised to be delivered in order: one worker delivers, or the store goes by their numbers. */
  get ordered(): boolean {
    return this.backEnds.length === 1 || this.store.sequenced === true;
  }

  /** How many orders are being stored at once, at most. */
  get lanes(): number {
    return this.#options.lanes ?? 6;
  }

  /** Of the proxy; stays the same over restarts. */
  get url(): string {
    return this.#url;
  }

  get data(): string {
    return this.#options.dataDirectory ?? this.folder.data;
  }

  /** Starts everything; resolves when the runtime serves and clients send. */
  async begin(): Promise<void> {
    const { forwarders = 2, artifacts, configuration } = this.#options;
    const { lanes } = this;
    this.backEnds = await startBackEnds(this.history, forwarders);
    // Accepted at once, answered later: many ends come while an attempt is in flight.
    for (const backEnd of this.backEnds) backEnd.behave({ delayMs: ANSWER_AFTER_MS, afterOperation: true });
    const { files, stores } = artifacts?.(this) ?? this.#plain();
    this.stores = stores;
    for (const [file, xml] of Object.entries(files)) this.folder.write(`${file}.xml`, xml);
    if (configuration !== undefined) this.folder.write('../deployment.toml', configuration);
    const http = await freePort();
    this.#runtime = await runMiniSynapse({
      artifacts: this.folder.artifacts,
      dataDirectory: this.data,
      ports: { http },
      env: this.end.env,
      startDeadlineMs: 30_000,
      ...(configuration !== undefined && { config: join(this.folder.path, 'deployment.toml') }),
    });
    const url = `http://127.0.0.1:${http}/services/${PROXY}`;
    this.#url = url;
    for (let lane = 0; lane < lanes; lane += 1) this.#clients.push(this.#client(lane));
    this.startLoad();
    this.#begunAt = performance.now();
  }

  /** `<messageStore>` of the flow's kind, with a queue or table of its own. */
  storeXml(name: string, more: Readonly<Record<string, string>> = {}): string {
    const { store, medium, port, parameters } = this.#options;
    const own = medium.parameters(`${this.name}_${name}`, this.folder.path, port);
    return storeXml(name, store.storeClass, { ...own, ...parameters, ...more });
  }

  forwarderParameters(): Readonly<Record<string, string>> {
    return { 'client.retry.interval': '50', ...this.#options.forwarder };
  }

  startLoad(): void {
    this.#streams = this.#clients.map((client) => client.stream({ atOnce: 1, pauseMs: BETWEEN_ORDERS_MS }));
  }

  /** Another load, which ends with this flow's. */
  alsoStops(stop: () => Promise<void>): void {
    this.#streams.push({ stop });
  }

  async stopLoad(): Promise<void> {
    await Promise.all(this.#streams.splice(0).map((stream) => stream.stop()));
  }

  /** Waits until so many more orders were confirmed and accepted. */
  async someMore(orders = 10, deadlineMs = 30_000): Promise<void> {
    const confirmed = this.history.count('confirmed') + orders;
    const accepted = this.history.count('accepted') + orders;
    const isThere = () => {
      const now = this.noteCounts();
      return now.confirmed >= confirmed && now.accepted >= accepted;
    };
    await waitFor(isThere, {
      what: () => `${orders} more orders; ${this.tail()}`,
      deadlineMs,
      everyMs: 10,
    });
  }

  /** Ends the load, waits until all is delivered or put aside, or nothing is left that could be; then judges. */
  async verdict(): Promise<Verdict> {
    await this.stopLoad();
    await waitFor(async () => this.#allFound() || (await this.#emptyFor(LONG_EMPTY_MS)), {
      what: () =>
        `${this.history.undelivered} orders, such as ${this.history.someUndelivered().join()}; ${this.tail()}`,
      deadlineMs: DRAIN_MS,
    });
    await waitFor(() => this.#emptyFor(0), {
      what: () => `the stores ${this.stores.join()} to be empty; ${this.tail()}`,
      deadlineMs: DRAIN_MS,
    });
    this.lookForDeadLetters();
    const { history } = this;
    if (this.store.sequenced) return { ...history.verdict(), outOfOrder: outOfSequence(history.events) };
    return history.verdict([], this.ordered ? (order) => order.split('-', 1)[0] : undefined);
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.#runtime?.kill();
    await Promise.all(this.backEnds.map((backEnd) => backEnd.stop()));
    this.folder.remove();
  }

  #client(lane: number): OrderClient | NumberedClient {
    const { history, url } = this;
    if (!this.store.sequenced) return new OrderClient({ url: () => url, history, prefix: `L${lane}-` });
    const next = () => {
      this.#lastNumber += 1;
      return this.#lastNumber;
    };
    return new NumberedClient({ url, history, lane, next });
  }

  #plain(): { files: Readonly<Record<string, string>>; stores: readonly string[] } {
    // Where a sequence has come to is kept under the store's name, for all flows of one database.
    const store = this.store.sequenced ? `${ORDERS}_${this.name}` : ORDERS;
    const files: Record<string, string> = { Proxy: proxyXml(PROXY, store), Orders: this.storeXml(store) };
    for (const [index, { port }] of this.backEnds.entries()) {
      const number = index + 1;
      files[`Endpoint${number}`] = endpointXml(number, port, this.#options.endpoint);
      files[`Forwarder${number}`] = forwarderXml(number, this.forwarderParameters(), store);
    }
    return { files, stores: [store] };
  }

  /** Orders whose bodies lie in the dead-letter area count as found. */
  lookForDeadLetters(): void {
    const folder = join(this.data, 'dead-letter');
    if (!existsSync(folder)) return;
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      // It is whole when it is described.
      if (!name.endsWith('.json') || this.#foundLetters.has(name)) continue;
      this.#foundLetters.add(name);
      this.noteFound(readFileSync(join(folder, name.replace(/json$/, 'body')), 'utf8'), 'dead letters');
    }
  }

  /** Whether no store has had any message for so long. */
  async #emptyFor(ms: number): Promise<boolean> {
    this.noteCounts();
    const sizes = await Promise.all(this.stores.map((store) => this.sizeOf(store)));
    if (sizes.some((size) => size !== 0)) this.#emptySince = undefined;
    else this.#emptySince ??= performance.now();
    return this.#emptySince !== undefined && performance.now() - this.#emptySince >= ms;
  }

  /** How many messages a store has. */
  async sizeOf(store: string): Promise<number> {
    const { size } = await seeStore(this.runtime, store);
    this.progress.note({ [store]: size });
    return size;
  }

  noteCounts(): { readonly confirmed: number; readonly accepted: number } {
    const counts = { confirmed: this.history.count('confirmed'), accepted: this.history.count('accepted') };
    this.progress.note(counts);
    return counts;
  }

  #allFound(): boolean {
    this.lookForDeadLetters();
    return this.history.undelivered === 0;
  }

  /** Somebody has seen this body in such a place. */
  noteFound(body: string, where: string): void {
    const order = orderIn(body);
    if (order !== undefined) this.history.add({ kind: 'found', order, at: performance.now(), where });
  }

  /** What moves, and the last lines of the runtime, for messages. */
  tail(): string {
    return `${this.progress.tell()}; the runtime says\n${this.#runtime?.lines().slice(-15).join('\n')}`;
  }
}

export function storeXml(name: string, storeClass: string, parameters: StoreParameters): string {
  const lines = Object.entries(parameters).map(([key, value]) =>
    typeof value === 'string'
      ? `  <parameter name="${key}">${value}</parameter>\n`
      : `  <parameter name="${key}" expression="${value.expression}"/>\n`,
  );
  return `<messageStore ${SYNAPSE} name="${name}" class="${storeClass}">\n${lines.join('')}</messageStore>\n`;
}
