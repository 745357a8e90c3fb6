import { appendFile, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { Journal } from '../../../src/stores/journal/journal.ts';
import { HEADER_BYTES, SEGMENT_HEADER_BYTES } from '../../../src/stores/journal/record.ts';
import type { JournalPlace } from '../../../src/stores/journal/segment.ts';
import { Folders } from '../in-memory-stores.ts';

const folders = new Folders();
const opened: Journal[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((journal) => journal.close()));
  await folders.removeAll();
});

/** What a journal holds: text -> place, in the order of the sequences. */
type Content = Map<string, JournalPlace>;

async function open(folder: string, segmentBytes = 1024): Promise<{ journal: Journal; content: Content }> {
  const found: Array<[string, JournalPlace]> = [];
  const journal = await Journal.open({
    folder,
    segmentBytes,
    onMessage: (place, bytes) => found.push([bytes.toString(), place]),
  });
  opened.push(journal);
  found.sort(([, one], [, other]) => one.sequence - other.sequence);
  expect(new Set(found.map(([text]) => text)).size, 'no message twice').toBe(found.length);
  return { journal, content: new Map(found) };
}

async function segments(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.log'));
  return names.sort().map((name) => join(folder, name));
}

async function bytesOnDisk(folder: string): Promise<number> {
  // The journal tidies up by itself: a segment may go while they are counted.
  const sizes = await Promise.all(
    (await segments(folder)).map((path) =>
      stat(path).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

let made = 0;
function text(length: number): string {
  made += 1;
  return `${made}:${'x'.repeat(length)}`;
}

async function append(journal: Journal, content: Content, length: number): Promise<void> {
  const message = text(length);
  content.set(message, await journal.append(Buffer.from(message)));
}

async function remove(journal: Journal, content: Content, index: number): Promise<void> {
  const [message, place] = [...content][index % content.size] ?? [];
  if (message === undefined || !place) return;
  content.delete(message);
  await journal.remove(place);
}

type Step =
  | { do: 'append'; amount: number }
  | { do: 'remove'; amount: number }
  | { do: 'many'; amount: number }
  | { do: 'reopen'; tail: Uint8Array; partial: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('append' as const), amount: fc.nat(400) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('remove' as const), amount: fc.nat(1000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('many' as const), amount: fc.nat(30) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('reopen' as const),
      tail: fc.uint8Array({ maxLength: 40 }),
      partial: fc.double({ min: 0, max: 0.99, noNaN: true }),
    }),
  },
);

describe('the journal', () => {
  test('holds what was put and not removed, in order, over any restarts and unfinished writes', {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const folder = await folders.make();
        let { journal, content } = await open(folder);
        for (const each of steps) {
          if (each.do === 'append') await append(journal, content, each.amount);
          else if (each.do === 'remove') await remove(journal, content, each.amount);
          else if (each.do === 'many') {
            const { journal: to, content: into } = { journal, content };
            await Promise.all(Array.from({ length: each.amount }, () => append(to, into, 20)));
          } else {
            const expected = [...content.keys()];
            await journal.close();
            await leaveUnfinished(folder, each.tail, each.partial);
            ({ journal, content } = await open(folder));
            expect([...content.keys()]).toEqual(expected);
          }
        }
        const live = [...content.values()].reduce((sum, { bytes }) => sum + bytes, 0);
        // Twice what is needed and four segments, and one that is being written.
        expect(await bytesOnDisk(folder)).toBeLessThanOrEqual(2 * live + 4 * 1024 + 2048 + 32 * SEGMENT_HEADER_BYTES);
        await journal.close();
      }),
      { numRuns: 60 },
    );
  });

  /** As a crash in the middle of a write does: the beginning of a record, or anything at all. */
  async function leaveUnfinished(folder: string, tail: Uint8Array, partial: number): Promise<void> {
    const last = (await segments(folder)).at(-1);
    if (last === undefined) return;
    const bytes = await readFile(last);
    const record = bytes.subarray(SEGMENT_HEADER_BYTES);
    await appendFile(
      last,
      record.length > HEADER_BYTES ? record.subarray(0, Math.floor(HEADER_BYTES * partial)) : tail,
    );
  }

  test('cut off anywhere, it holds what it held at some time before', { timeout: 120_000 }, async () => {
    const operation = fc.record({ remove: fc.boolean(), amount: fc.nat(100) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { minLength: 1, maxLength: 25 }),
        fc.nat(10_000),
        async (operations, cut) => {
          const folder = await folders.make();
          const { journal, content } = await open(folder, 1024 * 1024);
          await append(journal, content, 1);
          const states = [[], [...content.keys()]];
          for (const { remove: removes, amount } of operations) {
            if (removes) await remove(journal, content, amount);
            else await append(journal, content, amount);
            states.push([...content.keys()]);
          }
          await journal.close();
          const [file = ''] = await segments(folder);
          const { size } = await stat(file);
          await truncate(file, size - (cut % size));
          const { content: found, journal: again } = await open(folder);
          expect(states).toContainEqual([...found.keys()]);
          expect(again.report.damage).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('one damaged byte costs one record at most, is reported, and the file is kept aside', {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(100_000), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const folder = await folders.make();
        const { journal, content } = await open(folder, 1024 * 1024);
        for (let count = 0; count < 12; count += 1) await append(journal, content, 30 + count);
        for (let count = 0; count < 4; count += 1) await remove(journal, content, count);
        await journal.close();
        const [file = ''] = await segments(folder);
        const bytes = await readFile(file);
        const offset = SEGMENT_HEADER_BYTES + (at % (bytes.length - SEGMENT_HEADER_BYTES));
        bytes[offset] = (bytes[offset] ?? 0) ^ change;
        await writeFile(file, bytes);
        const { journal: again, content: found } = await open(folder);
        const missing = [...content.keys()].filter((key) => !found.has(key));
        const extra = [...found.keys()].filter((key) => !content.has(key));
        expect(missing.length + extra.length).toBeLessThanOrEqual(1);
        expect(again.report.damage.length > 0 || again.report.tornBytes > 0).toBe(true);
        for (const place of found.values()) await again.remove(place);
        await again.append(Buffer.from('more'));
        await again.close();
        if (again.report.damage.length > 0) expect(await readdir(folder)).toContain('000000000001.log.damaged');
      }),
      { numRuns: 60 },
    );
  });

  test('a record inside of a message is never taken for one of its own', async () => {
    const folder = await folders.make();
    const { journal } = await open(folder, 1024 * 1024);
    await journal.append(Buffer.from('one'));
    await journal.close();
    const [file = ''] = await segments(folder);
    const stolen = (await readFile(file)).subarray(SEGMENT_HEADER_BYTES);

    const other = await folders.make();
    const { journal: victim } = await open(other, 1024 * 1024);
    await victim.append(Buffer.concat([Buffer.from('before '), stolen]));
    await victim.close();
    const [target = ''] = await segments(other);
    const bytes = await readFile(target);
    bytes[SEGMENT_HEADER_BYTES + 4] = (bytes[SEGMENT_HEADER_BYTES + 4] ?? 0) ^ 1;
    await writeFile(target, bytes);
    const { content } = await open(other);
    expect([...content.keys()]).toEqual([]);
  });

  test('one message that stays does not keep everything else on the disk', async () => {
    const folder = await folders.make();
    const { journal, content } = await open(folder);
    await append(journal, content, 100);
    const [stays = ''] = content.keys();
    for (let count = 0; count < 400; count += 1) {
      await append(journal, content, 100);
      await remove(journal, content, 1);
    }
    expect(await bytesOnDisk(folder)).toBeLessThan(8 * 1024);
    await journal.close();
    expect([...(await open(folder)).content.keys()]).toEqual([stays]);
  });

  test('what is put at once is written together', async () => {
    const folder = await folders.make();
    const { journal, content } = await open(folder, 1024 * 1024);
    await Promise.all(Array.from({ length: 300 }, () => append(journal, content, 10)));
    const sequences = [...content.values()].map(({ sequence }) => sequence);
    expect(sequences).toEqual([...sequences].sort((one, next) => one - next));
    await journal.close();
    expect((await open(folder)).content.size).toBe(300);
  });

  test('refuses to write after close', async () => {
    const { journal, content } = await open(await folders.make());
    await append(journal, content, 1);
    await journal.close();
    await journal.close();
    await expect(journal.append(Buffer.from('x'))).rejects.toThrow(/closed/);
  });
});
