import { describe, expect, it } from 'vitest';
import { ArtifactReader } from '../../src/grammar/reader.ts';
import { ProxyService } from '../../src/mediation/proxy-service.ts';
import { readProxy } from '../../src/synapse/proxy.ts';
import { element, endpoint, FakeConfiguration, FakeExchange, logged, message, response, sequence } from './harness.ts';

const SET = (name: string) => `<property name="${name}" value="1"/>`;
const TO_B = '<endpoint><address uri="http://b/x"/></endpoint>';

function proxy(target: string, attributes = ''): ProxyService {
  const reader = new ArtifactReader();
  const definition = readProxy(element(`<proxy name="P"${attributes}>${target}</proxy>`), reader);
  if (!definition || reader.failed) throw new Error(reader.diagnostics.map((problem) => problem.message).join('; '));
  return new ProxyService(definition);
}

async function received(service: ProxyService, artifacts: ConstructorParameters<typeof FakeConfiguration>[0] = {}) {
  const configuration = new FakeConfiguration(artifacts);
  const exchange = new FakeExchange();
  const request = message({ configuration, exchange, body: '<a/>' });
  configuration.sender.answer = () => response(200, '<b/>', [['Content-Type', 'application/xml']]);
  const records = await logged(async () => {
    await service.receive(request);
    await exchange.settled();
  });
  return { configuration, exchange, request, records, names: [...request.properties.keys()] };
}

describe('a request to a proxy service', () => {
  it('knows its proxy', async () => {
    const { request } = await received(proxy('<target><inSequence/></target>'));
    expect(request.text('proxy.name')).toBe('P');
    expect(request.text('ARTIFACT_NAME')).toBe('proxyP');
    expect(request.operation.get('proxy.name')).toBe('P');
  });

  it('goes to the endpoint after the in-sequence, unless that ended the flow', async () => {
    const to = (mediators: string) => proxy(`<target><inSequence>${mediators}</inSequence>${TO_B}</target>`);
    expect((await received(to(SET('a')))).configuration.sender.requests).toHaveLength(1);
    expect((await received(to('<drop/>'))).configuration.sender.requests).toHaveLength(0);
    expect((await received(proxy(`<target>${TO_B}</target>`))).configuration.sender.requests).toHaveLength(1);
  });

  it('comes back through the out-sequence, or straight', async () => {
    const straight = await received(proxy(`<target>${TO_B}</target>`));
    expect(straight.exchange.responses).toHaveLength(1);
    const through = await received(proxy(`<target>${TO_B}<outSequence>${SET('out')}<send/></outSequence></target>`));
    expect(through.exchange.responses[0]?.text('out')).toBe('1');
    const dropped = await received(proxy(`<target>${TO_B}<outSequence/></target>`));
    expect(dropped.exchange.responses).toEqual([]);
  });

  it('keys win over what is inside', async () => {
    const service = proxy(
      `<target inSequence="in" endpoint="E"><inSequence>${SET('inline')}</inSequence>${TO_B}</target>`,
    );
    const { names, configuration } = await received(service, {
      sequence: { in: sequence(SET('keyed')) },
      endpoint: { E: endpoint('<endpoint name="E"><address uri="http://b/keyed"/></endpoint>') },
    });
    expect(names).toContain('keyed');
    expect(names).not.toContain('inline');
    expect(configuration.sender.requests.map(({ url }) => url)).toEqual(['http://b/keyed']);
  });

  it.each([
    ['<target inSequence="gone"/>', 'Unable to find in-sequence : gone'],
    ['<target endpoint="gone"/>', 'Unable to find the endpoint specified : gone'],
    [`<target outSequence="gone">${TO_B}</target>`, 'Unable to find the out-sequence specified by the name gone'],
  ])('%s fails per message', async (target, text) => {
    const { exchange } = await received(proxy(target));
    expect(exchange.failures).toMatchObject([{ message: text }]);
  });

  it('a failure runs its own fault sequence, else the one called fault, else none', async () => {
    const failing = '<inSequence><sequence key="gone"/></inSequence>';
    const artifacts = { sequence: { fault: sequence(SET('default')), mine: sequence(SET('mine')) } };
    const names = async (target: string) => (await received(proxy(target), artifacts)).names;
    expect(await names(`<target>${failing}<faultSequence>${SET('inline')}</faultSequence></target>`)).toContain(
      'inline',
    );
    expect(await names(`<target faultSequence="mine">${failing}</target>`)).toContain('mine');
    expect(await names(`<target faultSequence="gone">${failing}</target>`)).toContain('default');
    expect(await names(`<target>${failing}</target>`)).toContain('default');
    const none = await received(proxy(`<target>${failing}</target>`));
    expect(none.records.map(({ message: line }) => line)).toContainEqual(
      expect.stringContaining('Exception encountered but no fault handler found - message dropped'),
    );
  });

  it('a failure on the way back has status 500', async () => {
    const service = proxy(
      `<target>${TO_B}<outSequence><sequence key="gone"/></outSequence><faultSequence><respond/></faultSequence></target>`,
    );
    const { exchange } = await received(service);
    expect(String(exchange.responses[0]?.axis2.get('HTTP_SC'))).toBe('500');
  });
});

describe('pre-mediate', () => {
  const service = () =>
    proxy(
      `<target><inSequence>${SET('in')}</inSequence>${TO_B}<outSequence>${SET('out')}<send/></outSequence></target>`,
    );

  it('sees every request and response first', async () => {
    const { request, exchange } = await received(service(), {
      sequence: { 'pre-mediate': sequence(`<in>${SET('pre-in')}</in><out>${SET('pre-out')}</out>`) },
    });
    expect([...request.properties.keys()].indexOf('pre-in')).toBeLessThan([...request.properties.keys()].indexOf('in'));
    expect(exchange.responses[0]?.text('pre-out')).toBe('1');
  });

  it('drops what it stops', async () => {
    const { names, exchange } = await received(service(), { sequence: { 'pre-mediate': sequence('<drop/>') } });
    expect(names).not.toContain('in');
    expect(exchange).toMatchObject({ answered: false, failures: [] });
    const later = await received(service(), { sequence: { 'pre-mediate': sequence('<out><drop/></out>') } });
    expect(later.exchange.answered).toBe(false);
  });
});

it('is exposed on the transports that it names', () => {
  const target = '<target><inSequence/></target>';
  const exposed = (attributes: string) => ['http', 'https'].filter((name) => proxy(target, attributes).exposedOn(name));
  expect(exposed('')).toEqual(['http', 'https']);
  expect(exposed(' transports="all"')).toEqual(['http', 'https']);
  expect(exposed(' transports="https,http"')).toEqual(['http', 'https']);
  expect(exposed(' transports="https jms"')).toEqual(['https']);
});

it('is active unless startOnLoad says no', () => {
  const active = (word: string) => proxy('<target><inSequence/></target>', ` startOnLoad="${word}"`).active;
  expect(['true', 'TRUE', 'false', 'yes'].map(active)).toEqual([true, true, false, false]);
});
