import { spawnSync } from 'node:child_process';
import { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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

describe('lines of the log', () => {
  it('are written at once, and those that follow in the same turn together at its end', async () => {
    const { written, lines } = writes();
    for (const line of ['a', 'b', 'c']) lines.write('info', line);
    expect(written).toEqual(['a\n']);
    await turn();
    expect(written).toEqual(['a\n', 'b\nc\n']);
    lines.write('info', 'd');
    expect(written.at(-1)).toBe('d\n');
    lines.close();
  });

  it('do not wait behind a warning, nor when they are many, nor for a stream that is closed', () => {
    const { written, lines } = writes();
    for (const line of ['a', 'b']) lines.write('info', line);
    lines.write('warn', 'c');
    expect(written).toEqual(['a\n', 'b\nc\n']);
    lines.write('info', 'd'.repeat(70_000));
    expect(written).toHaveLength(3);
    lines.write('info', 'e');
    lines.close();
    expect(written.at(-1)).toBe('e\n');
  });

  it('come whole and in order, whatever their levels and turns', async () => {
    const events = fc.array(fc.oneof(fc.constantFrom('info', 'debug', 'warn', 'error'), fc.constant('turn' as const)));
    await fc.assert(
      fc.asyncProperty(events, async (happens) => {
        const { written, lines } = writes();
        const expected: string[] = [];
        for (const [at, event] of happens.entries()) {
          if (event === 'turn') await turn();
          else {
            expected.push(`${event} ${at}\n`);
            lines.write(event, `${event} ${at}`);
          }
        }
        lines.close();
        expect(written.join('')).toBe(expected.join(''));
      }),
    );
  });

  it.each([
    ['process.exit(3)', 3],
    ["throw new Error('unexpected')", 1],
  ])('are there when a process ends by %s', (end, code) => {
    const script = `
      const { BoundedStream } = await import('${MODULE}');
      const lines = new BoundedStream(process.stdout);
      for (const line of ['a', 'b', 'c']) lines.write('info', line);
      ${end};`;
    const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect({ status, stdout }).toEqual({ status: code, stdout: 'a\nb\nc\n' });
  });
});
