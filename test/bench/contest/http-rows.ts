import type { ReadyPorts } from '../../support/mini-synapse.ts';
import { waitFor } from '../../support/wait-for.ts';
import type { Row } from './contestant.ts';
import {
  type HttpClients,
  type HttpProgram,
  type HttpRowLoad,
  httpBaseline,
  type RuntimeProgram,
  runtimeContestant,
  startBaseline,
  startRuntime,
  underLoad,
} from './http-contestants.ts';
import { residentBySize } from './resident-by-size.ts';
import type { LimitedFigure } from './rows.ts';
import { type Shared, shared } from './shared.ts';

const SYNAPSE = 'xmlns="http://ws.apache.org/ns/synapse"';
const KIB = 1024;
const CONNECTIONS = 64;
/** Of 1 MB, 64 at once would measure how well the network buffers of one machine do. */
const CONNECTIONS_OF_LARGE = 16;
const PURGE_DEADLINE_MS = 60_000;

/** The rows of HTTP alone, and what they have in common. */
export interface HttpPaths {
  readonly rows: readonly Row[];
  /** What bodies of another size make of what is resident. */
  readonly resident: LimitedFigure;
  close(): Promise<void>;
}

/** The paths that HTTP alone makes, against what koa and undici alone make of them. */
export function httpPaths(clients: HttpClients, echoPort: number): HttpPaths {
  const target = `http://127.0.0.1:${echoPort}`;
  const artifacts = { Through: proxy('Through', `<property name="seen" value="yes"/>${sendTo(target)}`) };
  const through: Through = {
    clients,
    bare: shared(() => startBaseline('reverse-proxy.ts', ['--target', target])),
    ours: shared(() => startRuntime({ artifacts })),
  };
  return {
    rows: [
      passThrough(600, '0.6 KB', { ...through, connections: CONNECTIONS, goal: 0.8 }),
      passThrough(10 * KIB, '10 KB', { ...through, connections: CONNECTIONS, goal: 0.8 }),
      passThrough(KIB * KIB, '1 MB', { ...through, connections: CONNECTIONS_OF_LARGE, goal: 0.9 }),
      contentFilter(clients, target),
      storeInMemory(clients),
      logging(clients, target),
    ],
    resident: {
      id: 'resident-by-size',
      path: 'proxy pass-through: resident by the size of bodies',
      measure: () => residentBySize({ clients, artifacts, path: '/services/Through' }),
    },
    close: async () => void (await Promise.all([through.bare.close(), through.ours.close()])),
  };
}

/** Both contestants of all sizes: neither is told which size comes. */
interface Through {
  readonly clients: HttpClients;
  readonly bare: Shared<HttpProgram>;
  readonly ours: Shared<RuntimeProgram>;
}

interface PassThroughOptions extends Through {
  readonly connections: number;
  readonly goal: number;
}

function passThrough(bytes: number, size: string, options: PassThroughOptions): Row {
  const { clients, bare, ours, connections, goal } = options;
  const load: HttpRowLoad = { bytes, connections, status: 200, echoed: true };
  return {
    id: `pass-through-${size.replaceAll(/[ .]/g, '').toLowerCase()}`,
    path: `proxy pass-through (property, send), ${size}, ${connections} connections`,
    goal,
    ...(goal < 0.9 && { p99Goal: 1.5 }),
    baseline: bare.contestant('koa + undici, streaming', (program) => underLoad(program, { clients, load })),
    ours: ours.contestant('mini-synapse', (program) =>
      underLoad(program, { clients, load, path: '/services/Through' }),
    ),
  };
}

