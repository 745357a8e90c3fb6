import { describe, expect, it } from 'vitest';
import { brokerStops, reasonsOf, slowAccesses } from './stops-reasons.ts';

const at = (text: string) => Date.parse(text);

describe('stops of a store on ActiveMQ', () => {
  it('reads when and for what all threads of the broker stood still', () => {
    const log = [
      '[2026-11-23T09:24:14.314+0000] Safepoint "GenCollectForAllocation", Time since last: 1003456 ns, Reaching safepoint: 5000 ns, Cleanup: 1000 ns, At safepoint: 223994000 ns, Total: 224000000 ns',
      '[2026-11-23T10:24:15.000+0100] Safepoint "Cleanup", Time since last: 1 ns, Reaching safepoint: 5 ns, Cleanup: 1 ns, At safepoint: 94 ns, Total: 100 ns',
    ].join('\n');
    expect(brokerStops(log, 20)).toEqual([
      {
        name: 'broker stands still for GenCollectForAllocation',
        from: at('2026-11-23T09:24:14.090Z'),
        to: at('2026-11-23T09:24:14.314Z'),
      },
    ]);
    expect(brokerStops(log, 0)[1]?.to).toBe(at('2026-11-23T09:24:15.000Z'));
  });

  it('reads slow accesses of the broker to its store, in the time zone of this machine', () => {
    const lines = [
      '2026-11-23 09:24:14,314 | INFO  | Slow KahaDB access: Journal append took: 78 ms, Index update took 2 ms | org.apache.activemq.store.kahadb.MessageDatabase | ActiveMQ NIO Worker 1',
      '2026-11-23 09:24:15,000 | INFO  | Apache ActiveMQ 5.17.2 is starting | org.apache.activemq.broker.BrokerService | main',
    ];
    expect(slowAccesses(lines)).toEqual([
      {
        name: 'Slow KahaDB access: Journal append took: 78 ms, Index update took 2 ms',
        from: at('2026-11-23T09:24:14.234'),
        to: at('2026-11-23T09:24:14.314'),
      },
    ]);
  });

  it('lays each long stop beside those of the others', () => {
    const stops = [
      { name: 'bare client', from: 1_000, to: 1_090 },
      { name: 'mini-synapse', from: 1_010, to: 1_100 },
      { name: 'disk', from: 1_050, to: 1_080 },
      { name: 'mini-synapse', from: 2_000, to: 2_060 },
      { name: 'mini-synapse', from: 3_000, to: 3_049 },
    ];
    expect(reasonsOf(stops, ['mini-synapse', 'bare client'], 50)).toEqual([
      '00:00:01.000 bare client 90 ms: mini-synapse 80, disk 30',
      '00:00:01.010 mini-synapse 90 ms: bare client 80, disk 30',
      '00:00:02.000 mini-synapse 60 ms: nothing else',
    ]);
  });
});
