import { describe, expect, it } from 'vitest';
import { backOff, retryPolicy } from '../../src/processors/common-plan.ts';
import { failover } from '../../src/processors/failover.ts';
import { forwarding } from '../../src/processors/forwarding.ts';
import { findProcessorKind, PROCESSOR_KINDS, processorClassNames } from '../../src/processors/index.ts';
import { RETRY_PARAMETERS } from '../../src/processors/parameters.ts';
import { resequencing } from '../../src/processors/resequencing.ts';
import { sampling } from '../../src/processors/sampling.ts';
import { readKind } from './harness.ts';

function problems(parameters: Record<string, string>, kind = forwarding): string[] {
  return readKind(kind, parameters).reader.diagnostics.map(
    ({ severity, position, message, expected }) =>
      `${severity} ${position.line}: ${message}${expected ? ` | ${expected}` : ''}`,
  );
}

describe('class names (spec stores 1.3)', () => {
  it.each([
    ['org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor', forwarding],
    ['org.apache.synapse.message.processors.forward.ScheduledMessageForwardingProcessor', forwarding],
    ['org.apache.synapse.message.processor.impl.sampler.SamplingProcessor', sampling],
    ['org.apache.synapse.message.processors.sampler.SamplingProcessor', sampling],
    ['org.apache.synapse.message.processor.impl.failover.FailoverScheduledMessageForwardingProcessor', failover],
    ['org.apache.synapse.message.processors.resequence.ResequencingProcessor', resequencing],
    ['com.example.Own', undefined],
    ['', undefined],
  ])('%s', (className, kind) => {
    expect(findProcessorKind(className)).toBe(kind);
  });

  it('are all known for "did you mean", and every parameter is documented', () => {
    expect(processorClassNames()).toHaveLength(6);
    for (const kind of PROCESSOR_KINDS) {
      for (const [name, type] of Object.entries(kind.parameters))
        expect([name, type.doc.length > 8]).toEqual([name, true]);
    }
  });
});

