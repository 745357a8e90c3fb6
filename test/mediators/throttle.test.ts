import { describe, expect, it } from 'vitest';
import { CallerCounters, ConcurrencySlots } from '../../src/mediators/limiting/throttle-counters.ts';
import { policyFor, readThrottlePolicy } from '../../src/mediators/limiting/throttle-policy.ts';
import { parseXml, type XmlElement } from '../../src/xml/index.ts';
import { FakeConfiguration, FakeExchange, message, problemLines, sequence } from '../mediation/harness.ts';

const SPACES =
  'xmlns:wsp="http://schemas.xmlsoap.org/ws/2004/09/policy" xmlns:throttle="http://www.wso2.org/products/wso2commons/throttle"';

function policyXml(callers: string, concurrent = ''): string {
  return `<wsp:Policy ${SPACES}><throttle:MediatorThrottleAssertion>${concurrent}${callers}</throttle:MediatorThrottleAssertion></wsp:Policy>`;
}

function caller(id: string, control: string, type = 'IP'): string {
  return `<wsp:Policy><throttle:ID throttle:type="${type}">${id}</throttle:ID><wsp:Policy><throttle:Control><wsp:Policy>${control}</wsp:Policy></throttle:Control></wsp:Policy></wsp:Policy>`;
}

const rate = (count: number, unit: number, prohibit = '') =>
  `<throttle:MaximumCount>${count}</throttle:MaximumCount><throttle:UnitTime>${unit}</throttle:UnitTime><throttle:ProhibitTimePeriod wsp:Optional="true">${prohibit}</throttle:ProhibitTimePeriod>`;
const allow = (value: boolean) => `<throttle:IsAllow>${value}</throttle:IsAllow>`;
const concurrent = (count: number) => `<throttle:MaximumConcurrentAccess>${count}</throttle:MaximumConcurrentAccess>`;

const read = (xml: string) => readThrottlePolicy(parseXml(xml).documentElement as XmlElement);

describe('a policy', () => {
  it('is read with all that it says', () => {
    const policy = read(
      policyXml(caller('other', rate(6, 800, '1000')) + caller('1.2.3.4', allow(true)), concurrent(10)),
    );
    expect(policy).toEqual({
      concurrent: 10,
      callers: [
        { type: 'IP', id: 'other', quota: { kind: 'rate', count: 6, unitMs: 800, prohibitMs: 1000 } },
        { type: 'IP', id: '1.2.3.4', quota: { kind: 'always' } },
      ],
    });
  });

  it('that allows callers so many requests counts them (sample 371 of WSO2)', () => {
    const quotas = [allow(true) + rate(4, 800), rate(4, 800) + allow(false)].map(
      (control) => read(policyXml(caller('other', control))).callers[0]?.quota,
    );
    expect(quotas).toEqual([{ kind: 'rate', count: 4, unitMs: 800, prohibitMs: 0 }, { kind: 'never' }]);
  });

  it.each([
    ['<wsp:Policy/>', 'there is no MediatorThrottleAssertion'],
    [policyXml(caller('other', rate(6, 800), 'PLANET')), "the type of an ID is 'PLANET'"],
    [policyXml(caller('other', '')), 'has neither MaximumCount and UnitTime nor IsAllow'],
    [
      policyXml('', '<throttle:MaximumConcurrentAccess>some</throttle:MaximumConcurrentAccess>'),
      "is 'some', which is no number",
    ],
  ])('must make sense: %s', (xml, text) => {
    expect(() => read(xml.replace('<wsp:Policy/>', `<wsp:Policy ${SPACES}/>`))).toThrow(
      'Error was occurred during throttle policy processing  ',
    );
    expect(() => read(xml.replace('<wsp:Policy/>', `<wsp:Policy ${SPACES}/>`))).toThrow(text);
  });

  it('finds the caller: domain first, exact, by range, by prefix, else other', () => {
    const policy = read(
      policyXml(
        ['10.0.0.1-10.0.0.9', '10.1.*', '9.9.9.9', 'other'].map((id) => caller(id, allow(true))).join('') +
          caller('example.com', allow(false), 'DOMAIN'),
      ),
    );
    const of = (ip: string, domain?: string) => policyFor(policy, { ip, domain })?.id;
    expect(of('10.0.0.5')).toBe('10.0.0.1-10.0.0.9');
    expect(of('10.0.0.10')).toBe('other');
    expect(of('10.1.2.3')).toBe('10.1.*');
    expect(of('9.9.9.9')).toBe('9.9.9.9');
    expect(of('9.9.9.9', 'example.com')).toBe('example.com');
    expect(policyFor(read(policyXml(caller('1.1.1.1', allow(true)))), { ip: '2.2.2.2', domain: undefined })).toBe(
      undefined,
    );
  });
});

