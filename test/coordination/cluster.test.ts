import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultNodeId, isPinnedTo, leaseName, taskNames } from '../../src/coordination/cluster.ts';

describe('names in a cluster', () => {
  it('tasks have those of the reference', () => {
    expect(taskNames('Forwarder1', 2)).toEqual(['MSMP_Forwarder1_0', 'MSMP_Forwarder1_1']);
  });

  it('the places of tasks have only characters that brokers take as they are, and differ where tasks differ', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (one, other) => {
        const name = leaseName('default', `MSMP_${one}_0`);
        expect(name).toMatch(/^[A-Za-z0-9_.-]+$/);
        expect(name === leaseName('default', `MSMP_${other}_0`)).toBe(one === other);
      }),
    );
    expect(leaseName('default', 'MSMP_Forwarder 1_0')).toBe('mini-synapse.lease.default.MSMP_Forwarder.20.1_0');
    expect(leaseName('a', 'b')).not.toBe(leaseName('b', 'a'));
  });

  it('a node keeps its name with its data directory', () => {
    expect(defaultNodeId('/data/a')).toBe(defaultNodeId('/data/a'));
    expect(defaultNodeId('/data/a')).not.toBe(defaultNodeId('/data/b'));
  });

  it.each([
    [undefined, true],
    ['', true],
    ['here', true],
    ['there, here', true],
    ['there here', true],
    ['there', false],
    ['heretic', false],
  ])('pinned to %j', (list, expected) => {
    expect(isPinnedTo(list, 'here')).toBe(expected);
  });
});
