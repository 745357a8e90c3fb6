import { describe, expect, it, test } from 'vitest';
import { printed, read, SYN } from '../synapse/read.ts';

/*
 * The validation summary of the reference (spec stores 1.2 and 1.4), row by row for processors: what it misses, or notices at every
 * run only, is a deployment error here that names artifact, parameter and value (REQ-03).
 */

const CLASSES = {
  forwarding: 'org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor',
  apache: 'org.apache.synapse.message.processors.forward.ScheduledMessageForwardingProcessor',
  failover: 'org.apache.synapse.message.processor.impl.failover.FailoverScheduledMessageForwardingProcessor',
  sampling: 'org.apache.synapse.message.processor.impl.sampler.SamplingProcessor',
  resequencing: 'org.apache.synapse.message.processors.resequence.ResequencingProcessor',
} as const;

type Kind = keyof typeof CLASSES;
type Parameters = Readonly<Record<string, string | { readonly expression: string }>>;

/** The parameters that a kind cannot do without. */
const NEEDED: Readonly<Record<Kind, Parameters>> = {
  forwarding: {},
  apache: {},
  failover: { 'message.target.store.name': 'Orders' },
  sampling: { sequence: 'Sample' },
  resequencing: { seqNumXpath: { expression: '//id' }, nextEsbSequence: 'Next' },
};
const KINDS = Object.keys(CLASSES) as Kind[];
const SCHEDULED = KINDS.filter((kind) => kind !== 'resequencing');

function elements(parameters: Parameters): string {
  const written = Object.entries(parameters).map(([name, value]) =>
    typeof value === 'string'
      ? `<parameter name="${name}">${value}</parameter>`
      : `<parameter name="${name}" expression="${value.expression}"/>`,
  );
  return written.join('');
}

function processor(kind: Kind, parameters: Parameters = {}): string {
  const needed = { ...NEEDED[kind], ...parameters };
  return `<messageProcessor ${SYN} name="Forward" class="${CLASSES[kind]}" messageStore="Waiting">${elements(needed)}</messageProcessor>`;
}

/** What is said about an artifact that is not deployed. */
function refused(xml: string): string {
  const reading = read(xml);
  expect(reading.artifacts).toEqual([]);
  return printed(reading);
}

/** Each kind with a value that it refuses; what is said names all three. */
function rows(kinds: readonly Kind[], parameter: string, values: readonly string[]) {
  return kinds.flatMap((kind) => values.map((value) => ({ kind, parameter, value })));
}

describe('every artifact', () => {
  const named = `name="Forward" class="${CLASSES.forwarding}" messageStore="Waiting"`;
  test.each([
    [
      'without a class',
      '<messageProcessor NS name="Forward" messageStore="Waiting"/>',
      /Can't create Message processor without a provider class/,
    ],
    [
      'of an unknown class',
      '<messageProcessor NS name="Forward" class="a.B" messageStore="Waiting"/>',
      /Error while creating Message processor.*'a\.B'/,
    ],
    [
      'of the class ""',
      '<messageProcessor NS name="Forward" class="" messageStore="Waiting"/>',
      /Error while creating Message processor|must not be empty/,
    ],
    [
      'without a name',
      `<messageProcessor NS class="${CLASSES.forwarding}" messageStore="Waiting"/>`,
      /Can't create Message processor without a name /,
    ],
    [
      'with an empty name',
      `<messageProcessor NS name="" class="${CLASSES.forwarding}" messageStore="Waiting"/>`,
      /attribute 'name' of <messageProcessor>: must not be empty/,
    ],
    [
      'without a store',
      `<messageProcessor NS name="Forward" class="${CLASSES.forwarding}"/>`,
      /Can't create a message processor with out a message Store/,
    ],
    [
      'with an empty store',
      `<messageProcessor NS name="Forward" class="${CLASSES.forwarding}" messageStore=""/>`,
      /attribute 'messageStore' of <messageProcessor>: must not be empty/,
    ],
    [
      'whose parameter has no name',
      `<messageProcessor NS ${named}><parameter>x</parameter></messageProcessor>`,
      /Invalid MessageStore parameter - Parameter must have a name /,
    ],
  ])('%s is refused', (_, xml, problem) => {
    expect(refused(xml.replace('NS', SYN))).toMatch(problem);
  });

  it('twice in one file is refused', () => {
    const one = `<messageProcessor ${named}/>`;
    expect(printed(read(`<definitions ${SYN}>${one}${one}</definitions>`))).toMatch(/'Forward' is defined twice/);
  });
});

