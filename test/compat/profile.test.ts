import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { COMPAT_PROFILES, type CompatProfile, PROFILES } from '../../src/compat/profile.ts';
import { readConfiguration } from '../../src/config/config.ts';
import { builtInSequences } from '../../src/mediation/read-sequence.ts';
import { MediationError } from '../../src/message/errors.ts';
import { forwarding } from '../../src/processors/forwarding.ts';
import {
  endpoint,
  FakeConfiguration,
  FakeExchange,
  logged,
  message,
  response,
  sequence,
} from '../mediation/harness.ts';
import { advanceUntil, Bench, FakeStore, fakeTime } from '../processors/harness.ts';
import { type InProcess, inOnly, serve } from '../support/in-process.ts';

function profiled(profile: CompatProfile, globalTimeoutMs = 60_000): FakeConfiguration {
  const configuration = new FakeConfiguration({}, globalTimeoutMs);
  Object.assign(configuration.services, { compat: PROFILES[profile] });
  return configuration;
}

let running: InProcess | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

const toml = (profile: CompatProfile) => `[synapse]\ncompat.profile = "${profile}"\n`;

/** What one row of the specification's table is in each profile. */
interface Row {
  readonly row: string;
  readonly observe: (profile: CompatProfile) => Promise<unknown> | unknown;
  readonly wso2: unknown;
  readonly apache: unknown;
}

const ROWS: readonly Row[] = [
  {
    row: 'the global timeout',
    observe: (profile) => configured(toml(profile)).globalTimeoutMs,
    wso2: 120_000,
    apache: 86_400_000,
  },
  {
    row: 'a responseAction without a duration',
    observe: timeoutOfAction,
    wso2: 60_000,
    apache: 30_000,
  },
  {
    row: 'the prefix of log lines',
    observe: (profile) => logLine(profile, '<log level="custom"><property name="a" value="1"/></log>'),
    wso2: '{proxy:P} a = 1',
    apache: 'a = 1',
  },
  {
    row: 'escapes in the separator of log lines',
    observe: async (profile) => {
      const properties = '<property name="a" value="1"/><property name="b" value="2"/>';
      return (await logLine(profile, `<log level="custom" separator="\\n">${properties}</log>`)).replace(
        '{proxy:P} ',
        '',
      );
    },
    wso2: 'a = 1\nb = 2',
    apache: 'a = 1\\nb = 2',
  },
  {
    row: 'a proxy without a fault sequence',
    observe: async (profile) => {
      running = await serve({ p: inOnly('P', '<throwError type="T" errorMessage="oh"/>') }, toml(profile));
      await fetch(running.service('P'), { method: 'POST', body: '<x/>' });
      const line = await running.logged(/Executing default 'fault' sequence|no fault handler found/);
      return /no fault handler found - message dropped/.test(line) ? 'dropped' : 'fault';
    },
    wso2: 'fault',
    apache: 'dropped',
  },
  {
    row: 'main, for what no proxy takes',
    observe: async (profile) => {
      running = await serve({}, toml(profile));
      return (await fetch(running.url('/nobody'), { method: 'POST', body: '<x/>' })).status;
    },
    wso2: 404,
    apache: 202,
  },
  {
    row: 'main, for what is addressed to the sample back end',
    observe: async (profile) => {
      const configuration = profiled(profile);
      configuration.sender.answer = () => response(200, '<ok/>', [['Content-Type', 'application/xml']]);
      const main = builtInSequences(profile).find(({ name }) => name === 'main');
      const exchange = new FakeExchange();
      const context = message({ configuration, exchange, body: '<x/>', to: 'http://localhost:9000/services/S' });
      await main?.mediate(context);
      await exchange.settled();
      return configuration.sender.requests.map(({ url }) => url);
    },
    wso2: [],
    apache: ['http://localhost:9000/services/S'],
  },
  {
    row: 'the address in lines about the state of an endpoint',
    observe: async (profile) => {
      const configuration = profiled(profile);
      configuration.sender.answer = () => Promise.reject(new MediationError('refused', { code: 101503 }));
      const target = endpoint('<endpoint name="E"><address uri="http://b/s"/></endpoint>');
      const records = await logged(() => target.send(message({ configuration, body: '<x/>' })).catch(() => undefined));
      return records.find(({ message: text }) => text.includes('SUSPENDED'))?.message;
    },
    wso2: 'Endpoint : E with address http://b/s will be marked SUSPENDED as it failed',
    apache: 'Endpoint : E will be marked SUSPENDED as it failed',
  },
  {
    row: 'the name of an endpoint without one',
    observe: async (profile) => {
      const configuration = profiled(profile);
      const names = [0, 1].map(async (which) => {
        const target = which === 0 ? ANONYMOUS : endpoint('<endpoint><address uri="http://b/s"/></endpoint>');
        const context = message({ configuration, body: '<x/>' });
        await target.send(context);
        await target.send(context);
        return String(context.properties.get('last_endpoint'));
      });
      const [first = '', second = ''] = await Promise.all(names);
      return [first === second, first.replace(/_[0-9a-f-]{36}$/, '_<uuid>')];
    },
    wso2: [true, 'AnonymousEndpoint'],
    apache: [false, 'endpoint_<uuid>'],
  },
  {
    row: 'a group without a name',
    observe: async (profile) => {
      const configuration = profiled(profile);
      configuration.sender.answer = () => Promise.reject(new MediationError('refused', { code: 101503 }));
      const group = endpoint(
        '<endpoint><failover><endpoint name="E"><address uri="http://b/s"/></endpoint></failover></endpoint>',
      );
      const sent = group.send(message({ configuration, body: '<x/>' }));
      const text = await sent.then(
        () => '',
        (error: Error) => error.message,
      );
      return text.replace(/_[0-9a-f-]{36}/, '_<uuid>');
    },
    wso2: 'Failover endpoint : AnonymousEndpoint - no ready child endpoints',
    apache: 'Failover endpoint : endpoint_<uuid> - no ready child endpoints',
  },
  {
    row: 'an error status for a forwarding processor, no code being listed (spec stores 4.14)',
    observe: (profile) => forwarded(profile, { 'max.delivery.attempts': '1' }),
    wso2: 'failed',
    apache: 'delivered',
  },
  {
    row: 'an error status that is listed to be tried again',
    observe: (profile) => forwarded(profile, { 'max.deliver.attempts': '1', 'retry.http.status.codes': '500' }),
    wso2: 'failed',
    apache: 'failed',
  },
  {
    row: 'both spellings of a parameter (spec stores 1.3)',
    observe: (profile) => {
      const written = { 'max.delivery.attempts': '7', 'max.deliver.attempts': '3', 'retry.http.status.codes': '500' };
      return forwarded(profile, { ...written, 'client.retry.interval': '0', 'retry.interval': '0' }, true);
    },
    wso2: 7,
    apache: 3,
  },
];

