import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MediationError } from '../../src/message/errors.ts';
import type { MessageContext } from '../../src/message/message-context.ts';
import type { MessageProcessor } from '../../src/processors/index.ts';
import { StoreError } from '../../src/stores/message-store.ts';
import { only, problems, read, SYN } from '../synapse/read.ts';
import {
  advance,
  advanceUntil,
  Bench,
  FakeStore,
  fakeTime,
  sequenceOf,
  settled,
  storedMessage,
  until,
} from './harness.ts';

const CLASS = 'org.apache.synapse.message.processors.resequence.ResequencingProcessor';
const NUMBER = '<parameter name="seqNumXpath" expression="//order/@number"/>';
const NEXT = '<parameter name="nextEsbSequence">seq</parameter>';

let bench: Bench;
let seen: string[];
let opened: MessageProcessor[];

beforeEach(() => {
  fakeTime();
  bench = new Bench();
  seen = [];
  opened = [];
  deploy((message) => void seen.push(message.messageId));
});

afterEach(async () => {
  let stopped = false;
  void Promise.all(opened.map((each) => each.stop({ undeploy: false }))).then(() => {
    stopped = true;
  });
  await advanceUntil(() => stopped, 'stopping');
  await bench.close();
});

function deploy(run: (message: MessageContext) => unknown): void {
  bench.configuration.set('sequence', 'seq', sequenceOf('seq', run));
}

const artifact = (parameters: string) =>
  read(`<messageProcessor ${SYN} class="${CLASS}" name="P" messageStore="S">${parameters}</messageProcessor>`);

async function start(parameters: Record<string, string | number> = {}, previous?: MessageProcessor) {
  const more = Object.entries(parameters).map(([name, value]) => `<parameter name="${name}">${value}</parameter>`);
  const { content } = only(artifact(NUMBER + NEXT + more.join('')), 'messageProcessor');
  const processor = content.kind.open({ ...content, services: bench.services, previous });
  opened.push(processor);
  await processor.start();
  return processor;
}

async function put(id: string, number: number | bigint | string, store = bench.store): Promise<void> {
  await store.put(storedMessage(id, {}, envelope(number)));
}

const envelope = (number: number | bigint | string) =>
  `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><order number="${number}"/></s:Body></s:Envelope>`;

/** The clock moves on slowly, so that real work, such as writing files, is done before much time has passed. */
async function passes(condition: () => boolean, what: string): Promise<void> {
  const begun = process.hrtime.bigint();
  while (!condition()) {
    if (process.hrtime.bigint() - begun > 10_000_000_000n) throw new Error(`${what} did not come true`);
    await advance(1, 1);
  }
}

/** It has found its store empty. */
async function looked(): Promise<void> {
  await until(() => bench.store.openConsumers === 1, 'the opening of a consumer');
  await advance(1100);
}

/** Exactly these come, one after the other; the place is written to a real disk in between. */
async function comes(...ids: string[]): Promise<void> {
  await passes(() => seen.length >= ids.length, `the delivery of ${ids}`);
  await settled(20);
  expect(seen).toEqual(ids);
}

/** All that is in the store and can be settled is. */
async function settles(...ids: string[]): Promise<void> {
  await passes(() => bench.store.done.length >= ids.length, `the settling of ${ids}`);
  expect(bench.store.done).toEqual(ids);
}

/** One message a number; the id says which. */
async function putNumbers(...numbers: number[]): Promise<void> {
  for (const number of numbers) await put(`m${number}`, number);
}

describe('its artifact', () => {
  it.each([
    [NEXT, "1:58 error parameter 'seqNumXpath' is required, as an expression"],
    [NUMBER, "parameter 'nextEsbSequence' is required"],
    [`<parameter name="seqNumXpath">//a</parameter>${NEXT}`, "parameter 'seqNumXpath': '//a' is text"],
    [
      `${NUMBER}${NEXT}<parameter name="requiredInitMessages">some</parameter>`,
      "parameter 'requiredInitMessages': 'some' is not a valid number",
    ],
    [
      `${NUMBER}${NEXT}<parameter name="x.resequence.late">keep</parameter>`,
      "parameter 'x.resequence.late': 'keep' is not allowed",
    ],
  ])('%s', (parameters, problem) => {
    const found = problems(artifact(parameters));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(problem.replace(/^1:58 /, ''));
  });

  it('has the defaults of the reference, and shows itself by its type', async () => {
    const { content } = only(artifact(NUMBER + NEXT), 'messageProcessor');
    expect(content.parameters).toMatchObject({
      requiredInitMessages: 4,
      requiredInitMessagesDelay: 5,
      deleteDuplicateMessages: false,
      'x.resequence.late': 'deliver',
      'x.resequence.timeout': undefined,
      'x.resequence.window': 1000,
    });
    expect((await start()).type).toBe('Resequencing-processor');
  });
});

