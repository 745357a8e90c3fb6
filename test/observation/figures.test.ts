import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HISTORY_STEP_MS, StoreHistory } from '../../src/observation/history.ts';
import { EXPORTED_BOUNDS, LatencyHistogram } from '../../src/observation/latency.ts';
import { RateMeter, RateMeters } from '../../src/observation/rate-meter.ts';
import { formatTraceparent, parseTraceparent } from '../../src/observation/traceparent.ts';
import { TracingModes } from '../../src/observation/tracing-modes.ts';

describe('a latency histogram', () => {
  it('counts every value once and exports cumulative buckets', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { maxLength: 200 }), (values) => {
        const histogram = new LatencyHistogram();
        for (const ms of values) histogram.add(ms);
        const cumulative = histogram.cumulative();
        expect(histogram.count).toBe(values.length);
        expect(cumulative).toHaveLength(EXPORTED_BOUNDS.length);
        for (const [index, bound] of EXPORTED_BOUNDS.entries())
          expect(cumulative[index]).toBe(values.filter((ms) => ms / 1000 <= bound).length);
      }),
    );
  });

  it('tells percentiles to within a quarter', () => {
    const histogram = new LatencyHistogram();
    for (let ms = 1; ms <= 1000; ms += 1) histogram.add(ms);
    const { p50, p95, p99 } = histogram.percentiles() ?? { p50: 0, p95: 0, p99: 0 };
    expect(p50 / 500).toBeCloseTo(1, 0);
    expect(Math.abs(p50 - 500)).toBeLessThan(125);
    expect(Math.abs(p95 - 950)).toBeLessThan(200);
    expect(Math.abs(p99 - 990)).toBeLessThan(200);
  });

  it('forgets in its percentiles what is older than two turns, and never in its counts', () => {
    const histogram = new LatencyHistogram();
    histogram.add(10_000);
    histogram.turn();
    expect(histogram.percentiles()?.p50).toBeGreaterThan(5_000);
    histogram.turn();
    expect(histogram.percentiles()).toBeUndefined();
    histogram.add(1);
    expect(histogram.percentiles()?.p99).toBeLessThan(2);
    expect(histogram.count).toBe(2);
  });
});

describe('a rate meter', () => {
  it('means the last five seconds', () => {
    const meter = new RateMeter();
    for (let second = 0; second <= 20; second += 1) meter.sample(second * 1000, second < 10 ? 0 : (second - 10) * 7);
    expect(meter.perSecond).toBe(7);
  });

  it('works with samples that are further apart, and begins anew when the count does', () => {
    const meter = new RateMeter();
    meter.sample(0, 0);
    meter.sample(30_000, 300);
    expect(meter.perSecond).toBe(10);
    meter.sample(35_000, 5);
    expect(meter.perSecond).toBe(0);
  });

  it('is forgotten with its name', () => {
    const meters = new RateMeters();
    meters.sample(0, [['a', 0]]);
    meters.sample(1000, [['a', 3]]);
    expect(meters.perSecond('a')).toBe(3);
    meters.sample(2000, [['b', 1]]);
    expect(meters.perSecond('a')).toBe(0);
  });
});

describe('the history of a store', () => {
  it('keeps an hour of points, the oldest first', () => {
    const history = new StoreHistory();
    for (let point = 0; point < 1_000; point += 1)
      history.add({ t: point * HISTORY_STEP_MS, depth: point === 999 ? null : point, in: 1, out: 2 });
    const points = history.points(0);
    expect(points).toHaveLength(720);
    expect(points[0]).toEqual({ t: 280 * HISTORY_STEP_MS, depth: 280, in: 1, out: 2 });
    expect(points.at(-1)?.depth).toBeNull();
    expect(history.points(990 * HISTORY_STEP_MS)).toHaveLength(10);
  });
});

describe('traceparent', () => {
  const hex = (length: number) =>
    fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });

  it('is read as it is written', () => {
    fc.assert(
      fc.property(hex(32), hex(16), fc.boolean(), (traceId, spanId, sampled) => {
        fc.pre(!/^0+$/.test(traceId) && !/^0+$/.test(spanId));
        const read = parseTraceparent(formatTraceparent({ traceId, spanId, traceFlags: sampled ? 1 : 0 }));
        expect(read).toEqual({ traceId, spanId, traceFlags: sampled ? 1 : 0, isRemote: true });
      }),
    );
  });

  it.each([
    undefined,
    '',
    'nonsense',
    `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`,
    `00-${'1'.repeat(32)}-${'0'.repeat(16)}-01`,
    `ff-${'1'.repeat(32)}-${'1'.repeat(16)}-01`,
    `00-${'1'.repeat(32)}-${'1'.repeat(16)}-01-more`,
    `00-${'A'.repeat(32)}-${'1'.repeat(16)}-01`,
  ])('%s is none', (header) => {
    expect(parseTraceparent(header)).toBeUndefined();
  });
});

describe('tracing modes', () => {
  it('of an artifact win over the general one', () => {
    const modes = new TracingModes();
    expect(modes.idle).toBe(true);
    modes.set({ mode: 'on', sample: 1, bodies: true }, { kind: 'proxy', name: 'P' });
    expect(modes.idle).toBe(false);
    expect(modes.choose('proxy', 'P')?.bodies).toBe(true);
    expect(modes.choose('api', 'P')).toBeUndefined();
    modes.set({ mode: 'on', sample: 1, bodies: false });
    modes.set({ mode: 'off', sample: 1, bodies: false }, { kind: 'proxy', name: 'P' });
    expect(modes.choose('proxy', 'P')).toBeUndefined();
    modes.reset({ kind: 'proxy', name: 'P' });
    expect(modes.choose('proxy', 'P')?.mode).toBe('on');
  });

  it('sample about as many as they say', () => {
    const modes = new TracingModes({ mode: 'sampled', sample: 0.3, bodies: false });
    let chosen = 0;
    for (let n = 0; n < 10_000; n += 1) if (modes.choose('proxy', 'P')) chosen += 1;
    expect(chosen).toBeGreaterThan(2_500);
    expect(chosen).toBeLessThan(3_500);
  });
});