function contentFilter(clients: HttpClients, target: string): Row {
  const load: HttpRowLoad = { bytes: 10 * KIB, connections: CONNECTIONS, status: 200, echoed: true };
  const orders = 'xmlns:m0="http://services.samples"';
  const mediators =
    `<property ${orders} name="symbol" expression="//m0:order[1]/m0:symbol/text()"/>` +
    `<filter ${orders} xpath="//m0:order/m0:quantity &gt; 0"><then>${sendTo(target)}</then><else><drop/></else></filter>`;
  return {
    id: 'content-filter-10kb',
    path: 'proxy with one XPath property and a content filter, 10 KB, 64 connections',
    goal: 0.85,
    baseline: httpBaseline('parsing-proxy.ts', {
      name: 'koa + undici + one bare xmldom parse',
      args: ['--target', target],
      clients,
      load,
    }),
    ours: runtimeContestant({
      name: 'mini-synapse',
      artifacts: { Filtered: proxy('Filtered', mediators) },
      path: '/services/Filtered',
      clients,
      load,
    }),
  };
}

function storeInMemory(clients: HttpClients): Row {
  const load: HttpRowLoad = { bytes: 600, connections: CONNECTIONS, status: 202, echoed: false };
  const mediators =
    '<property name="FORCE_SC_ACCEPTED" value="true" scope="axis2"/><property name="OUT_ONLY" value="true"/>' +
    '<store messageStore="Kept"/>';
  return {
    id: 'store-in-memory',
    path: 'store in memory + 202, 0.6 KB, 64 connections',
    goal: 0.75,
    baseline: httpBaseline('acknowledger.ts', { name: 'koa, reads the body, 202', clients, load }),
    ours: runtimeContestant({
      name: 'mini-synapse',
      artifacts: { Storing: proxy('Storing', mediators), Kept: `<messageStore ${SYNAPSE} name="Kept"/>` },
      path: '/services/Storing',
      clients,
      load,
      tidy: (ports) => purged(ports, 'Kept'),
    }),
  };
}

/** The same artifact twice; the level of the log decides. */
function logging(clients: HttpClients, target: string): Row {
  const load: HttpRowLoad = { bytes: 600, connections: CONNECTIONS, status: 200, echoed: true };
  const line = '<log level="custom"><property name="order" value="taken"/></log>';
  const common = {
    artifacts: { Logged: proxy('Logged', `${line}${sendTo(target)}`) },
    path: '/services/Logged',
    clients,
    load,
  };
  return {
    id: 'logging',
    path: 'one line per message at info, 0.6 KB, 64 connections',
    goal: 0.9,
    // With five it came to anything from 0.79 to 1.09.
    roundsTimes: 3,
    baseline: runtimeContestant({ name: 'logging off', ...common, args: ['--log-level', 'error'] }),
    ours: runtimeContestant({ name: 'logging at info', ...common, args: ['--log-level', 'info'] }),
  };
}

function proxy(name: string, mediators: string): string {
  return (
    `<proxy ${SYNAPSE} name="${name}" transports="http"><target><inSequence>${mediators}</inSequence>` +
    '<outSequence><send/></outSequence></target></proxy>'
  );
}

function sendTo(target: string): string {
  return `<send><endpoint><address uri="${target}/"/></endpoint></send>`;
}

/** Empties a store of ours by its management API. */
async function purged({ management }: ReadyPorts, store: string): Promise<void> {
  const url = `http://127.0.0.1:${management}/management/message-stores/${store}`;
  const depth = async () => {
    const response = await fetch(`http://127.0.0.1:${management}/management/message-stores?name=${store}`);
    return Number(((await response.json()) as { size?: unknown }).size);
  };
  const count = await depth();
  if (count === 0) return;
  // At more than the usual 1,000 a second, or the rows of a fast machine take their time here.
  const body = JSON.stringify({ action: 'delete', all: true, confirm: count, ratePerSecond: 100_000 });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/messages/actions`, { method: 'POST', headers, body });
  if (!response.ok) throw new Error(`the store was not emptied: ${response.status} ${await response.text()}`);
  await response.body?.cancel();
  await waitFor(async () => (await depth()) === 0, { what: 'the store to be empty', deadlineMs: PURGE_DEADLINE_MS });
}