describe('parameters (spec stores 4.1, REQ-02, REQ-03, REQ-60)', () => {
  it('have the defaults of the table', () => {
    expect(readKind(forwarding, {}).read).toMatchObject({
      interval: 1000,
      'member.count': 1,
      'is.active': true,
      'max.store.connection.attempts': -1,
      'store.connection.retry.interval': 1000,
      'x.message.id.header': 'X-Message-ID',
    });
  });

  it('are trimmed', () => {
    const { read, reader } = readKind(forwarding, {
      interval: '\n    250\n  ',
      'is.active': ' true ',
      'max.delivery.drop': ' Enabled\n',
    });
    expect(reader.diagnostics).toEqual([]);
    expect(read).toMatchObject({ interval: 250, 'is.active': true, 'max.delivery.drop': true });
  });

  it.each([
    ['interval', ''],
    ['interval', 'soon'],
    ['interval', '2147483648'],
    ['member.count', '0'],
    ['member.count', '1.5'],
    ['max.delivery.attempts', 'four'],
    ['client.retry.interval', '-1'],
    ['max.store.connection.attempts', 'x'],
    ['store.connection.retry.interval', ''],
    ['x.message.id.header', 'has blanks'],
    ['x.timezone', 'Europe/Berln'],
    ['x.cron.dst', 'maybe'],
    ['x.unknown', '1'],
    ['x.backoff.initial', '-1'],
    ['x.backoff.factor', '0.5'],
    ['x.backoff.factor', '1e3'],
    ['x.backoff.max', '0'],
    ['x.backoff.jitter', '1.5'],
    ['x.concurrency', '0'],
    ['x.concurrency', '101'],
    ['x.ordering.key', '//['],
  ])('%s = %j is a deployment error at its line', (name, value) => {
    const [problem, ...others] = problems({ [name]: value });
    expect(problem).toMatch(/^error 2: /);
    expect(problem).toContain(name);
    expect(others).toEqual([]);
  });

  it('a wrong cron expression is an error with its place and a fix (REQ-47)', () => {
    expect(problems({ cronExpression: '0 0 12 * * *' })[0]).toMatch(
      /^error 2: parameter 'cronExpression': CronExpression '0 0 12 \* \* \*' is invalid\. Support for specifying both .* \(.*character \d+\) \| .*write 0 0 12 \* \* \?$/,
    );
    expect(problems({ cronExpression: '0 0 12 * *' })[0]).toContain('Unexpected end of expression.');
    expect(problems({ cronExpression: '0 0 0 30 2 ?' })[0]).toContain('will never fire');
    expect(problems({ cronExpression: '' })[0]).toMatch(/^error/);
  });

  it('the cron expression is read in its time zone (OP-86)', () => {
    const at = (zone: string) => {
      const { read } = readKind(forwarding, { cronExpression: '0 0 12 1 1 ? 2050', 'x.timezone': zone });
      return (read as { cronExpression?: { next(after: number): number | undefined } }).cronExpression?.next(0);
    };
    expect(at('UTC')).toBe(Date.UTC(2050, 0, 1, 12));
    expect(at('Asia/Tokyo')).toBe(Date.UTC(2050, 0, 1, 3));
  });

  it('warns about what counts for something else than it looks', () => {
    expect(problems({ 'max.delivery.drop': 'true' })).toEqual([
      "warning 2: 'true' is read as Disabled for 'max.delivery.drop' | Enabled or Disabled",
    ]);
    expect(problems({ 'is.active': 'yes' })[0]).toMatch(/^warning 2: 'yes' is read as false/);
    expect(problems({ 'non.retry.status.codes': '404, 4O4 ,5xx,9xx' })).toHaveLength(2);
    expect(problems({ 'quartz.conf': 'q.properties' })).toEqual(["warning 2: parameter 'quartz.conf' is ignored"]);
    expect(problems({ sequence: 's', concurrency: 'many' }, sampling)[0]).toMatch(
      /^warning 3: Invalid value for concurrency switching back to default value/,
    );
  });

  it('accepts the parameters that only Java needs without a word', () => {
    const java = {
      'axis2.repo': './repository/deployment/client',
      'axis2.config': 'x.xml',
      throttle: 'false',
      'throttle.interval': '1',
      'cron.expression': '',
      'bind.processor.server': '',
    };
    expect(problems(java)).toEqual([]);
  });

  it('the longest pause is not shorter than the first one', () => {
    const [problem] = problems({ 'x.backoff.initial': '5000', 'x.backoff.max': '4000' });
    expect(problem).toBe(
      "error 3: parameter 'x.backoff.max': '4000' is less than x.backoff.initial | a number from 5000",
    );
    expect(problems({ 'x.backoff.initial': '5000', 'x.backoff.max': '5000' })).toEqual([]);
  });

  it('a back-off is what any of its parameters asks for', () => {
    const read = (parameters: Record<string, string>) =>
      backOff(readKind(forwarding, parameters).read as Parameters<typeof backOff>[0], 700);
    expect(read({})).toBeUndefined();
    expect(read({ 'x.backoff.factor': '1.5' })).toEqual({ initialMs: 700, factor: 1.5, maxMs: 300_000, jitter: 0.1 });
    expect(read({ 'x.backoff.initial': '50', 'x.backoff.max': '2000', 'x.backoff.jitter': '0' })).toEqual({
      initialMs: 50,
      factor: 2,
      maxMs: 2000,
      jitter: 0,
    });
  });

  it('a failover processor needs a target store, and not its own (REQ-23)', () => {
    expect(problems({}, failover)).toEqual([
      'error 1: parameter \'message.target.store.name\' is required | <parameter name="message.target.store.name">the name of a messageStore</parameter>',
    ]);
    expect(problems({ 'message.target.store.name': ' ' }, failover)[0]).toMatch(/^error 2: .*must not be empty/);
    expect(problems({ 'message.target.store.name': 'T' }, failover)).toEqual([]);
    const { reader } = readKind(failover, { 'message.target.store.name': 'T' });
    expect(reader.references[0]).toMatchObject({ kind: 'messageStore', name: 'T' });
    expect(
      readKind(failover, { 'message.target.store.name': 'T' }, { messageStore: 'T' }).reader.diagnostics[0]?.message,
    ).toBe("parameter 'message.target.store.name': 'T' is the store that the messages are taken from");
  });

  it('records the artifacts that it names', () => {
    const { reader } = readKind(forwarding, {
      'target.endpoint': 'E',
      'message.processor.reply.sequence': 'r',
      'message.processor.fault.sequence': '',
      'message.processor.failMessagesStore': 'F',
    });
    expect(reader.references.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual([
      'endpoint E',
      'messageStore F',
      'sequence r',
    ]);
    expect(readKind(sampling, { sequence: 's' }).reader.references[0]).toMatchObject({ kind: 'sequence', name: 's' });
    expect(problems({}, sampling)[0]).toMatch(/^error 1: parameter 'sequence' is required/);
  });

  it('reads both spellings; both at once is a warning, and the profile decides', () => {
    const both = {
      'max.delivery.attempts': '7',
      'max.deliver.attempts': '3',
      'retry.interval': '50',
      'max.deliver.drop': 'TRUE',
    };
    expect(problems(both)).toHaveLength(1);
    expect(problems(both)[0]).toMatch(/^warning 3: 'max.delivery.attempts' and 'max.deliver.attempts' mean the same/);
    const read = readKind(forwarding, both).read as Parameters<typeof retryPolicy>[0];
    expect(Object.keys(RETRY_PARAMETERS)).toContain('max.deliver.drop');
    const kind = { maxAttempts: 4, lastResort: 'deactivate' } as const;
    expect(retryPolicy(read, 'wso2', kind)).toMatchObject({ maxAttempts: 7, retryIntervalMs: 50, drop: true });
    expect(retryPolicy(read, 'apache', kind)).toMatchObject({ maxAttempts: 3 });
  });
});