describe('a value that the reference notices late, or never', () => {
  test.each([
    // Number format at the deployment, also there.
    ...rows(KINDS, 'interval', ['', 'soon', '1.5', '2147483648', '1e3', '0x10']),
    ...rows(SCHEDULED, 'member.count', ['', 'two', '1.5', '0', '-1', '2147483648']),
    // There: "Error in executing task" at every run.
    ...rows(KINDS, 'max.delivery.attempts', ['', 'four', '4.0']),
    ...rows(KINDS, 'max.deliver.attempts', ['four']),
    ...rows(KINDS, 'client.retry.interval', ['', 'soon', '-1']),
    ...rows(KINDS, 'retry.interval', ['soon']),
    ...rows(KINDS, 'max.store.connection.attempts', ['', 'many']),
    ...rows(KINDS, 'store.connection.retry.interval', ['', 'soon', '-1']),
    // There: an ERROR, and a processor that never runs.
    ...rows(KINDS, 'cronExpression', ['', 'daily', '0 0 12 * * *', '0 0 12 * *', '61 * * * * ?', '0 0 0 30 2 ?']),
    // There: every run fails, or messages are acknowledged and discarded.
    ...rows(['failover'], 'message.target.store.name', ['', ' ', 'Waiting']),
    ...rows(['sampling'], 'sequence', ['', ' ']),
    ...rows(['resequencing'], 'nextEsbSequence', ['']),
    ...rows(['resequencing'], 'requiredInitMessages', ['', 'few', '-1']),
    ...rows(['resequencing'], 'requiredInitMessagesDelay', ['', 'long', '-1']),
    ...rows(['resequencing'], 'seqNumXpath', ['//id']),
    // Our own.
    ...rows(['sampling'], 'ack.mode', ['never']),
    ...rows(KINDS, 'x.reactivate.after', ['later', '-1']),
    ...rows(KINDS, 'x.timezone', ['Europe/Berln']),
    ...rows(KINDS, 'x.cron.dst', ['maybe']),
    ...rows(['forwarding', 'apache', 'failover'], 'x.backoff.initial', ['soon']),
    ...rows(['forwarding', 'apache', 'failover'], 'x.backoff.factor', ['0.5']),
    ...rows(['forwarding', 'apache', 'failover'], 'x.backoff.max', ['0']),
    ...rows(['forwarding', 'apache', 'failover'], 'x.backoff.jitter', ['2']),
    ...rows(['forwarding', 'apache'], 'x.concurrency', ['0', '101', 'all']),
    ...rows(['forwarding', 'apache'], 'x.message.id.header', ['has blanks']),
    ...rows(['resequencing'], 'x.resequence.late', ['never']),
    ...rows(['resequencing'], 'x.resequence.timeout', ['soon']),
    ...rows(['resequencing'], 'x.resequence.window', ['0']),
  ])('$kind $parameter = "$value"', ({ kind, parameter, value }) => {
    const text = refused(processor(kind, { [parameter]: value }));
    expect(text).toContain('messageProcessor[Forward]');
    expect(text).toContain(`'${parameter}'`);
    expect(text).toContain(value.trim() === '' ? 'test.xml:' : value);
  });

  it.each(KINDS)('an unknown parameter of ours is an error, an unknown one of others is not: %s', (kind) => {
    expect(refused(processor(kind, { 'x.retries': '1' }))).toContain("'x.retries'");
    const reading = read(processor(kind, { 'com.example.own': '1' }));
    expect(reading.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  });

  it('an expression that cannot be read', () => {
    expect(refused(processor('resequencing', { seqNumXpath: { expression: '//[' } }))).toContain("'seqNumXpath'");
    expect(refused(processor('forwarding', { 'x.ordering.key': '//[' }))).toContain("'x.ordering.key'");
  });

  it('is missed nowhere: all mandatory parameters', () => {
    for (const kind of KINDS) {
      for (const parameter of Object.keys(NEEDED[kind])) {
        const { [parameter]: _, ...others } = NEEDED[kind];
        const xml = `<messageProcessor ${SYN} name="Forward" class="${CLASSES[kind]}" messageStore="Waiting">${elements(others)}</messageProcessor>`;
        expect(refused(xml)).toMatch(new RegExp(`'${parameter}' is required`));
      }
    }
  });

  it('is none: these are fine', () => {
    for (const kind of KINDS) {
      for (const parameters of [
        {},
        { interval: ' 1000 ', 'max.delivery.attempts': '-1', 'client.retry.interval': '0', 'is.active': 'TRUE' },
        { interval: '0', cronExpression: '0 0/5 * * * ?', 'x.timezone': 'Europe/Berlin', 'x.cron.dst': 'quartz' },
      ]) {
        expect(printed(read(processor(kind, parameters)))).toBe('');
      }
    }
    // A failover processor without an interval works here.
    expect(printed(read(processor('failover')))).toBe('');
  });

  it('a store that is not there is no error: it may come', () => {
    expect(read(processor('forwarding')).artifacts).toHaveLength(1);
  });
});
