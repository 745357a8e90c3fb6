import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DedupWindow, type RememberedId } from '../../../src/stores/dedup/window.ts';

/** The same, in the plainest way. */
class PlainWindow {
  ids: RememberedId[] = [];
  maxIds: number;

  constructor(maxIds: number) {
    this.maxIds = maxIds;
  }

  find(key: string, now: number): RememberedId | undefined {
    return this.ids.find((id) => id.key === key && id.until > now);
  }

  add(added: RememberedId, now: number): void {
    while (this.ids[0] && this.ids[0].until <= now) this.ids.shift();
    this.ids = [...this.ids.filter(({ key }) => key !== added.key), added];
    while (this.ids.length > this.maxIds) this.ids.shift();
  }
}

describe('the window of remembered ids', () => {
  it('knows what is in it, and never more than it may (property)', () => {
    const step = fc.record({
      key: fc.integer({ min: 0, max: 30 }).map(String),
      after: fc.integer({ min: 0, max: 20 }),
      window: fc.integer({ min: 1, max: 100 }),
    });
    const plan = fc.record({ maxIds: fc.integer({ min: 1, max: 20 }), steps: fc.array(step, { maxLength: 300 }) });
    fc.assert(
      fc.property(plan, ({ maxIds, steps }) => {
        const window = new DedupWindow<RememberedId>(maxIds);
        const plain = new PlainWindow(maxIds);
        let now = 0;
        const live = new Set<RememberedId>();
        for (const [index, { key, after, window: length }] of steps.entries()) {
          now += after;
          expect(window.find(key, now)).toBe(plain.find(key, now));
          const id = { key, messageId: `m${index}`, until: now + length };
          live.add(id);
          // Each that is forgotten is told once, and was there.
          for (const gone of window.add(id, now)) expect(live.delete(gone)).toBe(true);
          plain.add(id, now);
          expect(window.size).toBe(live.size);
          expect(window.size).toBeLessThanOrEqual(maxIds);
          expect(window.find(key, now)).toBe(id);
        }
        for (let key = 0; key <= 30; key += 1) {
          expect(window.find(String(key), now)).toBe(plain.find(String(key), now));
        }
      }),
    );
  });

  it('takes no more memory for an id that comes again and again behind one that lives long', () => {
    const window = new DedupWindow<RememberedId>(10);
    window.add({ key: 'long', messageId: 'long', until: 1e9 }, 0);
    for (let now = 1; now < 50_000; now += 1) window.add({ key: 'again', messageId: `m${now}`, until: now + 1 }, now);
    expect(window.size).toBe(2);
    expect(window.find('long', 50_000)?.messageId).toBe('long');
    expect(window.find('again', 49_999)?.messageId).toBe('m49999');
  });

  it('forgets the oldest when its bound becomes smaller', () => {
    const window = new DedupWindow<RememberedId>(100);
    for (let index = 0; index < 100; index += 1) window.add({ key: `${index}`, messageId: 'm', until: 1_000 }, 0);
    window.maxIds = 10;
    expect(window.add({ key: 'new', messageId: 'm', until: 1_000 }, 0)).toHaveLength(91);
    expect(window.find('90', 0)).toBeUndefined();
    expect(window.find('91', 0)).toBeDefined();
  });
});
