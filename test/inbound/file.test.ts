import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type InProcess, serve } from '../support/in-process.ts';
import { waitFor } from '../support/wait-for.ts';

let folder: string;
let incoming: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mini-synapse-files-'));
  incoming = join(folder, 'in');
  mkdirSync(incoming);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function inbound(parameters: Readonly<Record<string, string>>, attributes = 'onError="f"'): string {
  const all = { interval: '20', 'x.quiet': '20', 'transport.vfs.FileURI': `file://${incoming}`, ...parameters };
  const written = Object.entries(all).map(([key, value]) => `<parameter name="${key}">${value}</parameter>`);
  return `<inboundEndpoint name="files" protocol="file" sequence="s" ${attributes}><parameters>${written.join('')}</parameters></inboundEndpoint>`;
}

const move = (more: Readonly<Record<string, string>> = {}) => ({
  'transport.vfs.ContentType': 'application/json',
  'transport.vfs.ActionAfterProcess': 'MOVE',
  'transport.vfs.MoveAfterProcess': `file://${join(folder, 'done')}`,
  'transport.vfs.ActionAfterFailure': 'MOVE',
  'transport.vfs.MoveAfterFailure': `file://${join(folder, 'failed')}`,
  ...more,
});

const SAYS =
  '<log level="custom"><property name="file" expression="get-property(\'transport\', \'FILE_NAME\')"/><property name="n" expression="json-eval($.n)"/></log>';
/** Numbers above 9 fail. */
const PICKY = `${SAYS}<filter source="json-eval($.n)" regex="\\d"><then/><else><sequence key="nowhere"/></else></filter>`;
const ROLLBACK = '<property name="SET_ROLLBACK_ONLY" value="true" scope="axis2"/>';

async function serving(artifacts: Readonly<Record<string, string>>, check: (running: InProcess) => Promise<void>) {
  const running = await serve(artifacts);
  try {
    await check(running);
  } finally {
    await running.stop();
  }
}

const list = (name: string) => {
  try {
    return readdirSync(join(folder, name)).sort();
  } catch {
    return [];
  }
};
const becomes = (name: string, files: readonly string[]) =>
  waitFor(() => JSON.stringify(list(name)) === JSON.stringify(files) || undefined, {
    what: () => `${name} with ${files.join(', ')}; there are ${list(name).join(', ')}`,
  });
const put = (name: string, text: string) => writeFileSync(join(incoming, name), text);

