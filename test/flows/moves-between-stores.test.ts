import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { messageLine } from '../../src/management/operations/message-lines.ts';
import type { StoredMessage } from '../../src/stores/stored-message.ts';
import { storeXml } from '../faults/faulty-flow.ts';
import { failoverXml } from '../faults/moving-flow.ts';
import { durableStores, IN_MEMORY, type Medium } from '../faults/stores.ts';
import { anyMessage } from '../stores/arbitrary-message.ts';
import { everyPropertyType, storedMessage } from '../stores/messages.ts';
import { FlowFolder } from '../support/flow-artifacts.ts';
import { call } from '../support/http-call.ts';
import { seeProcessor, seeStore, switchProcessor } from '../support/management.ts';
import { type MiniSynapse, runMiniSynapse } from '../support/mini-synapse.ts';
import { waitFor } from '../support/wait-for.ts';

/*
 * A message that is moved from a store of one kind to a store of any other is the same message, in every part of it: by a failover
 * processor from each kind to each, and back by an operator. Each kind has a store `From…` and a store `To…`; in one round every
 * `From…` is emptied into another `To…` and filled from there again, so that in as many rounds as there are kinds each pair has had
 * its turn, both ways, also within one kind.
 */

/** For media that keep all messages of a queue in one place the types do not matter. */
const SAME_AS_ANOTHER = 'RabbitMQ quorum';
const ARBITRARY = 5;
const SEED = 20_261_122;
const DEADLINE_MS = 30_000;

/** A kind of store, as it is called in the names of artifacts. */
interface Kind {
  readonly name: string;
  readonly storeClass: string;
  readonly medium: Medium;
}

const stores = (await durableStores()).filter((store) => store.name !== SAME_AS_ANOTHER && store.describe === describe);

describe('a message that is moved between stores of different kinds', () => {
  const folder = new FlowFolder();
  let kinds: readonly Kind[] = [];
  let runtime: MiniSynapse;

  beforeAll(async () => {
    const memory: Medium = { server: undefined, port: 0, parameters: () => ({}) };
    const found: Kind[] = [{ name: 'Memory', storeClass: IN_MEMORY, medium: memory }];
    // One server after the other: on a busy machine they would keep each other from starting in time.
    for (const { name, storeClass, start } of stores)
      found.push({ name: name.replaceAll(/\W/g, ''), storeClass, medium: await start() });
    kinds = found;
    for (const { name, storeClass, medium } of kinds)
      for (const store of [`From${name}`, `To${name}`])
        folder.write(`${store}.xml`, storeXml(store, storeClass, medium.parameters(store, folder.path)));
    for (const from of kinds)
      for (const to of kinds)
        folder.write(
          `${processorOf(from, to)}.xml`,
          failoverXml(processorOf(from, to), `From${from.name}`, `To${to.name}`, false),
        );
    runtime = await runMiniSynapse({ artifacts: folder.artifacts, dataDirectory: folder.data });
  });

  afterAll(async () => {
    await runtime?.kill();
    folder.remove();
  });

  it('is the same in every part', { timeout: 180_000 }, async () => {
    const filled = new Map<string, readonly string[]>();
    for (const { name } of kinds) {
      const messages = someMessages();
      filled.set(name, sorted(messages.map(messageLine)));
      await fill(runtime, `From${name}`, messages);
    }
    for (let round = 0; round < kinds.length; round += 1) {
      const pairs = kinds.map((from, index) => ({ from, to: kinds[(index + round) % kinds.length] ?? from }));
      await Promise.all(
        pairs.map(async ({ from, to }) => {
          const lines = filled.get(from.name) ?? [];
          const what = `from ${from.name} to ${to.name}`;
          await movedByProcessor(runtime, from, to, lines.length);
          expect(await linesOf(runtime, `To${to.name}`), what).toEqual(lines);
          await movedByOperator(runtime, `To${to.name}`, `From${from.name}`, lines.length);
          expect(await linesOf(runtime, `From${from.name}`), `and back ${what}`).toEqual(lines);
        }),
      );
    }
  });
});

