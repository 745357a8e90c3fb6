import { appendFileSync } from 'node:fs';
import type { ActiveMqBroker } from '../../samples/activemq/broker.ts';
import { type EchoBackEnd, echoBackEnd } from '../support/echo-back-end.ts';
import { FlowFolder } from '../support/flow-artifacts.ts';
import { freePort } from '../support/free-ports.ts';
import { readManagement } from '../support/management.ts';
import { type MiniSynapse, runMiniSynapse } from '../support/mini-synapse.ts';
import { waitFor } from '../support/wait-for.ts';
import { consoleArtifacts, order } from './artifacts.ts';

/** A running runtime with a broker, back ends and enough traffic that every page of the console has something to show. */
export interface ConsoleWorld {
  readonly runtime: MiniSynapse;
  readonly backEnd: EchoBackEnd;
  /** What the web hook `operations` leads to. */
  readonly alerts: EchoBackEnd;
  /** Writes an artifact file by the API; resolves when it is deployed. */
  deploy(file: string, text: string): Promise<void>;
  /** Sends an order, to a proxy; resolves with the status of the answer. */
  order(symbol: string, quantity: number, proxy?: string): Promise<number>;
  /** What the API answers. */
  read(path: string): Promise<unknown>;
  /** Asks the API for a change; resolves with the status and the body of its answer. */
  change(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
  close(): Promise<void>;
}

const SYMBOLS = ['IBM', 'SUN', 'MSFT', 'ORCL', 'SAP', 'NVDA'];

/** @param broker stays the caller's */
export async function startWorld(broker: ActiveMqBroker): Promise<ConsoleWorld> {
  const folder = new FlowFolder();
  const [backEnd, alerts] = [await echoBackEnd(), await echoBackEnd()];
  backEnd.answer = ({ body }) =>
    body.includes('REJECTED')
      ? { status: 503, headers: { 'Content-Type': 'text/plain' }, body: 'out of stock' }
      : { status: 202, body: '', delayMs: 5 };
  const places = {
    broker: broker.openwireUrl,
    orders: `${backEnd.url}/services/Orders`,
    partner: `http://127.0.0.1:${await freePort()}/partner`,
  };
  for (const [name, xml] of Object.entries(consoleArtifacts(places))) folder.write(name, xml);
  const config = folder.configureJms(broker.openwireUrl, broker.stompPort);
  appendFileSync(config, `[[alerts.webhook]]\nname = "operations"\nurl = "${alerts.url}/hooks/operations"\n`);
  const runtime = await runMiniSynapse({ artifacts: folder.artifacts, dataDirectory: folder.data, config });
  const world: ConsoleWorld = {
    runtime,
    backEnd,
    alerts,
    async order(symbol, quantity, proxy = 'OrderProxy') {
      const response = await fetch(runtime.service(proxy), {
        method: 'POST',
        headers: { 'Content-Type': 'text/xml; charset=UTF-8', SOAPAction: '"urn:placeOrder"' },
        body: order(symbol, quantity),
        signal: AbortSignal.timeout(20_000),
      });
      await response.arrayBuffer();
      return response.status;
    },
    read: (path) => readManagement(runtime, path),
    async change(method, path, body) {
      const response = await fetch(runtime.management(path), {
        method,
        headers: { 'Content-Type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(20_000),
      });
      const text = await response.text();
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
    },
    async deploy(file, text) {
      const path = `/management/artifacts/files/${file}`;
      const headers = { 'Content-Type': 'application/xml' };
      const signal = AbortSignal.timeout(20_000);
      const response = await fetch(runtime.management(path), { method: 'PUT', headers, body: text, signal });
      const { state, Error: problem } = (await response.json()) as { state?: string; Error?: string };
      if (state !== 'deployed') throw new Error(`${file} is not deployed: ${problem ?? state}`);
    },
    async close() {
      await runtime.stop();
      await Promise.all([backEnd.close(), alerts.close()]);
      folder.remove();
    },
  };
  return world;
}

/** Orders that are delivered, orders that are refused, and orders for a partner that is not there. */
export async function play(world: ConsoleWorld): Promise<void> {
  await world.change('PUT', '/management/tracing', { mode: 'on', bodies: true });
  for (let number = 0; number < 12; number += 1) await world.order(SYMBOLS[number % 6] ?? 'IBM', 100 + number);
  for (const [index, symbol] of ['REJECTED-A', 'REJECTED-B', 'REJECTED-C'].entries())
    await world.order(symbol, 10 + index);
  for (const quantity of [5000, 7500, 12000, 20000]) await world.order('IBM', quantity);
  await world.order('IBM', 1, 'CourierProxy');
  await storeHolds(world, 'RejectedOrders', 3);
  await waitFor(async () => (await processorState(world, 'PartnerForwarder')) === 'DEACTIVATED', {
    what: 'PartnerForwarder to be deactivated',
    deadlineMs: 30_000,
  });
}

/** Resolves when a store has so many messages. */
export async function storeHolds(world: ConsoleWorld, name: string, depth: number): Promise<void> {
  let seen: unknown;
  await waitFor(
    async () => {
      seen = ((await world.read(`/management/message-stores?name=${name}`)) as { size: number }).size;
      return seen === depth;
    },
    { what: () => `${depth} messages in ${name}, where there are ${seen}`, deadlineMs: 30_000, everyMs: 100 },
  );
}

/** The state of a processor, as the API tells it. */
export async function processorState(world: ConsoleWorld, name: string): Promise<string> {
  return ((await world.read(`/management/message-processors?name=${name}`)) as { state: string }).state;
}
