import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, type TestContext } from 'vitest';
import { sayFigures } from '../support/figures.ts';
import type { Fault, OrderEvent, OrderHistory, Verdict } from '../support/history.ts';
import { SEED } from './random.ts';

/** What one scenario has shown; one row of the table in docs/promises.md. */
export interface FaultFigures {
  readonly fault: string;
  readonly store: string;
  /** How often it happened. */
  readonly times: number;
  readonly attempted: number;
  readonly confirmed: number;
  readonly delivered: number;
  /** In the fail store or the dead-letter area. */
  readonly putAside: number;
  readonly lost: number;
  readonly invented: number;
  readonly duplicates: number;
  /** How many duplicates the faults account for at most. */
  readonly window: number;
  /** Undefined: no order was promised. */
  readonly outOfOrder?: number;
  /** From the return of what was gone (the server answers, the runtime is ready) to the next delivery, the slowest, ms. */
  readonly resumedMs?: number;
  /** The same for 95 of 100, where it was measured often enough, ms. */
  readonly resumedP95Ms?: number;
  /** From the return of what was gone to when what another store had taken meanwhile is where it belongs, the slowest, ms. */
  readonly healedMs?: number;
  /** From the return of what was gone to the next confirmation, for 95 of 100, ms. */
  readonly confirmedP95Ms?: number;
  readonly seed: number;
  /** As 2026-11-22. */
  readonly date: string;
  /** When the run began that it comes from, as 2026-11-22T05:00:00Z; rows of older runs do not tell. */
  readonly run?: string;
  /** Why its scenario failed, whatever the numbers are; such a row proves nothing. */
  readonly failed?: string;
}

type TestResult = TestContext['task']['result'];

/** Where the scenarios of one run leave their figures; set by report.ts. */
export const FIGURES_FOLDER = 'MINI_SYNAPSE_FAULT_FIGURES';
/** When the run began; set by report.ts. */
export const RUN_BEGAN = 'MINI_SYNAPSE_FAULT_RUN';

/** Delivery resumes within this time of the server's return, ms (issue 3). */
export const RESUMED_WITHIN_MS = 3_000;
/** In 95 of 100 cases something is confirmed within this time of it, ms (operator-requirements 15). */
export const CONFIRMED_WITHIN_MS = 2_000;
const LONGEST_REASON = 300;
/** Of which the message of a failed test tells everything. */
const MOST_REPEATED = 50;
/** Of fewer there is no percentile to speak of; of fewer than 20 the 95th is the slowest one. */
const ENOUGH_FOR_P95 = 10;

export interface Shown {
  readonly fault: string;
  readonly store: string;
  readonly times: number;
  /** All of them, ms. */
  readonly resumedMs?: readonly number[];
  /** All of them, ms. */
  readonly healedMs?: readonly number[];
  /** All of them, ms. */
  readonly confirmedMs?: readonly number[];
  /** Whether one worker delivered, so that an order was promised. */
  readonly ordered?: boolean;
}

/**
 * Writes the figures down, and holds the verdict to the promise: nothing lost, nothing invented, duplicates within the window, each
 * with the id of the message that it repeats.
 */
export function judge(shown: Shown, verdict: Verdict, history: OrderHistory): FaultFigures {
  const { fault, store, times, resumedMs = [], confirmedMs = [], healedMs = [], ordered = false } = shown;
  const { lost, invented, unexplained, outOfOrder, unidentified, sharedIds, miscounted } = verdict;
  const backEnds = Math.max(1, Object.keys(verdict.acceptedBy).length);
  const figures: FaultFigures = {
    fault,
    store,
    times,
    attempted: verdict.sent,
    confirmed: verdict.confirmed,
    delivered: verdict.delivered,
    putAside: Object.values(verdict.putAside).reduce((sum, count) => sum + count, 0),
    lost: lost.length,
    invented: invented.length,
    duplicates: verdict.duplicates,
    window: history.faults.reduce((sum, fault) => sum + duplicatesOf(fault, history, backEnds), 0),
    ...(ordered && { outOfOrder: outOfOrder.length }),
    ...(resumedMs.length > 0 && { resumedMs: Math.round(Math.max(...resumedMs)) }),
    ...(healedMs.length > 0 && { healedMs: Math.round(Math.max(...healedMs)) }),
    ...p95Of('resumedP95Ms', resumedMs),
    ...p95Of('confirmedP95Ms', confirmedMs),
    seed: SEED,
    date: new Date().toISOString().slice(0, 10),
    ...(process.env[RUN_BEGAN] !== undefined && { run: process.env[RUN_BEGAN] }),
  };
  const { fault: _, store: __, date: ___, run: ____, ...numbers } = figures;
  sayFigures(`${fault}, ${store}`, numbers);
  record(figures);
  const inOrder = ordered ? outOfOrder : [];
  const found = { lost, invented, unexplained, outOfOrder: inOrder, unidentified, sharedIds, miscounted };
  const none = Object.fromEntries(Object.keys(found).map((what) => [what, []]));
  expect(found, lives(history, Object.values(found).flat(), Object.keys(verdict.duplicated))).toEqual(none);
  return figures;
}

function p95Of<Name extends string>(name: Name, values: readonly number[]): { [name in Name]?: number } {
  if (values.length < ENOUGH_FOR_P95) return {};
  const sorted = values.toSorted((left, right) => left - right);
  // The smallest one that 95 of 100 do not exceed.
  const value = sorted[Math.ceil(0.95 * sorted.length) - 1] ?? 0;
  return { [name]: Math.round(value) } as { [name in Name]?: number };
}

/** How many duplicates a fault accounts for at most. */
function duplicatesOf(fault: Fault, history: OrderHistory, backEnds: number): number {
  const { window, movedTwice = 0, storedTwice = 0, forgetsMs = 0, from } = fault;
  const forgotten = history.events.filter(({ kind, at }) => kind === 'accepted' && at >= from - forgetsMs && at < from);
  return window * backEnds + movedTwice + storedTwice + forgotten.length;
}

/**
 * What is known of orders, or message ids, with which something is wrong, for the message of the failed test; and of those that came
 * twice, as they use up what faults account for.
 */
function lives(history: OrderHistory, orders: readonly string[], repeated: readonly string[]): string {
  if (orders.length === 0) return '';
  const some = [...orders.slice(0, 3), ...repeated.slice(0, MOST_REPEATED)];
  const isAbout = (event: OrderEvent) =>
    some.includes(event.order) || (event.kind === 'arrived' && some.includes(event.messageId ?? ''));
  const events = history.events.filter(isAbout);
  return JSON.stringify({ seed: SEED, events, faults: history.faults }, undefined, 1);
}

/** Written when the test is over: what is expected after the verdict counts as well. */
function record(figures: FaultFigures): void {
  const folder = process.env[FIGURES_FOLDER];
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  onTestFinished(({ task }) => {
    // Several processes write there.
    const file = join(folder, `${Date.now()}-${process.pid}.json`);
    writeFileSync(file, JSON.stringify(withOutcome(figures, task.result)));
  });
}

/** The figures, marked when their test failed. */
export function withOutcome(figures: FaultFigures, result: TestResult): FaultFigures {
  if (result?.state !== 'fail') return figures;
  const [reason = 'its test failed'] = (result.errors ?? []).map(({ message }) => message.split('\n', 1)[0] ?? '');
  return { ...figures, failed: reason.slice(0, LONGEST_REASON) };
}

/** All figures of a run, in the order in which they came. */
export function readFigures(folder: string): FaultFigures[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as FaultFigures);
}