describe('the first number (spec stores 5.3)', () => {
  it('is the smallest one of a store that has messages', async () => {
    await putNumbers(7, 5, 6);
    await start();
    await advance(1500);
    await comes('m5', 'm6', 'm7');
    await settles('m5', 'm6', 'm7');
    expect(bench.lines('info')).toContain('ResequencingProcessor: [P] Starting sequence id recorded as:5');
  });

  it('with an empty store: of the required messages', async () => {
    await start({ requiredInitMessages: 3 });
    await looked();
    await advance(900);
    await putNumbers(3, 2);
    await advance(3000);
    expect(seen).toEqual([]);
    await putNumbers(1);
    await settled();
    await comes('m1', 'm2', 'm3');
  });

  it('with an empty store and fewer messages: of those that there are after 6 s times the delay (sample 703)', async () => {
    await start();
    await looked();
    await advance(900);
    await putNumbers(2, 3, 1);
    await advance(27_000, 500);
    expect(seen).toEqual([]);
    await advance(1500);
    await comes('m1', 'm2', 'm3');
  });

  it('with no message at all by then: the first one that comes', async () => {
    await start({ requiredInitMessagesDelay: 0 });
    await looked();
    await advance(60_000, 1000);
    await putNumbers(9);
    await comes('m9');
    await settles('m9');
    await putNumbers(8);
    await settled();
    await comes('m9', 'm8');
  });
});

