import { describe, expect, test } from 'vitest';
import { only, problems, read, SYN } from './read.ts';

const INTO = '<property name="injectTo" value="sequence"/><property name="sequenceName" value="s"/>';

function task(inner: string, attributes = 'name="t"') {
  return read(`<task ${SYN} ${attributes}>${inner}</task>`);
}

function definition(inner: string, attributes?: string) {
  return only(task(inner, attributes), 'task').content;
}

describe('a task', () => {
  test('with defaults runs once, into main', () => {
    expect(definition('')).toMatchObject({
      name: 't',
      group: 'synapse.simple.quartz',
      pinnedServers: [],
      schedule: { kind: 'simple', intervalMs: 0, count: 1 },
      injection: { target: { kind: 'main' }, format: 'soap11', message: undefined, to: undefined },
    });
  });

  test.each([
    ['<trigger once="true"/>', { kind: 'simple', count: 1 }],
    ['<trigger interval="5"/>', { kind: 'simple', intervalMs: 5000, count: undefined }],
    ['<trigger interval="5" count="-1"/>', { kind: 'simple', intervalMs: 5000, count: undefined }],
    ['<trigger interval="5" count="3"/>', { kind: 'simple', intervalMs: 5000, count: 3 }],
    ['<trigger interval="0"/>', { kind: 'simple', intervalMs: 0, count: 1 }],
    ['<trigger count="1"/>', { kind: 'simple', intervalMs: 0, count: 1 }],
    ['<trigger cron="0 0/5 * * * ?"/>', { kind: 'cron' }],
  ])('%s', (trigger, schedule) => {
    expect(definition(trigger).schedule).toMatchObject(schedule);
  });

  test('its message, as XML or as text', () => {
    const { injection } = definition(
      `${INTO}<property name="message"><m xmlns="urn:m">1</m></property><property name="format" value="POX"/>
       <property name="to" value="http://x"/><property name="soapAction" value="urn:a"/>`,
    );
    expect(injection).toMatchObject({
      target: { kind: 'sequence', name: 's' },
      format: 'pox',
      to: 'http://x',
      soapAction: 'urn:a',
    });
    expect(injection.message && 'xml' in injection.message && injection.message.xml.localName).toBe('m');
    expect(definition('<property name="message" value="{}"/>').injection.message).toEqual({ text: '{}' });
  });

  test.each([
    ['<trigger count="2"/>', 'Trigger seems to be a simple trigger, but no interval specified'],
    ['<trigger count="2" interval="0"/>', 'Trigger seems to be a simple trigger, but no interval specified'],
    ['<trigger cron="0 * * * * ?" interval="5"/>', 'Trigger syntax error'],
    ['<trigger cron="every minute"/>', "CronExpression 'every minute' is invalid"],
    ['<trigger interval="soon"/>', "'soon' is not a valid number"],
    ['<property name="injectTo" value="queue"/>', "'queue' is nothing that messages can be injected to"],
    ['<property name="injectTo" value="proxy"/>', 'a task that injects to a proxy needs its name'],
    ['<property name="to" expression="//a"/>', 'Tasks does not support dynamic properties'],
    ['<property value="x"/>', 'a property of a task needs a name'],
  ])('%s is refused', (inner, expected) => {
    const reading = task(inner);
    expect(reading.artifacts).toEqual([]);
    expect(problems(reading).join('\n')).toContain(
      `error ${expected}`.replace("error '", "'").replace('error Cron', 'Cron'),
    );
  });

  test('a class of the user is refused, with what to do instead', () => {
    const reading = task('', 'name="t" class="com.acme.Job"');
    expect(problems(reading)).toEqual([
      expect.stringContaining('Cannot load the task class com.acme.Job: Java classes are not run'),
    ]);
  });

  test('a name is required', () => {
    expect(problems(task('', ''))).toEqual([expect.stringContaining('Name for a task is required')]);
  });

  test('an unknown property is warned about', () => {
    expect(problems(task('<property name="mesage" value="x"/>'))).toEqual([
      expect.stringContaining("unknown property 'mesage'"),
    ]);
  });
});
