import { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BoundedStream } from '../../src/logging/bounded-stream.ts';
import {
  closeLogging,
  configureLogging,
  flushLogging,
  logger,
  startWinston,
  textLine,
} from '../../src/logging/index.ts';
import { StormGuard } from '../../src/logging/storm-guard.ts';

function collector(): { stream: Writable; lines: () => string[] } {
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  return { stream, lines: () => text.split('\n').filter((line) => line !== '') };
}

afterEach(closeLogging);

describe('log lines', () => {
  it('have the layout that monitoring rules match on (spec stores 11)', () => {
    const time = new Date(2026, 4, 1, 12, 0, 0, 7).getTime();
    const record = { time, category: 'LogMediator', message: 'hello', details: {} };
    expect(textLine({ ...record, level: 'info' })).toBe('[2026-05-01 12:00:00,007]  INFO {LogMediator} - hello');
    expect(textLine({ ...record, level: 'error' })).toBe('[2026-05-01 12:00:00,007] ERROR {LogMediator} - hello');
  });

  it('say their own time, whatever that of the line before was', () => {
    const start = new Date(2026, 9, 25, 1, 59, 58).getTime();
    const steps = fc.array(fc.oneof(fc.integer({ min: -1_500, max: 1_500 }), fc.integer({ min: -1e9, max: 1e9 })));
    fc.assert(
      fc.property(steps, (ms) => {
        let time = start;
        for (const step of ms) {
          time += step;
          const [, shown = ''] = /^\[(.{23})\]/.exec(
            textLine({ time, level: 'info', category: 'Test', message: '', details: {} }),
          ) ?? [''];
          const date = new Date(time);
          const said = shown.split(/[- :,]/).map(Number);
          expect(said).toEqual([
            date.getFullYear(),
            date.getMonth() + 1,
            date.getDate(),
            date.getHours(),
            date.getMinutes(),
            date.getSeconds(),
            date.getMilliseconds(),
          ]);
        }
      }),
    );
  });

  it('neither steer a terminal nor look like two events because of what a message says', () => {
    const record = { time: 0, level: 'info', category: 'LogMediator', details: {} } as const;
    const text = (message: string) => textLine({ ...record, message }).replace(/^.* - /, '');
    expect(text('one\r\ntwo\tx\n  three')).toBe('one\ntwo\tx\n  three');
    expect(text('\u001b[2J\u0007\u009b')).toBe('\\u001b[2J\\u0007\\u009b');
    expect(text('a\n[2026-05-01 12:00:00,007] ERROR {Forged} - x')).toBe(
      'a\n [2026-05-01 12:00:00,007] ERROR {Forged} - x',
    );
  });

  it.each([{ startsWinstonLater: true }, { startsWinstonLater: false }])(
    'stand before what others write to the same stream behind them: %o',
    (how) => {
      const { stream, lines } = collector();
      configureLogging({ stream, ...how });
      // More than are written singly.
      for (let line = 0; line < 500; line += 1) logger('Test').info(`line ${line}`);
      flushLogging();
      stream.write('mini-synapse ready\n');
      expect(lines().at(-2)).toMatch(/line 499$/);
      expect(lines()).toHaveLength(501);
    },
  );

  it('as JSON are one object a line with the details beside the message', () => {
    const { stream, lines } = collector();
    configureLogging({ format: 'json', stream });
    logger('Test').info('two\nlines', { messageId: 'urn:uuid:1' });
    expect(lines()).toHaveLength(1);
    expect(JSON.parse(lines()[0] ?? '')).toMatchObject({
      level: 'info',
      logger: 'Test',
      message: 'two\nlines',
      messageId: 'urn:uuid:1',
    });
  });

  it('before winston is loaded are those that come after', async () => {
    const { stream, lines } = collector();
    configureLogging({ stream, startsWinstonLater: true });
    logger('Test').info('one', { messageId: 'urn:uuid:1' });
    startWinston();
    logger('Test').info('one', { messageId: 'urn:uuid:1' });
    startWinston();
    logger('Test').debug('unheard');
    await turn();
    expect(lines().map((line) => line.replace(/^\[[^\]]*\]/, ''))).toEqual(
      Array.from({ length: 2 }, () => '  INFO {Test} - one (message urn:uuid:1)'),
    );
  });

  it('as text say at their end what they are about, unless that is not wanted (OP-70)', () => {
    const details = { messageId: 'urn:uuid:1', artifactKind: 'proxy', artifact: 'P' };
    const first = collector();
    configureLogging({ stream: first.stream });
    logger('Test').info('hello', details);
    expect(first.lines()[0]).toMatch(/ - hello \(proxy P, message urn:uuid:1\)$/);
    const second = collector();
    configureLogging({ stream: second.stream, details: false });
    logger('Test').info('hello', details);
    expect(second.lines()[0]).toMatch(/ - hello$/);
  });

  it('below the level are not written', () => {
    const { stream, lines } = collector();
    configureLogging({ level: 'warn', stream });
    const log = logger('Test');
    log.info('quiet');
    log.warn('loud');
    expect(lines()).toHaveLength(1);
    expect(log.enabled('info')).toBe(false);
  });
});