describe('the order', () => {
  it('what comes too early waits in the store until its turn, unsettled', async () => {
    await putNumbers(1);
    await start();
    await advance(1500);
    await settles('m1');
    await putNumbers(4, 3);
    await advance(60_000, 1000);
    expect([seen, bench.store.unsettled]).toEqual([['m1'], 2]);
    await putNumbers(2);
    await settled();
    await comes('m1', 'm2', 'm3', 'm4');
    await settles('m1', 'm2', 'm3', 'm4');
    expect([bench.store.unsettled, bench.store.entries]).toEqual([0, []]);
    expect(bench.store.openConsumers).toBeLessThanOrEqual(2);
  });

  it('what its store has taken back is not held any more', async () => {
    await putNumbers(1);
    await start();
    await advance(1500);
    await settles('m1');
    await putNumbers(4, 3);
    await advance(100);
    bench.store.state = 'DOWN';
    bench.store.takeBack();
    // Another node has got them.
    const taken = bench.store.entries.splice(0);
    bench.store.state = 'READY';
    await putNumbers(2);
    await settles('m1', 'm2');
    await advance(5000, 100);
    expect(seen).toEqual(['m1', 'm2']);
    for (const entry of taken) bench.store.add(entry);
    await settles('m1', 'm2', 'm3', 'm4');
    await comes('m1', 'm2', 'm3', 'm4');
  });

  it('all that waits shares one connection to the store', async () => {
    const asked: unknown[] = [];
    const consumer = bench.store.consumer.bind(bench.store);
    bench.store.consumer = (options?: unknown) => {
      asked.push(options);
      return consumer();
    };
    await putNumbers(1);
    await start();
    await advance(1500);
    await settles('m1');
    await putNumbers(5, 4, 3);
    await passes(() => bench.store.unsettled === 3, 'the hold');
    expect(asked.length).toBeGreaterThan(3);
    expect(new Set(asked.map((options) => JSON.stringify(options)))).toEqual(new Set(['{"shared":true}']));
  });

  it('numbers have 64 bits', async () => {
    const large = 2n ** 62n;
    await put('b', large + 1n);
    await put('a', large);
    await start();
    await advance(1500);
    await comes('a', 'b');
  });

  it('a message that fails goes where failed messages go, and the next number follows', async () => {
    deploy((message) => {
      seen.push(message.messageId);
      if (message.messageId === 'm1') throw new MediationError('broken');
    });
    const failed = new FakeStore('F');
    bench.configuration.set('messageStore', 'F', failed);
    await putNumbers(2, 1);
    const processor = await start({ 'message.processor.failMessagesStore': 'F', 'client.retry.interval': 10 });
    await advance(1500);
    await comes('m1', 'm2');
    await settles('m1', 'm2');
    expect(failed.ids).toEqual(['m1']);
    expect(processor.status().counters).toMatchObject({ delivered: 1, moved: 1 });
  });

  it('a fail store that takes nothing: the number stays the next one', async () => {
    let broken = true;
    deploy((message) => {
      seen.push(message.messageId);
      if (broken) throw new MediationError('broken');
    });
    const failed = new FakeStore('F');
    failed.fault = () => new StoreError('F', 'full');
    bench.configuration.set('messageStore', 'F', failed);
    await putNumbers(2, 1);
    const processor = await start({ 'message.processor.failMessagesStore': 'F' });
    await advance(1500);
    await passes(() => processor.status().state === 'DEACTIVATED' && bench.store.unsettled === 0, 'deactivation');
    expect(bench.store.ids.sort()).toEqual(['m1', 'm2']);
    broken = false;
    await processor.activate('test');
    await advance(1500);
    await comes('m1', 'm1', 'm2');
  });

  it('a message without a number does not stay in the way', async () => {
    await put('odd', 'x');
    await bench.store.put(storedMessage('broken', {}, 'no XML at all'));
    await putNumbers(1);
    await start();
    await advanceUntil(() => seen.length === 1 && bench.store.done.length === 3);
    await comes('m1');
    expect(bench.lines('warn').join('\n')).toContain("Can't Find sequence number from message odd");
    const letters = join(bench.directory, 'dead-letter', 'S');
    expect(readdirSync(letters).sort()).toEqual(['broken.body', 'broken.json', 'odd.body', 'odd.json']);
    expect(readFileSync(join(letters, 'odd.body'), 'utf8')).toBe(envelope('x'));
  });

  it.each([
    ['deliver', {}, ['m1', 'm2', 'again'], []],
    ['drop', { deleteDuplicateMessages: 'TRUE' }, ['m1', 'm2'], []],
    ['drop', { 'x.resequence.late': 'drop' }, ['m1', 'm2'], []],
    ['fail', { 'x.resequence.late': 'fail', 'message.processor.failMessagesStore': 'F' }, ['m1', 'm2'], ['again']],
  ])('a number that was passed: %s %j', async (_, parameters, delivered, moved) => {
    const failed = new FakeStore('F');
    bench.configuration.set('messageStore', 'F', failed);
    await putNumbers(1, 2);
    await start(parameters);
    await advance(1500);
    await settles('m1', 'm2');
    await put('again', 1);
    await settles('m1', 'm2', 'again');
    await comes(...delivered);
    expect(failed.ids).toEqual(moved);
    expect(bench.store.entries).toEqual([]);
  });

  it('twice the same number at once: late is the second one', async () => {
    await put('a', 1);
    await put('b', 1);
    await put('c', 2);
    await start({ deleteDuplicateMessages: 'true' });
    await advance(1500);
    await comes('a', 'c');
    await settles('a', 'b', 'c');
  });
});

describe('gaps', () => {
  it('are waited for, for as long as x.resequence.timeout says', async () => {
    await putNumbers(1);
    await start({ 'x.resequence.timeout': 5000 });
    await advance(1500);
    await settles('m1');
    await putNumbers(3, 4);
    await advance(4500, 100);
    await comes('m1');
    await advance(700, 100);
    await comes('m1', 'm3', 'm4');
    expect(bench.lines('warn').join('\n')).toContain('Number 2 did not come within 5000 ms; it goes on with 3');
    await putNumbers(6);
    await advance(4500, 100);
    await comes('m1', 'm3', 'm4');
  });

  it('are given up when too much would be held', async () => {
    await putNumbers(1);
    await start({ 'x.resequence.window': 3 });
    await advance(1500);
    await settles('m1');
    await putNumbers(9, 5, 7, 6);
    await advance(100);
    await comes('m1', 'm5', 'm6', 'm7');
    expect(bench.lines('warn').join('\n')).toContain('before 3 later messages were there (x.resequence.window)');
  });
});

