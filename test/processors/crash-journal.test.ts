import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CrashJournal, MAX_CRASHES } from '../../src/processors/crash-journal.ts';
import { failover } from '../../src/processors/failover.ts';
import { forwarding } from '../../src/processors/forwarding.ts';
import { StoreError } from '../../src/stores/message-store.ts';
import { advanceUntil, Bench, FakeStore, fakeTime, type Reaction, settled, until } from './harness.ts';

const FILE = 'deliveries-in-flight';
const never = new AbortController().signal;
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'crash-journal-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** What a process finds that is started after this one has crashed right now. */
function afterCrash(): CrashJournal {
  const next = mkdtempSync(join(directory, 'crash-'));
  copyFileSync(join(directory, FILE), join(next, FILE));
  const journal = new CrashJournal();
  journal.use(next);
  return journal;
}

describe('the journal of crashes (OP-06)', () => {
  it('counts crashes during attempts, and nothing else', async () => {
    const journal = new CrashJournal();
    const letGo = journal.use(directory);
    const failed = await journal.begin('S', 'failed', never);
    failed?.ended(true);
    const waiting = await journal.begin('S', 'not ready', never);
    waiting?.ended(false);
    await journal.begin('S', 'in flight', never);
    const found = afterCrash();
    expect(['failed', 'not ready', 'in flight', 'never seen'].map((id) => found.crashes('S', id))).toEqual([
      0, 0, 1, 0,
    ]);
    expect(found.crashes('T', 'in flight')).toBe(0);
    letGo();
  });

  it('counts on over restarts until an attempt comes to an end; being cut off is none', async () => {
    let from = directory;
    for (let crash = 1; crash <= 4; crash += 1) {
      const journal = new CrashJournal();
      journal.use(from);
      expect(journal.crashes('S', 'a')).toBe(crash - 1);
      const cutOff = await journal.begin('S', 'a', never);
      cutOff?.ended(false);
      expect(journal.crashes('S', 'a')).toBe(crash - 1);
      await journal.begin('S', 'a', never);
      const next = join(directory, `run-${crash}`);
      mkdirSync(next);
      copyFileSync(join(from, FILE), join(next, FILE));
      from = next;
    }
    const journal = new CrashJournal();
    const letGo = journal.use(from);
    expect(journal.crashes('S', 'a')).toBe(4);
    (await journal.begin('S', 'a', never))?.ended(true);
    expect(journal.crashes('S', 'a')).toBe(0);
    letGo();
    expect(readFileSync(join(from, FILE), 'latin1').trim()).toBe('');
  });

  it('an orderly stop counts nothing, also for suspects that were not tried', async () => {
    await new Promise<void>((resolve) => {
      const journal = new CrashJournal();
      journal.use(directory);
      void journal.begin('S', 'a', never).then(() => resolve());
    });
    for (let restart = 0; restart < 3; restart += 1) {
      const journal = new CrashJournal();
      const letGo = journal.use(directory);
      expect(journal.crashes('S', 'a')).toBe(1);
      letGo();
      letGo();
    }
  });

  it('lets one suspect be processed at a time, and does not hold up others', async () => {
    const journal = new CrashJournal();
    journal.use(directory);
    for (const id of ['a', 'b', 'c']) await journal.begin('S', id, never);
    const next = afterCrash();
    const first = await next.begin('S', 'a', never);
    let second = false;
    const waiting = next.begin('S', 'b', never).then((attempt) => {
      second = true;
      return attempt;
    });
    const stop = new AbortController();
    const given = next.begin('S', 'c', stop.signal);
    (await next.begin('S', 'fresh', never))?.ended(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect(second).toBe(false);
    stop.abort();
    expect(await given).toBeUndefined();
    first?.ended(true);
    (await waiting)?.ended(false);
    expect(['a', 'b', 'c'].map((id) => next.crashes('S', id))).toEqual([0, 1, 1]);
  });

  it('stays as small as what is in flight', async () => {
    const journal = new CrashJournal();
    const letGo = journal.use(directory);
    for (let index = 0; index < 500; index += 1) {
      const attempts = await Promise.all(['a', 'b', 'c'].map((id) => journal.begin('S', `${id}${index}`, never)));
      for (const attempt of attempts) attempt?.ended(true);
    }
    expect(statSync(join(directory, FILE)).size).toBe(3 * 69);
    letGo();
  });

  it('forgets a message that is gone', async () => {
    const journal = new CrashJournal();
    journal.use(directory);
    await journal.begin('S', 'a', never);
    const next = afterCrash();
    next.forget('S', 'a');
    next.forget('S', 'unknown');
    expect(next.crashes('S', 'a')).toBe(0);
  });

  it('reads what it can of a damaged file', async () => {
    const journal = new CrashJournal();
    journal.use(directory);
    await journal.begin('S', 'a', never);
    const row = readFileSync(join(directory, FILE), 'latin1');
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), async (noise) => {
        const damaged = mkdtempSync(join(directory, 'damaged-'));
        writeFileSync(join(damaged, FILE), `${noise}\n${row}${noise}`);
        const next = new CrashJournal();
        const letGo = next.use(damaged);
        expect(next.crashes('S', 'a')).toBe(1);
        letGo();
      }),
      { numRuns: 30 },
    );
  });

  it('without a file it keeps nobody from delivering', async () => {
    writeFileSync(join(directory, 'plain'), '');
    const journal = new CrashJournal();
    const letGo = journal.use(join(directory, 'plain'));
    const attempt = await journal.begin('S', 'a', never);
    attempt?.ended(true);
    letGo();
  });

  it.each(['process.abort()', "process.kill(process.pid, 'SIGKILL')", 'process.exit(1)'])(
    'survives %s of a real process',
    { timeout: 60_000 },
    (end) => {
      const module = new URL('../../src/processors/crash-journal.ts', import.meta.url).href;
      const program = `
        const { CrashJournal } = await import(${JSON.stringify(module)});
        const journal = new CrashJournal();
        journal.use(process.env.FOLDER);
        (await journal.begin('S', 'harmless', new AbortController().signal)).ended(true);
        await journal.begin('S', 'poison', new AbortController().signal);
        ${end};`;
      for (let crash = 1; crash <= MAX_CRASHES; crash += 1) {
        spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
          env: { ...process.env, FOLDER: directory, NODE_OPTIONS: '' },
          cwd: directory,
          timeout: 20_000,
        });
        expect([afterCrash().crashes('S', 'poison'), afterCrash().crashes('S', 'harmless')]).toEqual([crash, 0]);
      }
    },
  );
});

