import { useEffect, useState } from 'preact/hooks';
import { get } from './api.js';
import { backOff, openStream } from './stream.js';

/*
 * What happens on the server, as it happens: one event stream for the whole page. While there is none (an older server, a proxy that
 * holds streams back, a restart), the overview is asked for every other second instead, and the page says how old its numbers are.
 * While nobody answers that either, it is asked for less and less often.
 *
 *   connecting ──(first event)──► live ──(stream lost)──► down ──(stream back)──► live
 *        └──────(lost, or 5 s without an event)─────────►─┘
 */

const NAMES = [
  'overview',
  'store',
  'processor',
  'endpoint',
  'deployment',
  'trace',
  'job',
  'audit',
  'graph',
  'reset',
  'ping',
];
const POLL_MS = 2000;
const PATIENCE_MS = 5000;
/** Points of the sparklines, one a second at most. */
const TRAIL = 90;

/**
 * `error`: why nobody has answered the last time; `retryAt`: when somebody is asked again, epoch ms.
 * @type {{overview: any, overviewAt: number, stream: 'connecting'|'live'|'down', error?: string, retryAt?: number}}
 */
let state = { overview: undefined, overviewAt: 0, stream: 'connecting' };
const watchers = new Set();
const listeners = new Map(NAMES.map((name) => [name, new Set()]));
/** @type {Map<string, number[]>} depths of each store, newest last */
const trails = new Map();
/** Requests per second, newest last. */
const traffic = [];

let stream;
let polling;
let patience;
let running = false;
let failures = 0;

/** Begins to listen; idempotent. */
export function startLive() {
  if (running) return;
  running = true;
  stream = openStream({ names: NAMES, onEvent: received, onLost: () => update({ stream: 'down' }) });
  patience = setTimeout(() => update({ stream: state.stream === 'connecting' ? 'down' : state.stream }), PATIENCE_MS);
  addEventListener('online', retryNow);
  void poll();
}

/** Until somebody has logged in. */
export function stopLive() {
  running = false;
  stream?.close();
  removeEventListener('online', retryNow);
  for (const timer of [polling, patience]) clearTimeout(timer);
}

/** Tries again at once what waits for its time. */
export function retryNow() {
  if (!running) return;
  failures = 0;
  stream.again();
  clearTimeout(polling);
  void poll();
}

/** Has nobody answered the last time? Then asking for more is for later. */
export function isCutOff() {
  return state.error !== undefined;
}

/** The state of the stream and the newest overview. */
export function useLive() {
  const [seen, setSeen] = useState(state);
  useEffect(() => {
    watchers.add(setSeen);
    setSeen(state);
    return () => watchers.delete(setSeen);
  }, []);
  return seen;
}

/** Calls back for events. @param {string[]} names @param {(name: string, data: any) => void} callback */
export function onEvents(names, callback) {
  const undo = names.map((name) => {
    const listener = (data) => callback(name, data);
    listeners.get(name)?.add(listener);
    return () => listeners.get(name)?.delete(listener);
  });
  return () => {
    for (const leave of undo) leave();
  };
}

/** @param {string} store @returns {number[]} its depths of the last minute and a half */
export function trailOf(store) {
  return trails.get(store) ?? [];
}

/** @returns {number[]} requests per second of the last minute and a half */
export function trafficTrail() {
  return traffic;
}

/** Depths of before the page was opened. */
export function seedTrail(store, depths) {
  const known = trails.get(store) ?? [];
  if (known.length < depths.length) trails.set(store, [...depths, ...known].slice(-TRAIL));
}

/** Asks for the overview now, for instance after an action. */
export async function refreshOverview() {
  try {
    took(await get('overview'));
  } catch (error) {
    failures += 1;
    update({ error: error.message });
  }
}

function update(change) {
  state = { ...state, ...change };
  for (const watcher of watchers) watcher(state);
}

function took(overview) {
  for (const { name, depth } of overview.stores ?? []) {
    if (depth !== null && depth !== undefined) trails.set(name, [...(trails.get(name) ?? []), depth].slice(-TRAIL));
  }
  traffic.push(overview.traffic?.requestsPerSecond ?? 0);
  if (traffic.length > TRAIL) traffic.shift();
  const wasCutOff = isCutOff();
  failures = 0;
  update({ overview, overviewAt: Date.now(), error: undefined, retryAt: undefined });
  // Who was not answered asks again.
  if (wasCutOff) tell('reset');
}

function received(name, text) {
  clearTimeout(patience);
  if (state.stream !== 'live') update({ stream: 'live' });
  const data = parsed(text);
  if (name === 'overview' && data) took(data);
  tell(name, data);
}

function tell(name, data) {
  for (const listener of [...(listeners.get(name) ?? [])]) listener(data);
}

/** Asks where the stream does not tell. */
async function poll() {
  if (!running) return;
  const fresh = Date.now() - state.overviewAt < POLL_MS;
  if (!fresh && !document.hidden) await refreshOverview();
  if (!running) return;
  const wait = isCutOff() ? Math.max(POLL_MS, backOff(failures)) : POLL_MS;
  if (isCutOff()) update({ retryAt: Date.now() + wait });
  clearTimeout(polling);
  polling = setTimeout(poll, wait);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