describe('a file inbound endpoint', () => {
  it('takes files that match, in order, and moves them after their flow', () => {
    // All of them before the first poll: one that is written during a poll comes after the others.
    put('b.json', '{"n":2}');
    put('a.json', '{"n":1}');
    put('c.txt', 'not mine');
    const parameters = { 'transport.vfs.FileNamePattern': '.*\\.json', 'transport.vfs.FileSortAttribute': 'Name' };
    return serving({ i: inbound(move(parameters)), s: `<sequence name="s">${SAYS}</sequence>` }, async (running) => {
      await becomes('done', ['a.json', 'b.json']);
      await becomes('in', ['c.txt']);
      const said = running.lines().filter((line) => line.includes('file = '));
      expect(said.map((line) => /file = (\S+), n = (\d)/.exec(line)?.slice(1).join())).toEqual([
        'a.json,1',
        'b.json,2',
      ]);
      expect(readFileSync(join(folder, 'done', 'a.json'), 'utf8')).toBe('{"n":1}');
    });
  });

  it('a flow that fails moves the file to the failures; names are not overwritten', () =>
    serving({ i: inbound(move(), ''), s: `<sequence name="s">${PICKY}</sequence>` }, async () => {
      mkdirSync(join(folder, 'failed'));
      writeFileSync(join(folder, 'failed', 'x.json'), 'older');
      put('x.json', '{"n":10}');
      put('y.json', '{"n":3}');
      await becomes('failed', ['x-1.json', 'x.json']);
      await becomes('done', ['y.json']);
      expect(readFileSync(join(folder, 'failed', 'x.json'), 'utf8')).toBe('older');
    }));

  it('a fault that onError handles is no failure, unless it says SET_ROLLBACK_ONLY', () =>
    serving(
      {
        i: inbound(move()),
        s: `<sequence name="s">${PICKY}</sequence>`,
        f: `<sequence name="f"><filter source="json-eval($.n)" regex="11"><then>${ROLLBACK}</then></filter></sequence>`,
      },
      async () => {
        put('handled.json', '{"n":10}');
        put('rolled-back.json', '{"n":11}');
        await becomes('failed', ['rolled-back.json']);
        await becomes('done', ['handled.json']);
      },
    ));

  it('without an action for failures the file stays and is tried again', () =>
    serving(
      {
        i: inbound(
          { 'transport.vfs.ContentType': 'application/json', 'transport.vfs.FailedRecordNextRetryDuration': '30' },
          '',
        ),
        s: `<sequence name="s">${PICKY}</sequence>`,
      },
      async (running) => {
        put('x.json', '{"n":10}');
        await running.logged(/x\.json failed, it stays and is tried again/);
        const first = running.records.length;
        await running.logged(/x\.json failed, it stays and is tried again/, first);
        expect(list('in')).toContain('x.json');
        put('x.json', '{"n":1}');
        await becomes('in', []);
      },
    ));

  it('NONE leaves a file where it is and takes it once', () =>
    serving(
      {
        i: inbound({ 'transport.vfs.ContentType': 'application/json', 'transport.vfs.ActionAfterProcess': 'NONE' }),
        s: `<sequence name="s">${SAYS}</sequence>`,
      },
      async (running) => {
        put('x.json', '{"n":1}');
        await running.logged(/file = x\.json/);
        put('y.json', '{"n":2}');
        await running.logged(/file = y\.json/);
        put('z.json', '{"n":3}');
        await running.logged(/file = z\.json/);
        expect(running.lines().filter((line) => line.includes('file = x.json'))).toHaveLength(1);
      },
    ));

  it('leaves a file alone that is still being written', () =>
    serving({ i: inbound(move({ 'x.quiet': '400' })), s: `<sequence name="s">${SAYS}</sequence>` }, async (running) => {
      put('slow.json', '{"n":');
      for (let part = 0; part < 8; part += 1) {
        await new Promise((resolve) => setTimeout(resolve, 60));
        put('slow.json', part < 7 ? '{"n":' : '{"n":7}');
      }
      await running.logged(/file = slow\.json, n = 7/);
      expect(running.lines().filter((line) => line.includes('file = slow.json'))).toHaveLength(1);
    }));

  it('a lock of a process that is gone does not keep a file for ever, one of another machine does', () =>
    serving({ i: inbound(move()), s: `<sequence name="s">${SAYS}</sequence>` }, async () => {
      writeFileSync(join(incoming, 'mine.json.lock'), `${hostname()} 999999999 someone\n`);
      writeFileSync(join(incoming, 'theirs.json.lock'), 'elsewhere.example 1 someone\n');
      put('theirs.json', '{"n":2}');
      put('mine.json', '{"n":1}');
      const old = new Date(Date.now() - 60_000);
      utimesSync(join(incoming, 'mine.json'), old, old);
      await becomes('done', ['mine.json']);
      await becomes('in', ['theirs.json', 'theirs.json.lock']);
    }));

  it('a lock that a crash left behind when its file had gone already goes, too', () =>
    serving({ i: inbound(move()), s: `<sequence name="s">${SAYS}</sequence>` }, async () => {
      writeFileSync(join(incoming, 'gone.json.lock'), `${hostname()} 999999999 someone\n`);
      writeFileSync(join(incoming, 'theirs.json.lock'), 'elsewhere.example 1 someone\n');
      await becomes('in', ['theirs.json.lock']);
    }));

  it('locks of other programs stay, also before their files come; a folder with such a name keeps no file back', () =>
    serving({ i: inbound(move()), s: `<sequence name="s">${SAYS}</sequence>` }, async (running) => {
      mkdirSync(join(incoming, 'dir.lock'));
      mkdirSync(join(incoming, 'taken.json.lock'));
      put('java.json.lock', '5577006791947779410:node-1:10.0.0.7:1700000000000');
      put('later.json.lock', '');
      const old = new Date(Date.now() - 3_600_000);
      for (const lock of ['java.json.lock', 'later.json.lock']) utimesSync(join(incoming, lock), old, old);
      put('first.json', '{"n":1}');
      await becomes('done', ['first.json']);
      for (const name of ['java.json', 'later.json', 'taken.json', 'second.json']) put(name, '{"n":2}');
      await becomes('done', ['first.json', 'second.json']);
      // Another poll has seen them all.
      put('third.json', '{"n":3}');
      await becomes('done', ['first.json', 'second.json', 'third.json']);
      await becomes('in', [
        'dir.lock',
        'java.json',
        'java.json.lock',
        'later.json',
        'later.json.lock',
        'taken.json',
        'taken.json.lock',
      ]);
      expect(running.lines().filter((line) => line.startsWith('ERROR'))).toEqual([]);
    }));

  it('what a kill left of the making of a lock goes, too', () =>
    serving({ i: inbound(move()), s: `<sequence name="s">${SAYS}</sequence>` }, async () => {
      put('.0b8a5f6e-4f0c-4a57-9d3b-6a1c1a2b3c4d.signing.lock', `${hostname()} 999999999 someone\n`);
      put('x.json.takeover.lock', `${hostname()} 999999999 someone\n`);
      await becomes('in', []);
    }));

  it('writes the answer of the flow into the reply folder', () =>
    serving(
      {
        i: inbound({
          'transport.vfs.ContentType': 'application/json',
          'transport.vfs.ReplyFileURI': `file://${join(folder, 'out')}`,
          'transport.vfs.ReplyFileName': 'r.json',
        }),
        s: '<sequence name="s"><payloadFactory media-type="json"><format>{"ok":true}</format></payloadFactory><property name="messageType" value="application/json" scope="axis2"/><respond/></sequence>',
      },
      async () => {
        put('x.json', '{"n":1}');
        await becomes('out', ['r.json']);
        expect(JSON.parse(readFileSync(join(folder, 'out', 'r.json'), 'utf8'))).toEqual({ ok: true });
      },
    ));

  it('takes one file whenever it is there, and does not complain when it is not', () => {
    const one = join(incoming, 'one.json');
    put('one.json', '{"n":1}');
    put('other.json', '{"n":9}');
    put('.0b8a5f6e-4f0c-4a57-9d3b-6a1c1a2b3c4d.signing.lock', `${hostname()} 999999999 someone\n`);
    put('other.json.lock', `${hostname()} 999999999 someone\n`);
    return serving(
      { i: inbound(move({ 'transport.vfs.FileURI': `file://${one}` })), s: `<sequence name="s">${SAYS}</sequence>` },
      async (running) => {
        await becomes('done', ['one.json']);
        await becomes('in', ['other.json', 'other.json.lock']);
        put('one.json', '{"n":2}');
        await becomes('done', ['one-1.json', 'one.json']);
        // It has left its old place only then.
        await becomes('in', ['other.json', 'other.json.lock']);
        put('one.json', '{"n":3}');
        await becomes('done', ['one-1.json', 'one-2.json', 'one.json']);
        await becomes('in', ['other.json', 'other.json.lock']);
        expect(running.lines().filter((line) => line.startsWith('ERROR'))).toEqual([]);
      },
    );
  });

  it('waits for a folder that is not there yet', () => {
    rmSync(incoming, { recursive: true });
    return serving({ i: inbound(move()), s: `<sequence name="s">${SAYS}</sequence>` }, async (running) => {
      await running.logged(/ERROR .*cannot read its folder/);
      mkdirSync(incoming);
      put('x.json', '{"n":1}');
      await becomes('done', ['x.json']);
    });
  });
});
