import { describe, expect, it } from 'vitest';
import { type InProcess, serve } from '../support/in-process.ts';

const INJECTOR = 'org.apache.synapse.startup.tasks.MessageInjector';

function task(name: string, trigger: string, properties: Readonly<Record<string, string>>, message = '') {
  const written = Object.entries(properties).map(([key, value]) => `<property name="${key}" value="${value}"/>`);
  return `<task name="${name}" class="${INJECTOR}">${trigger}${written.join('')}${message}</task>`;
}

const MESSAGE = '<property name="message"><q xmlns="urn:q"><symbol>IBM</symbol></q></property>';
const SAYS = (who: string) =>
  `<log level="custom"><property name="${who}" expression="//q:symbol/text()" xmlns:q="urn:q"/></log>`;

async function serving(artifacts: Readonly<Record<string, string>>, check: (running: InProcess) => Promise<void>) {
  const running = await serve(artifacts);
  try {
    await check(running);
  } finally {
    await running.stop();
  }
}

describe('tasks', () => {
  it('inject into main, a sequence and a proxy', () =>
    serving(
      {
        main: `<sequence name="main">${SAYS('main')}</sequence>`,
        sequence: `<sequence name="s">${SAYS('sequence')}</sequence>`,
        proxy: `<proxy name="p"><target><inSequence>${SAYS('proxy')}</inSequence></target></proxy>`,
        t1: task('t1', '<trigger once="true"/>', { injectTo: 'main' }, MESSAGE),
        t2: task('t2', '<trigger once="true"/>', { injectTo: 'sequence', sequenceName: 's' }, MESSAGE),
        t3: task('t3', '<trigger once="true"/>', { injectTo: 'proxy', proxyName: 'p' }, MESSAGE),
      },
      async (running) => {
        await running.logged(/main = IBM/);
        await running.logged(/sequence = IBM/);
        await running.logged(/proxy = IBM/);
      },
    ));

  it('run as often as they say', () =>
    serving(
      {
        s: `<sequence name="s"><log level="custom" category="WARN"><property name="run" expression="get-property('MessageID')"/></log></sequence>`,
        t: task('t', '<trigger interval="1" count="2"/>', { injectTo: 'sequence', sequenceName: 's' }, MESSAGE),
      },
      async (running) => {
        await running.logged(/run = /);
        const first = running.lines().findIndex((line) => line.includes('run = '));
        await running.logged(/run = /, first + 1);
        const ids = running.lines().filter((line) => line.includes('run = '));
        expect(new Set(ids).size).toBe(ids.length);
      },
    ));

  it('a fault inside runs the fault sequence; a missing target is told', () =>
    serving(
      {
        f: '<sequence name="fault"><log level="custom"><property name="fault" expression="get-property(\'ERROR_MESSAGE\')"/></log></sequence>',
        s: '<sequence name="s"><store messageStore="nowhere"/></sequence>',
        t1: task('t1', '<trigger once="true"/>', { injectTo: 'sequence', sequenceName: 's' }, MESSAGE),
        t2: task('t2', '<trigger once="true"/>', { injectTo: 'sequence', sequenceName: 'gone' }, MESSAGE),
        t3: task('t3', '<trigger once="true"/>', {}),
      },
      async (running) => {
        await running.logged(/fault = Message Store does not exist/);
        await running.logged(/ERROR Error in executing task: Task \[t2\] could not be run: Sequence: gone not found/);
        await running.logged(/ERROR Error in executing task: Task \[t3\] could not be run: Message not specified/);
      },
    ));

  it('a task that is pinned to other servers does not run', () =>
    serving(
      {
        t: task('t', '<trigger once="true"/>', {}).replace('<task ', '<task pinnedServers="other" '),
        after: task('after', '<trigger once="true"/>', {}),
      },
      async (running) => {
        await running.logged(/Task \[after\] could not be run/);
        expect(running.lines().filter((line) => line.includes('Task [t] '))).toEqual([]);
        expect(running.lines().join('\n')).toContain('Not starting Task : t');
      },
    ));
});
