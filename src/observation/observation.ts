import type { Snapshot } from '../deployment/snapshot.ts';
import { logger, onLogRecord } from '../logging/index.ts';
import { LogRing } from '../logging/log-ring.ts';
import type { Configuration } from '../message/configuration.ts';
import type { DropReason, EntryKind, FlowObserver } from '../message/flow-observer.ts';
import type { MessageContext } from '../message/message-context.ts';
import type { DeliveryObserver, ObservedAttempt } from '../processors/delivery-observer.ts';
import type { Outcome } from '../processors/outcome.ts';
import { displayName } from '../rest/rest-api.ts';
import type { StoredMessage } from '../stores/stored-message.ts';
import type { EntryCounts } from './counts.ts';
import { type EventLoopDelay, EventLoopMonitor } from './event-loop.ts';
import { EventHub } from './events.ts';
import { FlowCounts } from './flow-counts.ts';
import { type Graph, reachable, type ShownGraph, shownGraph } from './graph.ts';
import { buildGraph } from './graph-builder.ts';
import { HISTORY_STEP_MS, type HistoryPoint } from './history.ts';
import { type ProcessorFigures, ProcessorWatch } from './processor-watch.ts';
import { RateMeter, RateMeters } from './rate-meter.ts';
import type { Spans } from './spans.ts';
import { type StoreFigures, StoreWatch } from './store-watch.ts';
import { Tracing } from './tracing.ts';
import { type Transition, Transitions } from './transitions.ts';

const log = logger('Observation');
const TICK_MS = 1_000;
/** Figures are sampled every second for so long after somebody looked. */
const LOOKING_MS = 10_000;
/** Percentiles are those of the last five to ten minutes. */
const TURN_MS = 5 * 60_000;

export interface ObservationOptions {
  /** What is served now. */
  snapshot(): Snapshot;
  readonly spans?: Spans | undefined;
}

/** What comes in, per second and now. */
export interface Traffic {
  readonly requestsPerSecond: number;
  readonly errorsPerSecond: number;
  readonly inFlight: number;
}

/**
 * Counts, rates, traces and events of one server (OP-40 to OP-46, OP-72, OP-75). Messages are counted as they pass, in plain numbers;
 * rates, depths and states are sampled: every 5 s for the history, and every second while somebody looks.
 */
export class Observation implements FlowObserver, DeliveryObserver {
  readonly events = new EventHub();
  readonly tracing: Tracing;
  readonly flows = new FlowCounts();
  readonly stores = new StoreWatch();
  readonly processors = new ProcessorWatch();
  /** The last lines of the log. */
  readonly log = new LogRing();
  readonly startedAt = Date.now();
  /** Messages that were discarded for good, by reason (OP-04). */
  readonly discarded = new Map<DropReason, number>();
  /** Deployments by result. */
  readonly deployments = { deployed: 0, faulty: 0 };
  readonly #options: ObservationOptions;
  readonly #eventLoop = new EventLoopMonitor();
  readonly #transitions = new Transitions();
  readonly #requests = new RateMeter();
  readonly #errors = new RateMeter();
  readonly #edges = new RateMeters();
  #timer: NodeJS.Timeout | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #nextPoint = 0;
  #nextTurn = 0;
  #overview: (() => Promise<unknown>) | undefined;
  #telling = false;
  #stopLogs: (() => void) | undefined;
  #graph: Graph | undefined;
  readonly #told = new Map<string, string>();
  #files: { readonly version: number; readonly paths: ReadonlyMap<string, string> } = { version: -1, paths: new Map() };

  constructor(options: ObservationOptions) {
    this.#options = options;
    this.tracing = new Tracing({ events: this.events, spans: options.spans });
    this.events.onListener(() => this.look());
  }

  /** Begins to sample. */
  start(): void {
    this.#eventLoop.start();
    this.log.start();
    this.#stopLogs = onLogRecord((record) => this.events.log(record));
    const now = performance.now();
    this.#nextPoint = now + HISTORY_STEP_MS;
    this.#nextTurn = now + TURN_MS;
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.log.stop();
    this.#stopLogs?.();
    this.#eventLoop.stop();
    this.events.close();
    await this.#options.spans?.close();
  }

