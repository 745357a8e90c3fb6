import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Slab, Slabs, type Stretch } from '../../../src/stores/memory/slabs.ts';

const NOTHING = new Uint8Array(0);

function text(number: number, length = 700): Buffer {
  return Buffer.from(`<order><id>${number}</id>${'<symbol>IBM</symbol>'.repeat(40)}</order>`.slice(0, length));
}

function read({ slab, offset, length }: Stretch): string {
  return slab.bytes.toString('utf8', offset, offset + length);
}

function taken(stretches: readonly Stretch[]): number {
  const slabs = new Set<Slab>(stretches.map(({ slab }) => slab));
  return [...slabs].reduce((sum, slab) => sum + slab.taken, 0);
}

async function filled(slabs: Slabs, count: number): Promise<Stretch[]> {
  const stretches: Stretch[] = [];
  for (let number = 0; number < count; number += 1) {
    stretches.push(slabs.keep(text(number).subarray(0, 20), text(number).subarray(20)));
    // As puts come: one after the other, with others' work in between.
    if (number % 500 === 0) await slabs.settled();
  }
  await slabs.settled();
  return stretches;
}

describe('many messages that wait', () => {
  it('are compressed, and come out as they went in', async () => {
    const stretches = await filled(new Slabs(), 10_000);
    expect(taken(stretches)).toBeLessThan(2_500_000);
    for (const [number, stretch] of stretches.entries()) expect(read(stretch)).toBe(text(number).toString());
  });

  it('stay compressed when they are looked at', async () => {
    const stretches = await filled(new Slabs(), 10_000);
    const before = taken(stretches);
    for (const stretch of stretches) read(stretch);
    // Four of them are open.
    expect(taken(stretches) - before).toBeLessThanOrEqual(4 * 128 * 1024);
  });

  it('are not compressed when they are gone before', async () => {
    const slabs = new Slabs();
    const stretches: Stretch[] = [];
    for (let number = 0; number < 5_000; number += 1) {
      const stretch = slabs.keep(text(number), NOTHING);
      slabs.release(stretch);
      stretches.push(stretch);
    }
    await slabs.settled();
    expect(stretches[0]?.slab.taken).toBe(128 * 1024);
  });

  it('that cannot be made smaller stay as they are', async () => {
    const slabs = new Slabs();
    const bytes = Array.from({ length: 200 }, () => crypto.getRandomValues(new Uint8Array(10_000)));
    const stretches = bytes.map((one) => slabs.keep(one, NOTHING));
    await slabs.settled();
    for (const [number, { slab, offset, length }] of stretches.entries()) {
      expect(slab.taken).toBe(128 * 1024);
      expect(Buffer.compare(slab.bytes.subarray(offset, offset + length), bytes[number] as Uint8Array)).toBe(0);
    }
  });
});

it('whatever is kept, let go and read, what is read is what was kept', async () => {
  const action = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ keep: fc.integer({ min: 1, max: 20_000 }), times: fc.integer({ min: 1, max: 40 }) }),
    },
    { weight: 3, arbitrary: fc.record({ read: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ release: fc.nat() }) },
    { weight: 2, arbitrary: fc.constant('settle' as const) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 60 }), async (actions) => {
      const slabs = new Slabs();
      const kept: Array<{ readonly stretch: Stretch; readonly number: number; readonly length: number }> = [];
      for (const [number, act] of actions.entries()) {
        if (act === 'settle') await slabs.settled();
        else if ('keep' in act) {
          const content = Buffer.alloc(act.keep, text(number));
          for (let time = 0; time < act.times; time += 1) {
            kept.push({ stretch: slabs.keep(NOTHING, content), number, length: act.keep });
          }
        } else if ('read' in act) {
          const one = kept[act.read % kept.length];
          if (one) expect(read(one.stretch)).toBe(Buffer.alloc(one.length, text(one.number)).toString());
        } else {
          const [one] = kept.splice(act.release % (kept.length || 1), 1);
          if (one) slabs.release(one.stretch);
        }
      }
      await slabs.settled();
      for (const { stretch, number, length } of kept) {
        expect(read(stretch)).toBe(Buffer.alloc(length, text(number)).toString());
      }
    }),
    { numRuns: 60 },
  );
});
