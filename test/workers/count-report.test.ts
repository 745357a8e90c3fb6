import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Snapshot } from '../../src/deployment/snapshot.ts';
import { EndpointCounts } from '../../src/observation/counts.ts';
import { LatencyHistogram } from '../../src/observation/latency.ts';
import { Observation } from '../../src/observation/observation.ts';
import { CountIndex, CountReport, TakerCounts } from '../../src/workers/count-report.ts';

/** A worker with one named endpoint. */
function worker(hash = 'abc') {
  const counts = new EndpointCounts();
  const content = { kind: 'http', name: 'Back', counts };
  const artifact = { kind: 'endpoint', name: 'Back', hash, content };
  const snapshot = {
    version: 1,
    artifacts: [{ key: 'endpoint/Back', path: 'back.xml', artifact, running: content }],
    find: () => undefined,
  } as unknown as Snapshot;
  const observation = new Observation({ snapshot: () => snapshot });
  const report = new CountReport(observation, () => snapshot);
  const index = new CountIndex(observation, () => snapshot);
  const proxy = observation.flows.countsOf('proxy', 'Orders');
  return { observation, counts, proxy, total: observation.flows.total, report, index };
}

/** As it goes over the wire. */
function told(report: CountReport): ReturnType<CountReport['rows']> {
  return JSON.parse(JSON.stringify(report.rows()));
}

it('adds what takers have counted to what the owner has counted, whenever they report', () => {
  const happening = fc.record({
    taker: fc.nat({ max: 1 }),
    what: fc.constantFrom('begin', 'end', 'fail', 'send', 'drop', 'report'),
    ms: fc.nat({ max: 5_000 }),
  });
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 60 }), (happenings) => {
      const owner = worker();
      const takers = [worker(), worker()];
      const sums = takers.map(() => new TakerCounts(owner.index));
      const expected = { requests: 0, errors: 0, inFlight: 0, sent: 0, dropped: 0, latencies: new LatencyHistogram() };
      owner.proxy.requests = 5;
      for (const { taker: number, what, ms } of happenings) {
        const taker = takers[number] as (typeof takers)[number];
        if (what === 'begin') {
          taker.proxy.requests += 1;
          taker.proxy.inFlight += 1;
          expected.requests += 1;
          expected.inFlight += 1;
        } else if ((what === 'end' || what === 'fail') && taker.proxy.inFlight > 0) {
          taker.proxy.inFlight -= 1;
          taker.proxy.latency.add(ms);
          expected.inFlight -= 1;
          expected.latencies.add(ms);
          if (what === 'fail') taker.proxy.errors += 1;
          if (what === 'fail') expected.errors += 1;
        } else if (what === 'send') {
          taker.counts.requests += 1;
          expected.sent += 1;
        } else if (what === 'drop') {
          taker.observation.dropped('drop');
          expected.dropped += 1;
        } else sums[number]?.add(told(taker.report));
      }
      for (const [number, sum] of sums.entries()) sum.add(told((takers[number] as (typeof takers)[number]).report));
      expect(owner.proxy).toMatchObject({
        requests: 5 + expected.requests,
        errors: expected.errors,
        inFlight: expected.inFlight,
      });
      expect(owner.proxy.latency.buckets()).toEqual(expected.latencies.buckets());
      expect(owner.proxy.latency.sum).toBeCloseTo(expected.latencies.sum, 6);
      expect(owner.counts.requests).toBe(expected.sent);
      expect(owner.observation.discarded.get('drop') ?? 0).toBe(expected.dropped);
      for (const sum of sums) sum.end();
      expect([owner.proxy.inFlight, owner.proxy.requests]).toEqual([0, 5 + expected.requests]);
    }),
  );
});

it('tells nothing while nothing happens, and all that is in flight to another owner', () => {
  const taker = worker();
  taker.proxy.inFlight = 2;
  taker.proxy.requests = 2;
  expect(taker.report.rows().map(({ key }) => key)).toEqual(['entry/proxy/Orders']);
  expect(taker.report.rows()).toEqual([]);
  taker.report.connected();
  expect(taker.report.rows()).toEqual([{ key: 'entry/proxy/Orders', grown: {}, inFlight: 2 }]);
});

it('adds nothing to another version of an artifact', () => {
  const [owner, taker] = [worker('new'), worker('old')];
  taker.counts.requests = 3;
  new TakerCounts(owner.index).add(told(taker.report));
  expect(owner.counts.requests).toBe(0);
});