const ANONYMOUS = endpoint('<endpoint><address uri="http://a/s"/></endpoint>');

/** What a forwarding processor makes of a back end that answers 500; or how often it asks it. */
async function forwarded(profile: CompatProfile, parameters: Record<string, string>, count = false): Promise<unknown> {
  fakeTime();
  const bench = new Bench({ profile });
  try {
    bench.endpoint.react = () => 500;
    const failed = new FakeStore('F');
    bench.configuration.set('messageStore', 'F', failed);
    await bench.put('m');
    await bench.start(forwarding, { ...parameters, 'message.processor.failMessagesStore': 'F' });
    await advanceUntil(() => bench.store.done.length === 1, 'the end of the message');
    if (count) return bench.endpoint.calls.length;
    return failed.ids.length === 1 ? 'failed' : 'delivered';
  } finally {
    await bench.close();
  }
}

async function logLine(profile: CompatProfile, mediators: string): Promise<string> {
  const context = message({ configuration: profiled(profile) });
  context.properties.set('ARTIFACT_NAME', 'proxyP');
  const records = await logged(() => sequence(mediators).mediate(context));
  return records[0]?.message ?? '';
}

async function timeoutOfAction(profile: CompatProfile): Promise<unknown> {
  const configuration = profiled(profile);
  const target = endpoint(
    '<endpoint><address uri="http://b/s"><timeout><responseAction>fault</responseAction></timeout></address></endpoint>',
  );
  await target.send(message({ configuration, body: '<x/>' }));
  return (configuration.sender.requests[0] as { responseTimeoutMs?: number } | undefined)?.responseTimeoutMs;
}

function configured(text: string) {
  const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-profile-'));
  try {
    const config = join(folder, 'deployment.toml');
    writeFileSync(config, text);
    return readConfiguration({ config });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe.each(ROWS)('$row', ({ observe, ...expected }) => {
  test.each(COMPAT_PROFILES)('%s', async (profile) => {
    expect(await observe(profile)).toEqual(expected[profile]);
  });
});

test('the profile is wso2 unless the configuration says otherwise, and what it says wins over the timeout of the profile', () => {
  expect(configured('').profile).toBe('wso2');
  const own = `${toml('apache')}[mediation]\n'synapse.global_timeout_interval' = 5000\n`;
  expect(configured(own)).toMatchObject({ profile: 'apache', globalTimeoutMs: 5_000 });
  expect(() => configured('[synapse]\ncompat.profile = "axis"\n')).toThrow('\'synapse.compat.profile\' is "axis"');
});