describe('counting', () => {
  it('allows so many in a window, and denies to its end', () => {
    let now = 0;
    const counters = new CallerCounters(() => now);
    const quota = { kind: 'rate', count: 2, unitMs: 100, prohibitMs: 0 } as const;
    const admit = () => counters.admit('a', quota);
    expect([admit(), admit(), admit()]).toEqual([true, true, false]);
    now = 99;
    expect(admit()).toBe(false);
    expect(counters.admit('b', quota)).toBe(true);
    now = 100;
    expect([admit(), admit(), admit()]).toEqual([true, true, false]);
  });

  it('denies for the time that is prohibited', () => {
    let now = 0;
    const counters = new CallerCounters(() => now);
    const admit = () => counters.admit('a', { kind: 'rate', count: 1, unitMs: 100, prohibitMs: 500 });
    expect([admit(), admit()]).toEqual([true, false]);
    now = 499;
    expect(admit()).toBe(false);
    now = 500;
    expect([admit(), admit()]).toEqual([true, false]);
  });

  it('gives a slot back once', () => {
    const slots = new ConcurrencySlots();
    const first = slots.take(1);
    expect(slots.take(1)).toBe(undefined);
    first?.();
    first?.();
    expect(slots.take(1)).toBeTypeOf('function');
    expect(slots.take(1)).toBe(undefined);
  });
});

describe('the mediator', () => {
  const MARK = (name: string) => `<property name="${name}" value="1"/>`;
  const throttled = (policy: string, inside = '', attributes = '') =>
    sequence(`<throttle id="A" ${attributes}><policy>${policy}</policy>${inside}</throttle>${MARK('after')}`);

  function request(configuration = new FakeConfiguration()) {
    const one = message({ configuration });
    one.axis2.set('REMOTE_ADDR', '1.2.3.4');
    return one;
  }

  const ONE = policyXml(caller('other', rate(1, 60_000)));

  it('goes on within the quota and stops beyond it', async () => {
    const steps = throttled(ONE);
    const [first, second] = [request(), request()];
    expect([await steps.mediate(first), await steps.mediate(second)]).toEqual([true, false]);
    expect([first.properties.has('after'), second.properties.has('after')]).toEqual([true, false]);
  });

  it('counts each caller by itself (MREQ-38)', async () => {
    const steps = throttled(ONE);
    const other = request();
    other.headers.set('X-Forwarded-For', '9.9.9.9, 1.2.3.4');
    expect([await steps.mediate(request()), await steps.mediate(other)]).toEqual([true, true]);
  });

  it('runs what is for accepted and for rejected requests, inside or by name', async () => {
    const inside = `<onAccept>${MARK('yes')}</onAccept><onReject>${MARK('no')}</onReject>`;
    const configuration = new FakeConfiguration({ sequence: { y: sequence(MARK('yes')), n: sequence(MARK('no')) } });
    for (const steps of [throttled(ONE, inside), throttled(ONE, '', 'onAccept="y" onReject="n"')]) {
      const [first, second] = [request(configuration), request(configuration)];
      expect([await steps.mediate(first), await steps.mediate(second)]).toEqual([true, true]);
      expect([first.properties.has('yes'), second.properties.has('no')]).toEqual([true, true]);
    }
    const missing = throttled(ONE, '', 'onAccept="gone"');
    expect(() => missing.mediate(request())).toThrow('Unable to find onAccept sequence with key : gone');
  });

  it('lets responses pass', async () => {
    const steps = throttled(policyXml(caller('other', allow(false))));
    const response = request();
    response.direction = 'response';
    expect([await steps.mediate(response), await steps.mediate(request())]).toEqual([true, false]);
  });

  it('gives the slot back when the client has its answer', async () => {
    const steps = throttled(policyXml('', concurrent(1)));
    const listeners: Array<() => void> = [];
    const exchange = Object.assign(new FakeExchange(), { onEnd: (listener: () => void) => listeners.push(listener) });
    const first = request();
    first.exchange = exchange;
    expect(await steps.mediate(first)).toBe(true);
    expect(first.properties.get('synapse.is.concurrent.access.allowed')).toBe(true);
    expect(await steps.mediate(request())).toBe(false);
    for (const listener of listeners) listener();
    expect(await steps.mediate(request())).toBe(true);
  });

  it('finds its policy by key, and fails where there is none or a broken one', () => {
    const xml = parseXml(ONE).documentElement as XmlElement;
    const entries = {
      good: { key: 'good', text: '', xml },
      broken: { key: 'broken', text: '', xml: parseXml('<a/>').documentElement as XmlElement },
    };
    const configuration = new FakeConfiguration({ localEntry: entries });
    const keyed = (key: string) => sequence(`<throttle id="A"><policy key="${key}"/></throttle>`);
    expect(keyed('good').mediate(request(configuration))).toBe(true);
    expect(() => keyed('gone').mediate(request(configuration))).toThrow(
      'Cannot find throttling policy using key : gone',
    );
    expect(() => keyed('broken').mediate(request(configuration))).toThrow('throttle policy processing');
  });

  it('does nothing without a policy, as in the response path', async () => {
    expect(await sequence('<throttle id="A"/>').mediate(request())).toBe(true);
  });

  it('says what is wrong at deployment', () => {
    expect(problemLines('<throttle/>')).toEqual(['error: Idy attribute must have defined ']);
    expect(problemLines('<throttle id="A"><policy key=""/></throttle>')).toEqual([
      'error: key attribute should have a value ',
    ]);
    expect(problemLines(`<throttle id="A"><policy><wsp:Policy ${SPACES}/></policy></throttle>`)[0]).toContain(
      'warning: Error was occurred during throttle policy processing',
    );
  });
});
