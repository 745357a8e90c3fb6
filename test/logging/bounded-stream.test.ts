import { spawnSync } from 'node:child_process';
import { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BoundedStream } from '../../src/logging/bounded-stream.ts';

const MODULE = new URL('../../src/logging/bounded-stream.ts', import.meta.url).href;

function writes() {
  const written: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      done();
    },
  });
  return { written, lines: new BoundedStream(stream) };
}

/** So many within 100 ms are written singly. */
const SINGLY = 50;

describe('lines of the log', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
  afterEach(() => void vi.useRealTimers());

  function fewer(): ReturnType<typeof writes> {
    const made = writes();
    for (let line = 0; line < SINGLY; line += 1) made.lines.write('info', 'x');
    expect(made.written.splice(0)).toEqual(Array(SINGLY).fill('x\n'));
    return made;
  }

  it('are written at once while there are few, else those of a turn together at its end', async () => {
    const { written, lines } = fewer();
    for (const line of ['a', 'b']) lines.write('info', line);
    expect(written).toEqual([]);
    await turn();
    expect(written).toEqual(['a\nb\n']);
    lines.write('info', 'c');
    await turn();
    expect(written.at(-1)).toBe('c\n');
    vi.advanceTimersByTime(100);
    lines.write('info', 'd');
    expect(written.at(-1)).toBe('d\n');
    lines.close();
  });

  it('do not overtake those that wait when the 100 ms are over', async () => {
    const { written, lines } = fewer();
    lines.write('info', 'a');
    vi.advanceTimersByTime(100);
    lines.write('info', 'b');
    expect(written).toEqual([]);
    await turn();
    expect(written).toEqual(['a\nb\n']);
    lines.close();
  });

  it('do not wait behind a warning, nor when they are many characters, nor for a stream that is closed', () => {
    const { written, lines } = fewer();
    for (const line of ['a', 'b']) lines.write('info', line);
    lines.write('warn', 'c');
    expect(written).toEqual(['a\nb\nc\n']);
    lines.write('info', 'd'.repeat(70_000));
    expect(written).toHaveLength(2);
    lines.write('info', 'e');
    lines.close();
    expect(written.at(-1)).toBe('e\n');
  });

  it('come whole and in order, whatever their levels and turns', async () => {
    const events = fc.array(fc.constantFrom('info', 'debug', 'warn', 'error', 'many', 'turn', 'pause'), {
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(events, async (happens) => {
        const { written, lines } = writes();
        const expected: string[] = [];
        for (const [at, event] of happens.entries()) {
          if (event === 'turn') await turn();
          else if (event === 'pause') vi.advanceTimersByTime(60);
          else {
            for (let one = 0; one < (event === 'many' ? SINGLY : 1); one += 1) {
              expected.push(`${at} ${one}\n`);
              lines.write(event === 'many' ? 'info' : event, `${at} ${one}`);
            }
          }
        }
        lines.close();
        expect(written.join('')).toBe(expected.join(''));
      }),
    );
  });

  const rethrown = "process.on('uncaughtException', (error) => { throw error; }); throw new Error('unexpected')";
  const logs =
    "process.on('exit', () => { for (const line of ['c', 'd']) lines.write('info', line); }); process.exit(3)";
  it.each([
    ['process.exit(3)', 3, 'a\nb\n'],
    ["throw new Error('unexpected')", 1, 'a\nb\n'],
    // Node.js does not emit 'exit' then.
    [rethrown, 7, 'a\nb\n'],
    [logs, 3, 'a\nb\nc\nd\n'],
  ])('are there when a process ends by %s', (end, code, last) => {
    const script = `
      const { BoundedStream } = await import('${MODULE}');
      const lines = new BoundedStream(process.stdout);
      for (let line = 0; line < ${SINGLY}; line += 1) lines.write('info', 'x');
      for (const line of ['a', 'b']) lines.write('info', line);
      ${end};`;
    const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect({ status, stdout }).toEqual({ status: code, stdout: 'x\n'.repeat(SINGLY) + last });
  });
});
