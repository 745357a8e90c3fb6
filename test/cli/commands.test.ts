import { readFileSync } from 'node:fs';
import { PassThrough, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { parseFlags, takeArguments } from '../../src/cli/arguments.ts';
import { possibilities } from '../../src/cli/completion.ts';
import { documentation } from '../../src/cli/help.ts';
import { CommandFailure, UsageError } from '../../src/cli/io.ts';
import { kindWords } from '../../src/cli/kinds.ts';
import { LOADERS } from '../../src/cli/loaders.ts';
import { main } from '../../src/cli/main.ts';
import { filterQuery, isFiltered } from '../../src/cli/message-filter.ts';
import { keepLogin, keptLogin } from '../../src/cli/remote/logins.ts';
import { onKeys } from '../../src/cli/show/keys.ts';
import { confirmed } from '../../src/cli/show/prompt.ts';
import { COMMANDS } from '../../src/cli/table/index.ts';
import { GET_WORDS } from '../../src/cli/table/looking.ts';

class Lines extends Writable {
  text = '';
  isTTY = false;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

async function run(...args: string[]) {
  const [stdout, stderr] = [new Lines(), new Lines()];
  const code = await main(args, { stdout, stderr });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

describe('the table of commands', () => {
  it('is what runs: each has a module with a function, and none is left over', async () => {
    expect(Object.keys(LOADERS).sort()).toEqual(COMMANDS.map(({ name }) => name).sort());
    for (const [name, load] of Object.entries(LOADERS)) expect(await load(), name).toBeTypeOf('function');
  });

  it('is what docs/cli.md says', () => {
    const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');
    expect(page, 'bin/mini-synapse help --markdown > docs/cli.md').toBe(documentation());
  });

  it.each(COMMANDS.map(({ name }) => name))('%s --help tells how it is used: exit 0', async (name) => {
    const { code, stdout, stderr } = await run(...name.split(' '), '--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`Usage: mini-synapse ${name}`);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
  });

  it('has kinds for all words of get', () => {
    for (const word of GET_WORDS) expect(kindWords().has(word), word).toBe(true);
    expect(kindWords().get('proxy')?.title).toBe('Proxy Services');
    expect(kindWords().get('message-store')?.title).toBe('Message Stores');
  });
});

describe('wrong usage: exit 2, with the nearest name', () => {
  it.each([
    [['store', 'brwse'], "unknown command 'store brwse', did you mean 'store browse'?"],
    [['store'], 'a word is missing; there are: browse, show'],
    [['stroe', 'browse'], "did you mean 'store'?"],
    [['store', 'browse'], 'STORE is missing; expected: store browse STORE'],
    [['store', 'browse', 'A', 'B'], "'B' is too much"],
    [['store', 'browse', 'A', '--limt', '3'], "Did you mean '--limit'?"],
    [['store', 'browse', 'A', '--limit', '501'], '--limit 501: expected a number from 1 to 500'],
    [['store', 'browse', 'A', '--since', 'lately'], '--since lately: expected a time'],
    [['store', 'resend', 'A'], 'say which messages'],
    [['store', 'resend', 'A', 'id', '--all'], 'only one way'],
    [['store', 'resend', 'A', 'id', '--to-store', 'B', '--to-endpoint', 'C'], 'only one of --to-store'],
    [['store', 'move', 'A', 'id'], '--to STORE is missing'],
    [['store', 'delete', 'A', 'id', '--url', 'ftp://x'], '--url ftp://x: expected something like'],
    [['processor', 'activate'], 'NAME is missing'],
    [['activate', 'message-procesor', 'X'], "did you mean 'message-processor'?"],
    [['messageprocessor', 'update', 'X', 'state', 'on'], 'expected: messageprocessor update'],
    [['get'], 'KIND is missing'],
    [['get', 'stors'], "did you mean 'stores'?"],
    [['graph', '--svg', '--mermaid'], 'only one of'],
    [['tracing', 'onn'], "Did you mean 'on'?"],
    [['tracing', 'on', '--artifact', 'Orders'], 'expected KIND:NAME'],
    [['completion', 'bsh'], "Did you mean 'bash'?"],
    [['logs', '--level', 'wran'], "Did you mean 'warn'?"],
    [['run', 'no-such-file.xml'], 'cannot be served'],
    [['run', 'package.json'], 'is no artifact'],
  ])('%j', async (args, text) => {
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(text);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

describe("the reference's -e", () => {
  it.each([
    ['get', 'message-stores', '-e', 'dev'],
    ['get', 'message-processors', 'Forwarder', '--environment', 'dev'],
    ['messagestore', 'show', '-e', 'dev'],
    ['messageprocessor', 'show', '-e', 'dev'],
    ['messageprocessor', 'update', 'Forwarder', 'state', 'active', '-e', 'dev'],
    ['activate', 'message-processor', 'Forwarder', '-e', 'dev'],
    ['deactivate', 'message-processor', 'Forwarder', '-e', 'dev'],
  ])('%s %s is taken, and the server asked that --url names', async (...args) => {
    const { code, stderr } = await run(...args, '--url', 'http://127.0.0.1:1');
    expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining('127.0.0.1:1') });
  });
});

describe('completion (OP-65)', () => {
  const names = async (kind: string) => (kind === 'message-stores' || kind === 'stores' ? ['Orders', 'Archive'] : []);
  const complete = (...words: string[]) => possibilities(words, names);

  it.each([
    [['st'], ['start', 'store']],
    [['store', 'b'], ['browse']],
    [
      ['store', 'browse', ''],
      ['Archive', 'Orders'],
    ],
    [['store', 'browse', 'O'], ['Orders']],
    [
      ['get', 'pro'],
      ['processors', 'proxies'],
    ],
    [
      ['get', 'stores', ''],
      ['Archive', 'Orders'],
    ],
    [
      ['store', 'move', 'Orders', '--to', ''],
      ['Archive', 'Orders'],
    ],
    [
      ['store', 'move', 'Orders', '--t'],
      ['--text', '--to', '--token'],
    ],
    [['logs', '--level', 'w'], ['warn']],
    [
      ['completion', ''],
      ['bash', 'fish', 'zsh'],
    ],
    [['check', ''], [':files']],
    [['start', '--config', ''], [':files']],
    [['nothing', ''], []],
    [['store', 'browse', '--limit', ''], []],
  ])('%j', async (words, found) => {
    expect(await complete(...words)).toEqual(found);
  });

  it('does not offer what is not for people', async () => {
    expect((await complete('')).filter((word) => word.startsWith('_') || word.startsWith('message'))).toEqual([]);
  });

  it.each(['bash', 'zsh', 'fish'])('%s: a script that asks', async (shell) => {
    const { code, stdout } = await run('completion', shell);
    expect(code).toBe(0);
    expect(stdout).toContain('__complete --');
  });
});

describe('asking', () => {
  const terminal = (answer: string) => {
    const stdin = Object.assign(new PassThrough(), { isTTY: true });
    const stderr = new Lines();
    stderr.isTTY = true;
    stdin.write(`${answer}\n`);
    return { stdin, stderr, stdout: new Lines() };
  };

  it('goes on with y, and with --yes without asking', async () => {
    const io = terminal('y');
    await confirmed('Delete 3 messages?', undefined, io);
    expect(io.stderr.text).toContain('Delete 3 messages? [y/N] ');
    await confirmed('Delete?', true, { stdout: new Lines(), stderr: new Lines(), stdin: new PassThrough() });
  });

  it('anything else is a no: nothing was done', async () => {
    await expect(confirmed('Delete?', undefined, terminal(''))).rejects.toThrow(CommandFailure);
    await expect(confirmed('Delete?', undefined, terminal('nope'))).rejects.toThrow('nothing was done');
  });

  it('is refused where nobody sits', async () => {
    const io = { stdout: new Lines(), stderr: new Lines(), stdin: new PassThrough() };
    await expect(confirmed('Delete?', undefined, io)).rejects.toThrow(UsageError);
  });
});

it('keys are heard one by one on a terminal only, and the terminal is as before then', () => {
  const modes: boolean[] = [];
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true as const,
    setRawMode(mode: boolean) {
      modes.push(mode);
      return stdin as unknown as NodeJS.ReadStream;
    },
  });
  const pressed: string[] = [];
  const stop = onKeys(stdin, (key) => pressed.push(key));
  stdin.emit('data', Buffer.from('op\x03'));
  stop();
  stdin.emit('data', Buffer.from('q'));
  expect({ pressed, modes }).toEqual({ pressed: ['o', 'p', '\x03'], modes: [true, false] });
  expect(onKeys(new PassThrough(), () => {})).toBeTypeOf('function');
});

it('filters are what the API calls them', () => {
  expect(filterQuery({ cause: 'x', status: '503', since: '2026-01-01T00:00:00Z' })).toEqual({
    cause: 'x',
    status: 503,
    from: '2026-01-01T00:00:00.000Z',
  });
  expect(isFiltered({})).toBe(false);
  expect(isFiltered({ id: '1' })).toBe(true);
});

it('arguments are counted', () => {
  const command = { name: 'store show', usage: 'STORE ID' };
  expect(takeArguments(['A', '1'], ['STORE', 'ID'], command)).toEqual(['A', '1']);
  expect(() => takeArguments(['A'], ['STORE', 'ID'], command)).toThrow('ID is missing; expected: store show STORE ID');
  expect(parseFlags(['--no-watch'], { watch: { type: 'boolean' } }).values.watch).toBe(false);
});

describe('logins', () => {
  it('are kept by server, expire, and are forgotten', async () => {
    const { mkdtempSync, rmSync, statSync, writeFileSync } = await import('node:fs');
    const { tmpdir } = await import('node:os');
    const { join } = await import('node:path');
    const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-logins-'));
    const environment = { XDG_CONFIG_HOME: folder };
    try {
      expect(await keptLogin(environment, 'http://a')).toBeUndefined();
      const file = await keepLogin(environment, 'http://a', { token: 't', user: 'u' });
      await keepLogin(environment, 'http://b', { token: 's', user: 'u', expiresAt: '2026-01-01T00:00:00Z' });
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect((await keptLogin(environment, 'http://a'))?.token).toBe('t');
      expect(await keptLogin(environment, 'http://b')).toBeUndefined();
      await keepLogin(environment, 'http://a', undefined);
      expect(await keptLogin(environment, 'http://a')).toBeUndefined();
      writeFileSync(file, 'broken');
      expect(await keptLogin(environment, 'http://a')).toBeUndefined();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
