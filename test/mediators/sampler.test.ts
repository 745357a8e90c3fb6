import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FakeConfiguration, FakeExchange, message, problemLines, sequence } from '../mediation/harness.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate'] });
});
afterEach(() => {
  vi.useRealTimers();
});

it('lets so many requests go on in a unit of time, in their order', async () => {
  const configuration = new FakeConfiguration();
  const exchange = new FakeExchange();
  const steps = sequence(
    '<sampler rate="2" unitTime="100"><target><sequence><respond/></sequence></target></sampler><property name="after" value="1"/>',
  );
  const requests = Array.from({ length: 5 }, () => message({ configuration, exchange }));
  for (const request of requests) expect(await steps.mediate(request)).toBe(false);
  expect(exchange.taken).toBe(true);
  await vi.advanceTimersByTimeAsync(0);
  const seen: number[] = [exchange.responses.length];
  for (let unit = 0; unit < 3; unit += 1) {
    await vi.advanceTimersByTimeAsync(100);
    seen.push(exchange.responses.length);
  }
  expect(seen).toEqual([2, 4, 5, 5]);
  expect(exchange.responses).toEqual(requests);
  expect(requests.some((request) => request.properties.has('after'))).toBe(false);
  await exchange.settled();
  await vi.advanceTimersByTimeAsync(300);
  expect(vi.getTimerCount()).toBe(0);
});

it('drops responses', async () => {
  const response = message();
  response.direction = 'response';
  expect(await sequence('<sampler><target sequence="s"/></sampler>').mediate(response)).toBe(false);
});

it('must have a target and a rate', () => {
  expect(problemLines('<sampler/>')).toEqual(['error: Sampler requires a target for the sampling mediation']);
  expect(problemLines('<sampler rate="fast"><target sequence="s"/></sampler>')[0]).toContain(
    'Sampling rate has to be an integer value, but found : fast',
  );
});