describe('a message that crashes the process', () => {
  let bench: Bench;
  const crashed: Bench[] = [];

  beforeEach(() => {
    fakeTime();
    bench = new Bench({ dataDirectory: directory });
  });

  afterEach(async () => {
    for (const each of [...crashed.splice(0), bench]) {
      fakeTime();
      await each.close();
    }
  });

  /** The process ends here, and another one finds what is in the data directory and in the store. */
  function crash(): void {
    const next = mkdtempSync(join(directory, 'run-'));
    copyFileSync(join(bench.services.dataDirectory, FILE), join(next, FILE));
    crashed.push(bench);
    bench = new Bench({ dataDirectory: next });
  }

  const hang = (id: string) => (call: { readonly id: string }) =>
    call.id === id ? new Promise<Reaction>(() => undefined) : 202;

  it.each(['the dead-letter area', 'the fail store'])(
    'goes to %s at the third restart, and the others arrive',
    async (where) => {
      const parameters = {
        interval: '0',
        ...(where === 'the fail store' && { 'message.processor.failMessagesStore': 'F' }),
      };
      const delivered: string[] = [];
      for (let run = 1; run <= MAX_CRASHES; run += 1) {
        bench.endpoint.react = hang('poison');
        await bench.put(`before${run}`, 'poison', `after${run}`);
        await bench.start(forwarding, parameters);
        await until(() => bench.endpoint.ids.includes('poison'));
        delivered.push(...bench.store.done);
        crash();
      }
      const failed = new FakeStore('F');
      bench.configuration.set('messageStore', 'F', failed);
      await bench.put('poison', 'after');
      const processor = await bench.start(forwarding, parameters);
      await until(() => bench.store.done.length === 2);
      expect(delivered).toEqual(['before1', 'before2', 'before3']);
      expect(bench.endpoint.ids).toEqual(['after']);
      const reason = 'the process crashed 3 times while this message was being processed';
      if (where === 'the fail store') {
        expect(failed.entries[0]?.message?.history).toMatchObject([{ cause: reason, sourceStore: 'S' }]);
      } else {
        const area = join(bench.services.dataDirectory, 'dead-letter', 'S');
        expect(readdirSync(area).sort()).toEqual(['poison.body', 'poison.json']);
        expect(JSON.parse(readFileSync(join(area, 'poison.json'), 'utf8'))).toMatchObject({ id: 'poison', reason });
      }
      expect(processor.status()).toMatchObject({ state: 'ACTIVE', failingMessageId: 'poison' });
      // Stored again by an operator, it gets another chance.
      await bench.put('poison');
      await until(() => bench.endpoint.ids.includes('poison'));
    },
  );

  it('is counted for all processors of a store together', async () => {
    for (const name of ['P', 'Q', 'R']) {
      bench.endpoint.react = hang('poison');
      await bench.put('poison');
      await bench.start(forwarding, {}, { name });
      await until(() => bench.endpoint.ids.includes('poison'));
      crash();
    }
    await bench.put('poison');
    const processor = await bench.start(forwarding, {}, { name: 'Z' });
    await until(() => processor.status().counters.deadLettered === 1);
  });

  it('stays when the fail store does not take it, and is quarantined after the next activation', async () => {
    for (let run = 1; run <= MAX_CRASHES; run += 1) {
      bench.endpoint.react = hang('poison');
      await bench.put('poison');
      await bench.start(forwarding);
      await until(() => bench.endpoint.ids.includes('poison'));
      crash();
    }
    const failed = new FakeStore('F');
    failed.fault = () => new StoreError('F', 'full');
    bench.configuration.set('messageStore', 'F', failed);
    await bench.put('poison', 'after');
    const processor = await bench.start(forwarding, { 'message.processor.failMessagesStore': 'F' });
    await until(() => processor.status().state === 'DEACTIVATED' && bench.store.ids.length === 2);
    failed.fault = () => undefined;
    await processor.activate('operator');
    await advanceUntil(() => bench.endpoint.ids.length === 1);
    expect([failed.ids, bench.endpoint.ids]).toEqual([['poison'], ['after']]);
  });

  it('is not one that was only waiting for its next attempt', async () => {
    for (let run = 1; run <= MAX_CRASHES + 1; run += 1) {
      bench.endpoint.react = () => 500;
      await bench.put('unlucky');
      const processor = await bench.start(forwarding, { 'client.retry.interval': '60000' });
      await until(() => processor.status().counters.failed === 1);
      crash();
    }
    await bench.put('unlucky');
    await bench.start(forwarding);
    await until(() => bench.store.done.length === 1);
    expect(bench.endpoint.ids).toEqual(['unlucky']);
  });

  it('is found by a failover processor too', async () => {
    for (let run = 1; run <= MAX_CRASHES; run += 1) {
      const target = new FakeStore('T');
      target.put = () => new Promise(() => undefined);
      bench.configuration.set('messageStore', 'T', target);
      await bench.put('poison');
      await bench.start(failover, { 'message.target.store.name': 'T' });
      await until(() => bench.store.unsettled === 1);
      await settled();
      crash();
    }
    const target = new FakeStore('T');
    bench.configuration.set('messageStore', 'T', target);
    await bench.put('poison', 'b');
    const processor = await bench.start(failover, { 'message.target.store.name': 'T', interval: '0' });
    await until(() => target.ids.length === 1);
    expect([target.ids, processor.status().counters.deadLettered]).toEqual([['b'], 1]);
  });
});