describe('its place (REQ-50)', () => {
  const file = () => join(bench.directory, 'message-processors', 'sequence-places', 'P.json');

  it('survives a restart: what comes too early then waits as before', async () => {
    await putNumbers(1);
    const first = await start();
    await advance(1500);
    await settles('m1');
    await first.stop({ undeploy: false });
    await putNumbers(3);
    await start();
    await advance(60_000, 1000);
    await comes('m1');
    await putNumbers(2);
    await settled();
    await comes('m1', 'm2', 'm3');
  });

  it('goes with the artifact, and belongs to its store', async () => {
    await putNumbers(5);
    const first = await start();
    await advance(1500);
    await settles('m5');
    expect(JSON.parse(readFileSync(file(), 'utf8'))).toEqual({ store: 'S', next: '6' });
    await first.stop({ undeploy: true });
    expect(existsSync(file())).toBe(false);
    await putNumbers(2);
    await start();
    await advance(1500);
    await comes('m5', 'm2');
  });

  it('stays where it is while the store does not confirm (REQ-10), and nothing is sent twice', async () => {
    let refusals = 2;
    bench.store.fault = (operation) => {
      if (operation !== 'done' || refusals === 0) return undefined;
      refusals -= 1;
      return new StoreError('S', 'away');
    };
    await putNumbers(2, 1);
    await start();
    await advance(3000);
    await comes('m1', 'm2');
    await settles('m1', 'm2');
    expect(bench.store.entries).toEqual([]);
  });

  it('a redeployment gives back what is held, and goes on', async () => {
    await putNumbers(1);
    const first = await start();
    await advance(1500);
    await settles('m1');
    await putNumbers(3);
    await until(() => bench.store.unsettled === 1);
    await start({ 'x.resequence.window': 10 }, first);
    await settled(20);
    await putNumbers(2);
    await advance(100);
    await comes('m1', 'm2', 'm3');
    await settles('m1', 'm2', 'm3');
    expect(bench.store.unsettled).toBe(0);
  });

  it('another store in place of its own: held messages go back to the old one', async () => {
    await putNumbers(1);
    await start();
    await advance(1500);
    await settles('m1');
    await putNumbers(3);
    await until(() => bench.store.unsettled === 1);
    const successor = new FakeStore('S', bench.store);
    bench.configuration.set('messageStore', 'S', successor);
    await settled(20);
    await put('m2', 2, successor);
    await advance(1500);
    await comes('m1', 'm2', 'm3');
    await until(() => bench.store.unsettled === 0);
  });

  it('deactivation gives back all that is held', async () => {
    await putNumbers(1);
    const processor = await start();
    await advance(1500);
    await settles('m1');
    await putNumbers(3, 4);
    await until(() => bench.store.unsettled === 2);
    await processor.deactivate('test');
    await until(() => bench.store.openConsumers === 0);
    expect([bench.store.unsettled, bench.store.ids]).toEqual([0, ['m3', 'm4']]);
    await processor.activate('test');
    await putNumbers(2);
    await advance(1500);
    await comes('m1', 'm2', 'm3', 'm4');
  });
});

it('with a cron expression it takes at each run what is in order', async () => {
  await advance(60_000 - (Date.now() % 60_000) + 58_000, 1000);
  await putNumbers(2, 1, 4);
  await start({ cronExpression: '0 * * * * ?' });
  await advance(1900, 50);
  await advanceUntil(() => seen.length >= 2);
  await comes('m1', 'm2');
  await putNumbers(3);
  await advanceUntil(() => seen.length >= 4);
  await comes('m1', 'm2', 'm3', 'm4');
});

it('any order in, with halts at any moment: every number once, in order (property)', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(
        Array.from({ length: 8 }, (_, index) => index + 1),
        { minLength: 8, maxLength: 8 },
      ),
      fc.array(fc.nat({ max: 8 }), { maxLength: 3 }),
      async (numbers, halts) => {
        const store = new FakeStore('S');
        bench.configuration.set('messageStore', 'S', store);
        seen.length = 0;
        await put('m0', 0, store);
        const processor = await start();
        await passes(() => store.done.length === 1, 'the first delivery');
        for (const [index, number] of numbers.entries()) {
          if (halts.includes(index)) {
            await processor.deactivate('test');
            await settled(3);
            await processor.activate('test');
          }
          await put(`m${number}`, number, store);
          await settled(2);
        }
        await passes(() => seen.length >= 9, 'the delivery of all');
        expect(seen).toEqual(Array.from({ length: 9 }, (_, index) => `m${index}`));
        await processor.stop({ undeploy: true });
      },
    ),
    { numRuns: 12 },
  );
});
