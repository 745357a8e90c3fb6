import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TransportHeaders } from '../../src/message/headers.ts';

type Change = { readonly kind: 'set' | 'add' | 'delete'; readonly name: string; readonly value: string };

/** What the class promises, in the plainest way. */
class Model {
  entries: Array<{ key: string; name: string; values: string[] }> = [];

  apply({ kind, name, value }: Change): void {
    const key = name.toLowerCase();
    const found = this.entries.find((entry) => entry.key === key);
    if (kind === 'delete') this.entries = this.entries.filter((entry) => entry !== found);
    else if (!found) this.entries.push({ key, name, values: [value] });
    else if (kind === 'add') found.values.push(value);
    else found.values = [value];
  }

  get pairs(): string[][] {
    return this.entries.flatMap(({ name, values }) => values.map((value) => [name, value]));
  }
}

/** Few names, so that they meet, or so many that they are looked up in an index. */
function changes(names: number): fc.Arbitrary<Change[]> {
  const name = fc
    .tuple(fc.nat(names - 1), fc.boolean())
    .map(([number, upper]) => (upper ? `X-NAME-${number}` : `x-name-${number}`));
  const change = fc.record({ kind: fc.constantFrom('set', 'add', 'add', 'delete'), name, value: fc.string() });
  return fc.array(change as fc.Arbitrary<Change>, { maxLength: 2 * names });
}

function visited(headers: TransportHeaders): string[][] {
  const seen: string[][] = [];
  headers.forEach((name, value, key) => {
    expect(key).toBe(name.toLowerCase());
    seen.push([name, value]);
  });
  return seen;
}

describe('transport headers', () => {
  it.each([4, 80, 200])('keep order, case and values, with up to %i names', (names) => {
    fc.assert(
      fc.property(changes(names), (list) => {
        const headers = new TransportHeaders();
        const model = new Model();
        for (const change of list) {
          if (change.kind === 'delete') headers.delete(change.name);
          else headers[change.kind](change.name, change.value);
          model.apply(change);
          const known = model.entries.find(({ key }) => key === change.name.toLowerCase());
          expect(headers.get(change.name.toUpperCase())).toBe(known?.values[0]);
          expect(headers.has(change.name)).toBe(known !== undefined);
        }
        expect([...headers.pairs()]).toEqual(model.pairs);
        expect(visited(headers)).toEqual(model.pairs);
        expect(headers.size).toBe(model.entries.length);
      }),
      { numRuns: 100 },
    );
  });

  it('copies know nothing of each other', () => {
    const first = TransportHeaders.from([
      ['A', '1'],
      ['B', '1'],
      ['b', '2'],
    ]);
    const copy = first.clone();
    copy.add('a', '2');
    copy.add('b', '3');
    first.add('B', '4');
    first.set('A', '0');
    expect([...first.pairs()].join(' ')).toBe('A,0 B,1 B,2 B,4');
    expect([...copy.pairs()].join(' ')).toBe('A,1 A,2 B,1 B,2 B,3');
  });

  it('a copy leaves out what it is told, by the name in lower case', () => {
    const headers = TransportHeaders.from([
      ['Date', 'today'],
      ['Via', 'a'],
      ['VIA', 'b'],
      ['Accept', '*/*'],
    ]);
    expect([...headers.without((key) => key === 'via').pairs()].join(' ')).toBe('Date,today Accept,*/*');
    expect(headers.size).toBe(3);
  });

  it('every change gives another revision', () => {
    const headers = new TransportHeaders();
    const revisions = [headers.revision];
    for (const change of [
      () => headers.add('A', '1'),
      () => headers.set('A', '2'),
      () => headers.delete('A'),
      () => headers.clear(),
    ]) {
      change();
      revisions.push(headers.revision);
    }
    expect(new Set(revisions).size).toBe(revisions.length);
  });

  it('does not take long for as many names as a request may have', () => {
    const headers = new TransportHeaders();
    for (let number = 0; number < 16_000; number += 1) headers.add(`h${number}`, 'v');
    for (let number = 0; number < 16_000; number += 1) headers.add('same', 'v');
    expect([...headers.pairs()]).toHaveLength(32_000);
    expect(headers.get('H15999')).toBe('v');
  });
});