describe('a reader of the log that is too slow (OP-71)', () => {
  it('costs info lines, not errors and not memory, and is told how many', () => {
    let written = '';
    let waiting = 2 * 1024 * 1024;
    const stream = {
      write: (text: string) => {
        written += text;
        return false;
      },
      get writableLength() {
        return waiting;
      },
    };
    const bounded = new BoundedStream(stream as unknown as NodeJS.WritableStream);
    const line = (level: string, text: string) => bounded.write(level, text);
    line('info', 'one');
    line('info', 'two');
    line('error', 'kept');
    waiting = 0;
    line('info', 'three');
    bounded.flush();
    expect(written).toBe('kept\n(2 log lines dropped: the reader of the log is too slow)\nthree\n');
  });

  it('costs errors too when it reads nothing at all: differing ones wait up to a bound, and are counted', async () => {
    const written: string[] = [];
    let stalled = true;
    let waiting = 0;
    const stream = {
      write: (text: string) => {
        if (stalled) waiting += text.length;
        else written.push(text);
        return !stalled;
      },
      get writableLength() {
        return waiting;
      },
    } as unknown as NodeJS.WritableStream;
    configureLogging({ stream });
    const log = logger('Stalled');
    const errors = 400;
    const long = 'x'.repeat(100_000);
    for (let number = 0; number < errors; number += 1) log.error(`error ${number} ${long}`);
    expect(waiting).toBeGreaterThan(16 * 1024 * 1024);
    expect(waiting).toBeLessThan(16.2 * 1024 * 1024);
    const kept = Math.floor(waiting / long.length);
    stalled = false;
    waiting = 0;
    log.info('room again');
    await turn();
    const dropped = errors - kept;
    const [told, next] = written.join('').split('\n');
    expect(told).toBe(
      `(${dropped} log lines dropped, ${dropped} of them warnings or errors: the reader of the log is too slow)`,
    );
    expect(next).toContain('room again');
  });

  it('is told at the end, if not before', () => {
    const written: string[] = [];
    const stream = { write: (text: string) => written.push(text), writableLength: 2 * 1024 * 1024 };
    configureLogging({ stream: stream as unknown as NodeJS.WritableStream });
    logger('Stalled').info('lost');
    closeLogging();
    expect(written).toEqual(['(1 log lines dropped: the reader of the log is too slow)\n']);
  });

  it('is told as one more object where lines are NDJSON (OP-71)', () => {
    const written: string[] = [];
    const stream = { write: (text: string) => written.push(text), writableLength: 2 * 1024 * 1024 };
    configureLogging({ stream: stream as unknown as NodeJS.WritableStream, format: 'json' });
    logger('Stalled').info('lost');
    closeLogging();
    expect(written.map((line) => JSON.parse(line))).toEqual([
      {
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        level: 'warn',
        logger: 'Logging',
        message: '1 log lines dropped: the reader of the log is too slow',
      },
    ]);
  });
});

describe('equal events in a row (OP-70)', () => {
  function guarded() {
    const summaries: Array<[last: string, count: number, windowMs: number]> = [];
    const guard = new StormGuard<string>({
      allowed: 2,
      windowMs: 1000,
      longestWindowMs: 3000,
      onSummary: (...summary) => summaries.push(summary),
    });
    return { guard, summaries };
  }

  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('are collapsed into a count at the end of the window', () => {
    const { guard, summaries } = guarded();
    const passed = [1, 2, 3, 4, 5].map((number) => guard.admit('key', `event ${number}`));
    expect(passed).toEqual([true, true, false, false, false]);
    expect(guard.admit('other', 'x')).toBe(true);
    vi.advanceTimersByTime(1000);
    expect(summaries).toEqual([['event 5', 3, 1000]]);
  });

  it('that go on faster than allowed are told of ever more rarely', () => {
    const { guard, summaries } = guarded();
    let passed = 0;
    for (let event = 0; event < 400; event += 1) {
      if (guard.admit('key', 'down')) passed += 1;
      vi.advanceTimersByTime(100);
    }
    expect(passed).toBe(2);
    expect(summaries.map(([, , windowMs]) => windowMs).slice(0, 5)).toEqual([1000, 2000, 3000, 3000, 3000]);
    guard.flush();
    expect(summaries.reduce((sum, [, count]) => sum + count, passed)).toBe(400);
  });

  it('pass again when it was quiet for a window', () => {
    const { guard } = guarded();
    for (let event = 0; event < 5; event += 1) guard.admit('key', 'down');
    vi.advanceTimersByTime(1000);
    expect(guard.admit('key', 'held in the second window')).toBe(false);
    vi.advanceTimersByTime(2000 + 3000);
    expect(guard.admit('key', 'news')).toBe(true);
  });
});