  /** To be told of every configuration that is served, before messages meet it. */
  follow(configuration: Configuration): void {
    this.stores.follow(configuration);
    this.processors.follow(configuration);
    this.flows.keep('proxy', new Set(configuration.names('proxy')));
    this.flows.keep('inboundEndpoint', new Set(configuration.names('inboundEndpoint')));
    this.flows.keep('sequence', new Set(configuration.names('sequence')));
    this.flows.keep('api', new Set(apiNames(configuration)));
  }

  /** A deployment has ended. */
  deployed(event: { readonly version: number; readonly faulty: number; readonly newlyFaulty: boolean }): void {
    if (event.newlyFaulty) this.deployments.faulty += 1;
    else this.deployments.deployed += 1;
    const { version, faulty, newlyFaulty } = event;
    const result = newlyFaulty ? 'faulty' : 'deployed';
    this.events.publish('deployment', { time: new Date().toISOString(), version, faulty, result });
  }

  /** How the overview is made, which listeners get every second. */
  provideOverview(overview: () => Promise<unknown>): void {
    this.#overview = overview;
  }

  /** Somebody looks: figures are sampled every second for a while. */
  look(): void {
    const asleep = performance.now() - this.#lookedAt > LOOKING_MS;
    this.#lookedAt = performance.now();
    if (asleep) this.#sample(performance.now());
  }

