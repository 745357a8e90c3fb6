import { subscribe } from 'node:diagnostics_channel';
import { readFileSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import type { FaultPlan } from './fault-plan.ts';

/*
 * To be loaded before the runtime, `node --import …/test/faults/kill-at.ts`: kills the process (SIGKILL, no chance to clean up) when
 * it passes a named point of src/fault-points.ts for the n-th time.
 *
 *     FAULT_POINT=store.put.sent FAULT_NTH=3   the point; the occurrence, default 1
 *     FAULT_CONTAINING=POISON                  counts only messages with that text in their body
 *     FAULT_PLAN=FILE                          the same as JSON, {"point","nth","containing"}, read at every start;
 *                                              FILE.reached is written right before the end
 */

// Not from src: this must not load any part of the runtime before the runtime does.
const CHANNEL_PREFIX = 'mini-synapse:';

function readPlan(): FaultPlan | undefined {
  const { FAULT_PLAN: file, FAULT_POINT: point, FAULT_NTH: nth = '1', FAULT_CONTAINING: containing } = process.env;
  if (file !== undefined) return JSON.parse(readFileSync(file, 'utf8')) as FaultPlan | undefined;
  return point === undefined ? undefined : { point, nth: Number(nth), ...(containing !== undefined && { containing }) };
}

function end(): void {
  if (process.env.FAULT_PLAN !== undefined) writeFileSync(`${process.env.FAULT_PLAN}.reached`, '');
  process.kill(process.pid, 'SIGKILL');
}

function bodyContains(passage: unknown, text: string): boolean {
  const { what } = passage as { what?: { body?: { bytes?: Uint8Array } } };
  const bytes = what?.body?.bytes;
  return bytes !== undefined && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(text);
}

const plan = isMainThread ? readPlan() : undefined;
if (plan?.point !== undefined) {
  const { point, nth, containing } = plan;
  let passages = 0;
  subscribe(`${CHANNEL_PREFIX}${point}`, (passage) => {
    if (containing !== undefined && !bodyContains(passage, containing)) return;
    passages += 1;
    if (passages === nth) end();
  });
}
