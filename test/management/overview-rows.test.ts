import { afterAll, beforeAll, expect, it } from 'vitest';
import { call } from '../support/http-call.ts';
import { waitFor } from '../support/wait-for.ts';
import { type Served, START_MS, serve } from './served.ts';

const SYN = 'xmlns="http://ws.apache.org/ns/synapse"';
const FORWARDER = 'org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor';
const parameter = (name: string, value: string) => `<parameter name="${name}">${value}</parameter>`;
const forwarder = (name: string, store: string, endpoint: string, more: string) =>
  `<messageProcessor ${SYN} name="${name}" class="${FORWARDER}" messageStore="${store}" targetEndpoint="${endpoint}">${more}</messageProcessor>`;
const taking = (name: string, store: string) =>
  `<proxy ${SYN} name="${name}"><target><inSequence><property name="OUT_ONLY" value="true"/><store messageStore="${store}"/><respond/></inSequence></target></proxy>`;

let served: Served;
beforeAll(async () => {
  served = await serve({
    artifacts: {
      'into.xml': taking('Into', 'Main'),
      'good.xml': taking('Good', 'Fine'),
      'main.xml': `<messageStore ${SYN} name="Main">${parameter('store.producer.guaranteed.delivery.enable', 'true')}${parameter('store.failover.message.store.name', 'Spare')}</messageStore>`,
      'spare.xml': `<messageStore ${SYN} name="Spare"/>`,
      'fine.xml': `<messageStore ${SYN} name="Fine"/>`,
      // Nobody listens there.
      'down.xml': `<endpoint ${SYN} name="Down"><address uri="http://127.0.0.1:9/"><suspendOnFailure><initialDuration>0</initialDuration></suspendOnFailure></address></endpoint>`,
      // The management API itself takes what is delivered.
      'up.xml': `<proxy ${SYN} name="Up"><target><inSequence><respond/></inSequence></target></proxy>`,
      'retrying.xml': forwarder(
        'Retrying',
        'Main',
        'Down',
        parameter('x.circuit', 'true') + parameter('client.retry.interval', '600000'),
      ),
      'nightly.xml': forwarder('Nightly', 'Spare', 'Down', parameter('cronExpression', '0 0 3 * * ?')),
    },
  });
  const up = `<endpoint ${SYN} name="Up"><address uri="http://127.0.0.1:${served.server.httpPort}/services/Up"/></endpoint>`;
  const headers = { 'Content-Type': 'application/xml' };
  for (const [file, body] of [
    ['up-endpoint.xml', up],
    ['working.xml', forwarder('Working', 'Fine', 'Up', parameter('interval', '10'))],
  ])
    expect(
      (await served.ask(`/management/artifacts/files/${file}`, { method: 'PUT', headers, body: body ?? '' })).status,
    ).toBe(200);
  for (const service of ['Into', 'Good', 'Good'])
    await call(`http://127.0.0.1:${served.server.httpPort}/services/${service}`, { method: 'POST', body: '<m/>' });
}, 2 * START_MS);
afterAll(() => served?.stop());

const find = async (path: string, name: string) =>
  (await served.ask(path)).body.list.find((row: { name: string }) => row.name === name);
const SEEN = { deadlineMs: START_MS };

it('a row of a store tells all that an operator asks first (OP-41)', async () => {
  const row = async () => await find('/management/message-stores', 'Main');
  await waitFor(async () => (await row()).oldestAgeMs > 0, { what: 'the age of the oldest message', ...SEEN });
  expect(await row()).toMatchObject({
    type: 'in-memory-message-store',
    state: 'READY',
    depth: 1,
    estimated: false,
    inPerSecond: expect.any(Number),
    outPerSecond: expect.any(Number),
    failures: 0,
    failover: 'Spare',
    consumers: ['Retrying'],
    file: 'main.xml',
  });
  expect(await find('/management/message-stores', 'Spare')).toMatchObject({
    failoverOf: ['Main'],
    consumers: ['Nightly'],
  });
  const points = async () => (await served.ask('/management/message-stores/Main/history?minutes=60')).body.points;
  await waitFor(async () => (await points()).at(-1)?.depth === 1, { what: 'a point of the chart', ...SEEN });
});

it('a row of a processor tells its state with the reason, and what it does (OP-44, OP-20)', async () => {
  const row = async (name: string) => await find('/management/message-processors', name);
  await waitFor(async () => (await row('Retrying')).state === 'CIRCUIT_OPEN', { what: 'the circuit to open', ...SEEN });
  const retrying = await row('Retrying');
  expect(retrying).toMatchObject({
    status: 'active',
    reason: expect.stringContaining('ECONNREFUSED'),
    lastError: expect.any(String),
    failingMessageId: expect.any(String),
    nextActionAt: expect.any(String),
    since: expect.any(String),
    counters: { delivered: 0, failed: 1, deadLettered: 0, dropped: 0 },
    current: { id: retrying.failingMessageId, attempt: expect.any(Number) },
  });
  await waitFor(async () => (await row('Working')).counters.delivered === 2, { what: 'both to be delivered', ...SEEN });
  const { latencyMs, successPerSecond } = await row('Working');
  expect(successPerSecond).toBeGreaterThanOrEqual(0);
  for (const percentile of ['p50', 'p95', 'p99']) expect(latencyMs[percentile], percentile).toBeGreaterThan(0);
  const { nextRuns } = await row('Nightly');
  expect(nextRuns).toHaveLength(5);
  for (const run of nextRuns) expect(new Date(run).getMinutes()).toBe(0);
});