/** One with everything that is known, and some that nobody would think of. */
function someMessages(): readonly StoredMessage[] {
  const known = storedMessage({
    correlationId: 'c-1',
    headers: [
      ['X-Repeated', 'one'],
      ['x-repeated', 'two;three=four'],
    ],
    axis2: everyPropertyType(),
    properties: everyPropertyType(),
    variables: everyPropertyType(),
    priority: 7,
    history: [
      {
        processor: 'Forwarder1',
        sourceStore: 'Orders',
        endpoint: 'Backend',
        cause: 'HTTP 503, "unavailable" ü',
        status: 503,
        attempts: 4,
        firstAttemptAt: 1_700_000_000_000,
        lastAttemptAt: 1_700_000_003_000,
      },
    ],
    replays: 1,
    body: {
      kind: 'text',
      bytes: Buffer.from('gr\xfc\xdf\0', 'latin1'),
      contentType: 'text/plain; charset=ISO-8859-1',
      soapHeader: '<h:Header xmlns:h="u"><a><b c="1">2</b></a></h:Header>',
    },
  });
  // The same values each time, with other ids.
  const arbitrary = fc.sample(anyMessage, { numRuns: ARBITRARY, seed: SEED });
  return [known, ...arbitrary];
}

function processorOf(from: Kind, to: Kind): string {
  return `${from.name}To${to.name}`;
}

function sorted(lines: readonly string[]): readonly string[] {
  // By id, which comes first: priorities change the order.
  return lines.toSorted();
}

async function fill(runtime: MiniSynapse, store: string, messages: readonly StoredMessage[]): Promise<void> {
  await waitFor(async () => (await seeStore(runtime, store)).state === 'READY', {
    what: `${store} to be there`,
    deadlineMs: DEADLINE_MS,
  });
  const body = messages.map(messageLine).join('\n');
  const { status, text } = await call(runtime.management(`/management/message-stores/${store}/import`), {
    headers: { 'Content-Type': 'application/json' },
    body,
  });
  expect({ status, ...JSON.parse(text) }).toMatchObject({ status: 200, done: messages.length, failed: [] });
}

async function linesOf(runtime: MiniSynapse, store: string): Promise<readonly string[]> {
  const { text } = await call(runtime.management(`/management/message-stores/${store}/export`));
  return sorted(text.split('\n').filter((line) => line !== ''));
}

async function movedByProcessor(runtime: MiniSynapse, from: Kind, to: Kind, count: number): Promise<void> {
  const processor = processorOf(from, to);
  await switchProcessor(runtime, processor, 'active');
  await arrived(runtime, `From${from.name}`, `To${to.name}`, count);
  await switchProcessor(runtime, processor, 'inactive');
  await waitFor(async () => (await seeProcessor(runtime, processor)).status === 'inactive', {
    what: `${processor} to stop`,
  });
}

async function movedByOperator(runtime: MiniSynapse, from: string, to: string, count: number): Promise<void> {
  const action = { action: 'move', all: true, to, confirm: count, ratePerSecond: 100_000 };
  let answer = '';
  // Refused as long as another number is seen there: brokers count a moment later.
  await waitFor(
    async () => {
      const { status, text } = await call(runtime.management(`/management/message-stores/${from}/messages/actions`), {
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(action),
      });
      answer = text;
      return status < 300;
    },
    { what: () => `${from} to be moved, which says ${answer}`, deadlineMs: DEADLINE_MS },
  );
  await arrived(runtime, from, to, count);
}

/** All of them are in the second store, and none is left in the first. */
async function arrived(runtime: MiniSynapse, from: string, to: string, count: number): Promise<void> {
  const sizes = async () => [(await seeStore(runtime, from)).size, (await seeStore(runtime, to)).size];
  let seen: readonly number[] = [];
  await waitFor(
    async () => {
      seen = await sizes();
      return seen[0] === 0 && seen[1] === count;
    },
    {
      what: () => `${count} messages to move from ${from} to ${to}, where there are ${seen.join(' and ')}`,
      deadlineMs: DEADLINE_MS,
    },
  );
}
