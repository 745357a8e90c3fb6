import { useEffect, useState } from 'preact/hooks';
import { address, get } from './api.js';

/*
 * What happens on the server, as it happens: one event stream for the whole page. While there is none (an older server, a proxy that
 * holds streams back, a restart), the overview is asked for every other second instead, and the page says how old its numbers are.
 *
 *   connecting ──(first event)──► live ──(stream lost)──► polling ──(stream back)──► live
 *        └──────(no such resource, or 5 s without)──────►─┘
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
const RETRY_MS = 3000;
/** Points of the sparklines, one a second at most. */
const TRAIL = 90;

/** @type {{overview: any, overviewAt: number, stream: 'connecting'|'live'|'down', error?: string}} */
let state = { overview: undefined, overviewAt: 0, stream: 'connecting' };
const watchers = new Set();
const listeners = new Map(NAMES.map((name) => [name, new Set()]));
/** @type {Map<string, number[]>} depths of each store, newest last */
const trails = new Map();
/** Requests per second, newest last. */
const traffic = [];

let source;
let polling;
let retry;
let patience;
let running = false;

/** Begins to listen; idempotent. */
export function startLive() {
  if (running) return;
  running = true;
  connect();
  void poll();
}

/** Until somebody has logged in. */
export function stopLive() {
  running = false;
  source?.close();
  for (const timer of [polling, retry, patience]) clearTimeout(timer);
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
  update({ overview, overviewAt: Date.now(), error: undefined });
}

function connect() {
  source = new EventSource(address('events'));
  for (const name of NAMES) source.addEventListener(name, (event) => received(name, event));
  source.onerror = lost;
  patience = setTimeout(() => update({ stream: state.stream === 'connecting' ? 'down' : state.stream }), PATIENCE_MS);
}

function received(name, event) {
  clearTimeout(patience);
  if (state.stream !== 'live') update({ stream: 'live' });
  const data = parsed(event.data);
  if (name === 'overview' && data) took(data);
  for (const listener of [...(listeners.get(name) ?? [])]) listener(data);
}

function lost() {
  if (!running) return;
  update({ stream: 'down' });
  // A stream that was refused is not tried again by the browser itself.
  if (source.readyState !== EventSource.CLOSED) return;
  clearTimeout(retry);
  retry = setTimeout(connect, RETRY_MS);
}

/** Asks where the stream does not tell. */
async function poll() {
  if (!running) return;
  const fresh = Date.now() - state.overviewAt < POLL_MS;
  if (!fresh && !document.hidden) await refreshOverview();
  if (running) polling = setTimeout(poll, POLL_MS);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