  /** As {@link look}; resolves when depths and ages have been measured, after `waitMs` at the latest. */
  async lookClosely(waitMs: number): Promise<void> {
    this.look();
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, waitMs);
    });
    await Promise.race([this.stores.measure(this.#options.snapshot(), performance.now()), patience]);
    clearTimeout(timer);
  }

  enters(message: MessageContext, kind: EntryKind, name: string): (() => void) | undefined {
    const followed = this.tracing.enters(message, kind, name);
    return this.flows.enters(message, kind, name, followed);
  }

  dropped(reason: DropReason): void {
    this.discarded.set(reason, (this.discarded.get(reason) ?? 0) + 1);
  }

  begins(attempt: ObservedAttempt): (outcome: Outcome | undefined) => void {
    const counted = this.processors.begins(attempt);
    const followed = this.tracing.begins(attempt);
    if (!followed) return counted;
    return (outcome) => {
      counted(outcome);
      followed(outcome);
    };
  }

  restored(stored: StoredMessage, message: MessageContext): void {
    this.tracing.restored(stored, message);
  }

  entry(kind: EntryKind, name: string): EntryCounts | undefined {
    return this.flows.of(kind, name);
  }

  store(name: string): StoreFigures | undefined {
    return this.stores.figures(name);
  }

  /** @param since epoch ms; undefined result: there is no such store */
  storeHistory(name: string, since: number): HistoryPoint[] | undefined {
    return this.stores.history(name, since);
  }

  processor(name: string): ProcessorFigures | undefined {
    return this.processors.figures(name);
  }

  traffic(): Traffic {
    const { perSecond: requestsPerSecond } = this.#requests;
    return { requestsPerSecond, errorsPerSecond: this.#errors.perSecond, inFlight: this.flows.total.inFlight };
  }

  eventLoop(): EventLoopDelay {
    return this.#eventLoop.delay();
  }

  /** What is deployed now; drawn anew after a deployment only. */
  graph(): Graph {
    const snapshot = this.#options.snapshot();
    if (this.#graph?.revision !== snapshot.version) this.#graph = buildGraph(snapshot, this);
    return this.#graph;
  }

  /** With the counts, states and rates of now. @param root `kind:name`, or the id of a node: only what is reached from there */
  shownGraph(root?: string): ShownGraph | undefined {
    this.look();
    const graph = root === undefined ? this.graph() : reachable(this.graph(), root);
    const perSecond = (edge: string) => this.#edges.perSecond(edge);
    return graph && shownGraph(graph, perSecond, (file) => this.shownFile(file));
  }

  /** A file of the configuration as the management API names it: relative to the artifact folder. */
  shownFile(file: string): string {
    const { version, artifacts } = this.#options.snapshot();
    if (this.#files.version !== version) {
      const paths = artifacts.map(({ artifact, path }) => [outside(artifact.position.file), path] as const);
      this.#files = { version, paths: new Map(paths) };
    }
    const path = this.#files.paths.get(outside(file));
    return path === undefined ? file : path + file.slice(outside(file).length);
  }

  #tick(): void {
    const now = performance.now();
    const watched = this.events.listeners > 0;
    if (watched) this.#lookedAt = now;
    const looking = now - this.#lookedAt <= LOOKING_MS;
    const point = now >= this.#nextPoint;
    if (!looking && !point) return;
    try {
      this.#sample(now);
      if (point) this.#addPoint(now);
      if (watched) this.#tell();
    } catch (error) {
      // Figures are no reason to end: what is missing is seen, and why stands here.
      log.error(`Figures could not be sampled: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #sample(now: number): void {
    const snapshot = this.#options.snapshot();
    this.#requests.sample(now, this.flows.total.requests);
    this.#errors.sample(now, this.flows.total.errors);
    this.stores.sample(snapshot, now);
    this.processors.sample(snapshot, now);
    for (const transition of this.#transitions.look(snapshot)) this.#toldTransition(transition);
    if (this.#looking(now)) this.#edges.sample(now, edgeCounts(this.graph()));
    void this.stores.measure(snapshot, now);
  }

  #looking(now: number): boolean {
    return now - this.#lookedAt <= LOOKING_MS;
  }

  #addPoint(now: number): void {
    const snapshot = this.#options.snapshot();
    this.stores.addPoints(Date.now());
    this.#nextPoint = Math.max(this.#nextPoint + HISTORY_STEP_MS, now);
    const depthOf = (store: string) => this.stores.figures(store)?.depth ?? null;
    for (const name of this.processors.judge(snapshot, depthOf, now)) {
      const { stuck, stuckReason } = this.processors.figures(name) ?? {};
      this.events.publish('processor', { name, stuck, ...(stuckReason !== undefined && { stuckReason }) });
    }
    if (now < this.#nextTurn) return;
    this.#nextTurn = now + TURN_MS;
    this.#eventLoop.turn();
    this.stores.turn();
    this.processors.turn();
    this.flows.turn();
  }

  #toldTransition({ kind, name, state, before }: Transition): void {
    this.events.publish(kind, { name, state, ...(before !== undefined && { before }), time: new Date().toISOString() });
  }

  /** Pictures of the moment, for those who listen. */
  #tell(): void {
    if (this.events.wants('graph')) this.#tellGraph();
    if (!this.#overview || this.#telling || !this.events.wants('overview')) return;
    this.#telling = true;
    this.#overview()
      .then((overview) => this.events.publish('overview', overview))
      .catch((error: unknown) => log.error(`The overview could not be made: ${String(error)}`))
      .finally(() => {
        this.#telling = false;
      });
  }

  /** Only what has changed since it was told last: whoever begins to listen reads the graph first. */
  #tellGraph(): void {
    const { revision, edges } = this.graph();
    const counts: Array<{ id: string; count: number; errors: number; perSecond: number }> = [];
    for (const { id, count, errors } of edges) {
      const now = { id, count: count(), errors: errors(), perSecond: this.#edges.perSecond(id) };
      const text = `${now.count} ${now.errors} ${now.perSecond}`;
      if (this.#told.get(id) === text) continue;
      this.#told.set(id, text);
      counts.push(now);
    }
    if (this.#told.size > edges.length) this.#told.clear();
    if (counts.length > 0) this.events.publish('graph', { revision, counts });
  }
}

/** The file itself, of one inside an archive the archive. */
function outside(file: string): string {
  const inside = file.indexOf('!/');
  return inside < 0 ? file : file.slice(0, inside);
}

function* edgeCounts({ edges }: Graph): Generator<readonly [string, number]> {
  for (const { id, count } of edges) yield [id, count()];
}

function apiNames(configuration: Configuration): string[] {
  return configuration.names('api').map((name) => {
    const api = configuration.find('api', name);
    return api ? displayName(api.definition) : name;
  });
}
