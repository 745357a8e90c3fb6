import type { Snapshot } from '../deployment/snapshot.ts';
import type { DropReason } from '../message/flow-observer.ts';
import type { Observation } from '../observation/observation.ts';
import { type Counted, entryPlace, entryPlaces, flowPlaces } from './count-places.ts';

/*
 * Takers count as every server does, and report twice a second by how much their counts have grown; the owner adds that to its own counts.
 * So whoever looks at the owner (metrics, console, `top`) sees the sums, without knowing of workers. What is in flight is told as it is,
 * and taken back when the taker is gone. What a taker had counted since its last report is lost with it.
 */

/** By how much one place has grown since the last report. */
export interface CountRow {
  readonly key: string;
  /** By the names of the counts. */
  readonly grown: Readonly<Record<string, number>>;
  /** As it is, not what it has grown by. */
  readonly inFlight?: number;
  /** Buckets of the histogram that have grown, and the seconds together. */
  readonly latency?: {
    readonly buckets: ReadonlyArray<readonly [bucket: number, count: number]>;
    readonly sum: number;
  };
}

const DROPPED = 'dropped';

interface Told {
  readonly counts: Record<string, number>;
  inFlight: number;
  /** The connection that this was told by. */
  connection: number;
  buckets: readonly number[];
  sum: number;
}

/** What a taker has told of its counts. */
export class CountReport {
  readonly #observation: Observation;
  readonly #snapshot: () => Snapshot;
  /** By what is counted itself: a new definition begins at nothing. */
  #told = new WeakMap<object, Told>();
  #dropped = new Map<DropReason, number>();
  #connection = 0;

  constructor(observation: Observation, snapshot: () => Snapshot) {
    this.#observation = observation;
    this.#snapshot = snapshot;
  }

  /** Another owner listens, which knows nothing of what is in flight. */
  connected(): void {
    this.#connection += 1;
  }

  /** What has grown since it was asked last. */
  rows(): CountRow[] {
    const rows: CountRow[] = [];
    const places = [entryPlaces(this.#observation), flowPlaces(this.#snapshot())];
    for (const [key, counted] of places.flatMap((some) => [...some])) {
      const row = this.#row(key, counted);
      if (row) rows.push(row);
    }
    const dropped = this.#droppedRow();
    if (dropped) rows.push(dropped);
    return rows;
  }

  #row(key: string, counted: Counted): CountRow | undefined {
    let told = this.#told.get(counted);
    if (!told) {
      told = { counts: {}, inFlight: 0, connection: this.#connection, buckets: [], sum: 0 };
      this.#told.set(counted, told);
    }
    if (told.connection !== this.#connection) {
      told.connection = this.#connection;
      told.inFlight = 0;
    }
    const grown = grownBy(counted, told.counts);
    const { inFlight } = counted;
    const moved = inFlight !== undefined && inFlight !== told.inFlight;
    if (!grown && !moved) return undefined;
    if (inFlight !== undefined) told.inFlight = inFlight;
    const latency = counted.latency && this.#latency(counted.latency, told);
    return {
      key,
      grown: grown ?? {},
      ...(inFlight !== undefined && { inFlight }),
      ...(latency && { latency }),
    };
  }

  #latency(histogram: NonNullable<Counted['latency']>, told: Told): CountRow['latency'] {
    const now = histogram.buckets();
    const buckets = now.flatMap((count, bucket) => {
      const grown = count - (told.buckets[bucket] ?? 0);
      return grown > 0 ? [[bucket, grown] as const] : [];
    });
    const sum = histogram.sum - told.sum;
    told.buckets = now;
    told.sum = histogram.sum;
    return buckets.length > 0 ? { buckets, sum } : undefined;
  }

  #droppedRow(): CountRow | undefined {
    const grown: Record<string, number> = {};
    for (const [reason, count] of this.#observation.discarded) {
      const more = count - (this.#dropped.get(reason) ?? 0);
      if (more > 0) grown[reason] = more;
    }
    this.#dropped = new Map(this.#observation.discarded);
    return Object.keys(grown).length > 0 ? { key: DROPPED, grown } : undefined;
  }
}

/** Undefined: nothing. */
function grownBy(counted: Counted, told: Record<string, number>): Record<string, number> | undefined {
  let grown: Record<string, number> | undefined;
  for (const [name, count] of Object.entries(counted)) {
    if (typeof count !== 'number' || name === 'inFlight' || count === (told[name] ?? 0)) continue;
    grown ??= {};
    grown[name] = count - (told[name] ?? 0);
    told[name] = count;
  }
  return grown;
}

/** The places of the owner, looked up by their keys. */
export class CountIndex {
  readonly #observation: Observation;
  readonly #snapshot: () => Snapshot;
  #version = -1;
  #places: ReadonlyMap<string, Counted> = new Map();

  constructor(observation: Observation, snapshot: () => Snapshot) {
    this.#observation = observation;
    this.#snapshot = snapshot;
  }

  /** Undefined: another version of the artifact is deployed here. */
  find(key: string): Counted | undefined {
    const entry = entryPlace(this.#observation, key);
    if (entry) return entry;
    const snapshot = this.#snapshot();
    if (this.#version !== snapshot.version) {
      this.#version = snapshot.version;
      this.#places = new Map(flowPlaces(snapshot));
    }
    return this.#places.get(key);
  }

  dropped(reason: string, count: number): void {
    const { discarded } = this.#observation;
    discarded.set(reason as DropReason, (discarded.get(reason as DropReason) ?? 0) + count);
  }
}

/** What one taker has added to the owner's counts. */
export class TakerCounts {
  readonly #index: CountIndex;
  /** What it has in flight, where the owner shows that. */
  readonly #inFlight = new Map<Counted, number>();

  constructor(index: CountIndex) {
    this.#index = index;
  }

  add(rows: readonly CountRow[]): void {
    for (const row of rows) {
      if (row.key === DROPPED) {
        for (const [reason, count] of Object.entries(row.grown)) this.#index.dropped(reason, count);
        continue;
      }
      const counted = this.#index.find(row.key);
      if (counted) this.#addRow(counted, row);
    }
  }

  /** The taker is gone, and with it what it had in flight. */
  end(): void {
    for (const counted of [...this.#inFlight.keys()]) this.#setInFlight(counted, 0);
  }

  #addRow(counted: Counted, { grown, inFlight, latency }: CountRow): void {
    const counts = counted as Record<string, number>;
    for (const [name, count] of Object.entries(grown)) if (typeof counts[name] === 'number') counts[name] += count;
    if (inFlight !== undefined) this.#setInFlight(counted, inFlight);
    if (latency) counted.latency?.addBuckets(latency.buckets, latency.sum);
  }

  #setInFlight(counted: Counted, now: number): void {
    counted.inFlight = (counted.inFlight ?? 0) + now - (this.#inFlight.get(counted) ?? 0);
    if (now === 0) this.#inFlight.delete(counted);
    else this.#inFlight.set(counted, now);
  }
}
