import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';

/** What the command prints, as its user sees it. */
async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const written = { out: '', err: '' };
  const into = (stream: 'out' | 'err') =>
    new Writable({
      write(chunk, _encoding, done) {
        written[stream] += String(chunk);
        done();
      },
    });
  const code = await main(['cron', ...args], { stdout: into('out'), stderr: into('err') });
  return { code, ...written };
}

describe('mini-synapse cron', () => {
  it('prints the next five runs with zone and offset (OP-86)', async () => {
    const from = ['--timezone', 'Europe/Berlin', '--from', '2026-03-27T12:00'];
    expect(await run('0 30 2 * * ?', ...from)).toEqual({
      code: 0,
      err: '',
      out: `Sat 2026-03-28 02:30:00 +01:00 Europe/Berlin
Sun 2026-03-29 03:00:00 +02:00 Europe/Berlin
Mon 2026-03-30 02:30:00 +02:00 Europe/Berlin
Tue 2026-03-31 02:30:00 +02:00 Europe/Berlin
Wed 2026-04-01 02:30:00 +02:00 Europe/Berlin
`,
    });
    expect((await run('0 30 2 * * ?', ...from, '--dst', 'quartz', '--count', '2')).out).toBe(
      'Sat 2026-03-28 02:30:00 +01:00 Europe/Berlin\nMon 2026-03-30 02:30:00 +02:00 Europe/Berlin\n',
    );
  });

  it('begins at the present, in the zone of the process', async () => {
    const { code, out } = await run('* * * * * ?');
    const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
    expect(code).toBe(0);
    expect(out.trimEnd().split('\n')).toHaveLength(5);
    expect(out).toContain(` ${zone}\n`);
  });

  it('takes a start with an offset, and says when there are fewer runs', async () => {
    const from = ['--timezone', 'UTC', '--from', '2026-12-31T23:00:00-05:00'];
    const expected = 'Fri 2027-01-01 12:00:00 +00:00 UTC\nno further run\n';
    expect(await run('0 0 12 1 1 ? 2026-2027', ...from)).toEqual({ code: 0, out: expected, err: '' });
  });

  it('shows where a wrong expression is wrong, and a fix', async () => {
    const { code, out, err } = await run('0 0 12 * * *');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(
      err,
    ).toBe(`Support for specifying both a day-of-week AND a day-of-month parameter is not implemented. (day-of-week '*')
  0 0 12 * * *
             ^
exactly one of day-of-month and day-of-week must be '?': write '0 0 12 * * ?'
`);
  });

  it('says that an expression never fires', async () => {
    const { code, err } = await run('0 0 0 30 2 ?');
    expect(code).toBe(1);
    expect(err).toContain("'0 0 0 30 2 ?' will never fire");
  });

  it.each([
    [[], 'expected: cron "<expression>"'],
    [['0', '0', '12', 'LICENSE', 'src', '?'], 'put the expression in quotes'],
    [['0 0 12 * * ?', '--timezone', 'Europe/Berlim'], "did you mean 'Europe/Berlin'?"],
    [['0 0 12 * * ?', '--count', '0'], '--count 0'],
    [['0 0 12 * * ?', '--from', 'tomorrow'], '--from tomorrow'],
    [['0 0 12 * * ?', '--dst', 'quarz'], "Did you mean 'quartz'?"],
    [['0 0 12 * * ?', '--zone', 'UTC'], '--zone'],
  ])('refuses wrong usage: %j', async (args, text) => {
    const { code, out, err } = await run(...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(text);
  });
});
