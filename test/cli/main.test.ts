import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';

async function run(...args: string[]) {
  const stdout = new Lines();
  const stderr = new Lines();
  const code = await main(args, { stdout, stderr });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

class Lines extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

describe('mini-synapse', () => {
  it('without a command says how it is used: exit 2', async () => {
    const { code, stdout, stderr } = await run();
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('mini-synapse start [DIR]');
  });

  it.each([['--help'], ['-h'], ['help'], ['start', '--help'], ['demo', '-h'], ['cron', '--help']])(
    '%s %s helps: exit 0',
    async (...args) => {
      const { code, stdout } = await run(...args.filter((arg) => arg !== undefined));
      expect(code).toBe(0);
      expect(stdout).toContain('Exit codes: 0 fine');
    },
  );

  it('check --help helps with check', async () => {
    const { code, stdout } = await run('check', '--help');
    expect(code).toBe(0);
    expect(stdout).toContain('mini-synapse check PATH');
  });

  it.each([['--version'], ['-v']])('%s prints the version and nothing else', async (flag) => {
    expect(await run(flag)).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\S*\n$/), stderr: '' });
  });

  it.each([
    ['strat', 'start'],
    ['chek', 'check'],
    ['dmeo', 'demo'],
  ])('an unknown command %s: exit 2 and "did you mean %s"', async (written, meant) => {
    const { code, stderr } = await run(written);
    expect(code).toBe(2);
    expect(stderr).toContain(`mini-synapse: unknown command '${written}', did you mean '${meant}'?`);
  });

  it('does not take what every object has for a command', async () => {
    expect((await run('constructor')).code).toBe(2);
  });
});

describe('wrong usage is told in one line: exit 2', () => {
  it.each([
    [['start', '--http-prot', '1'], "Unknown option '--http-prot'. Did you mean '--http-port'?"],
    [['start', '--http-port'], "Option '--http-port <value>' argument missing"],
    [['start', '--http-port', '99999'], '--http-port 99999: expected a number from 0 to 65535'],
    [['start', '--management-port', '-1'], "Option '--management-port' argument is ambiguous"],
    [
      ['start', '--log-level', 'wran'],
      "--log-level wran: expected one of fatal, error, warn, info, debug, trace. Did you mean 'warn'?",
    ],
    [['start', '--keep-state', 'maybe'], '--keep-state maybe: expected one of yes, no'],
    [['start', 'a', 'b'], 'one directory expected, got 2: a b'],
    [['demo', '--order', '3'], "Unknown option '--order'. Did you mean '--orders'?"],
    [['demo', '--orders', '0'], '--orders 0: expected a number from 1 to 10000'],
    [['check'], 'a file or a directory is needed'],
    [['check', 'no-such-file.xml'], "'no-such-file.xml' cannot be checked"],
    [['cron'], 'expected: cron "<expression>"'],
    [['cron', '0', '0', '*'], 'put the expression in quotes'],
    [['cron', '0 0 * * * ?', '--timezone', 'Mars/Base'], '--timezone: '],
  ])('%j', async (args, text) => {
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.startsWith(`mini-synapse ${args[0]}: `)).toBe(true);
    expect(stderr).toContain(text);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

it('what somebody else has written steers no terminal', async () => {
  const { stderr } = await run('start', 'a', '\u001b]0;b\u0007\nc');
  expect(stderr).toBe('mini-synapse start: one directory expected, got 2: a \\x1b]0;b\\x07\nc\n');
});

it('cron prints the next five runs', async () => {
  const { code, stdout } = await run('cron', '0 0/5 * * * ?', '--from', '2026-01-01T00:00', '--timezone', 'UTC');
  expect(code).toBe(0);
  const lines = stdout.trim().split('\n');
  expect(lines).toHaveLength(5);
  expect(lines[0]).toContain('2026-01-01');
  expect((await run('cron', '0 0 25 * * ?')).code).toBe(1);
});
