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
    deadlineMs: 60_000,
  });
}

/** Versions of an artifact, so that there is one to go back to, and a store with copies of what was refused, one of them deleted. */
export async function leaveTraces(world: ConsoleWorld): Promise<void> {
  const file = 'Enrich.xml';
  const { text } = (await world.read(`/management/artifacts/source?file=${file}`)) as { text: string };
  const [step, channel] = ['an order has come', 'web'];
  await world.deploy(file, text.replace(step, 'an order of a partner has come').replaceAll(channel, 'partner'));
  await world.deploy(file, text.replace(step, 'a new order'));
  await world.deploy('Archive.xml', '<messageStore xmlns="http://ws.apache.org/ns/synapse" name="Archive"/>\n');
  const store = (path: string) => world.runtime.management(`/management/message-stores/${path}`);
  const lines = await (await fetch(store('RejectedOrders/export'))).text();
  const headers = { 'Content-Type': 'application/x-ndjson' };
  await fetch(store('Archive/import'), { method: 'POST', headers, body: lines, signal: AbortSignal.timeout(20_000) });
  const ids = [(JSON.parse(lines.split('\n', 1)[0] ?? '') as { id: string }).id];
  const path = '/management/message-stores/Archive/messages/actions';
  const { status, body } = await world.change('POST', path, { action: 'delete', ids, confirm: 1 });
  if (status !== 200) throw new Error(`Nothing is deleted: ${status} ${JSON.stringify(body)}`);
}

/** As long as names of artifacts get in the field, and longer. */
export const LONG_NAME = 'OrdersOfPartnersFromAllCountriesToTheWarehouseOfTheRegion_'.repeat(3).slice(0, 150);

/** A proxy, a store, a processor and an endpoint of that name. */
export function longNames(): string {
  const processor = 'org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor';
  return `<definitions xmlns="http://ws.apache.org/ns/synapse">
  <proxy name="${LONG_NAME}" transports="http"><target><inSequence><property name="FORCE_SC_ACCEPTED" value="true" scope="axis2"/><store messageStore="${LONG_NAME}"/></inSequence></target></proxy>
  <messageStore name="${LONG_NAME}"/>
  <endpoint name="${LONG_NAME}"><address uri="http://127.0.0.1:9/${LONG_NAME}"/></endpoint>
  <messageProcessor class="${processor}" name="${LONG_NAME}" targetEndpoint="${LONG_NAME}" messageStore="${LONG_NAME}"><parameter name="is.active">false</parameter></messageProcessor>
</definitions>
`;
}

/** Resolves when a store has so many messages. */
export async function storeHolds(world: ConsoleWorld, name: string, depth: number): Promise<void> {
  let seen: unknown;
  await waitFor(
    async () => {
      seen = ((await world.read(`/management/message-stores?name=${name}`)) as { size: number }).size;
      return seen === depth;
    },
    { what: () => `${depth} messages in ${name}, where there are ${seen}`, deadlineMs: 60_000, everyMs: 100 },
  );
}

/** The state of a processor, as the API tells it. */
export async function processorState(world: ConsoleWorld, name: string): Promise<string> {
  return ((await world.read(`/management/message-processors?name=${name}`)) as { state: string }).state;
}
