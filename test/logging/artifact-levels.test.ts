import { afterEach, describe, expect, it } from 'vitest';
import {
  artifactLogLevels,
  type LogRecord,
  logger,
  onLogRecord,
  setArtifactLogLevel,
} from '../../src/logging/index.ts';
import { LogRing } from '../../src/logging/log-ring.ts';
import { shownRecord } from '../../src/logging/shown-record.ts';
import { waitFor } from '../support/wait-for.ts';

const ORDERS = { kind: 'proxy', name: 'Orders' };
const log = logger('ArtifactLevelsTest');
const details = { artifactKind: 'proxy', artifact: 'Orders', messageId: 'urn:uuid:1' };

afterEach(() => {
  for (const artifact of artifactLogLevels()) setArtifactLogLevel(artifact, undefined);
});

/** What is logged meanwhile. */
function heard(work: () => void): string[] {
  const lines: string[] = [];
  const stop = onLogRecord(({ message }) => lines.push(message));
  work();
  stop();
  return lines;
}

describe('the level of an artifact (OP-67)', () => {
  it('is that of the lines about its messages, and of no others', () => {
    setArtifactLogLevel(ORDERS, 'debug');
    expect(log.enabled('debug')).toBe(true);
    expect(
      heard(() => {
        log.debug('about orders', details);
        log.debug('about another', { ...details, artifact: 'Other' });
        log.debug('about nothing');
      }),
    ).toEqual(['about orders']);
  });

  it('can silence it, and is given back by itself', async () => {
    setArtifactLogLevel(ORDERS, 'error', 20);
    expect(heard(() => log.warn('hidden', details))).toEqual([]);
    await waitFor(() => artifactLogLevels().length === 0, { what: 'the reset' });
    expect(heard(() => log.warn('shown', details))).toEqual(['shown']);
  });

  it('says when it goes back by itself', () => {
    const before = Date.now();
    setArtifactLogLevel(ORDERS, 'debug', 60_000);
    const at = artifactLogLevels()[0]?.resetsAt ?? 0;
    expect(at).toBeGreaterThanOrEqual(before + 60_000);
    expect(at).toBeLessThanOrEqual(Date.now() + 60_000);
    setArtifactLogLevel(ORDERS, 'debug');
    expect(artifactLogLevels()[0]?.resetsAt).toBeUndefined();
  });

  it('is found by processor and store, too', () => {
    setArtifactLogLevel({ kind: 'messageProcessor', name: 'P' }, 'trace');
    expect(heard(() => log.debug('of P', { processor: 'P', store: 'S' }))).toEqual(['of P']);
  });
});

function record(n: number, more: Partial<LogRecord> = {}): LogRecord {
  return { time: n, level: 'info', category: 'Test', message: `line ${n}`, details: {}, ...more };
}

describe('the tail of the log', () => {
  it('is bounded in lines and in characters', () => {
    const ring = new LogRing();
    for (let n = 0; n < 3_000; n += 1) ring.add(record(n));
    expect(ring.tail({ lines: 5_000 })).toHaveLength(2_000);
    for (let n = 0; n < 1_000; n += 1) ring.add(record(n, { message: 'x'.repeat(1_000_000) }));
    const kept = ring.tail({ lines: 5_000 });
    expect(kept.reduce((sum, { message }) => sum + message.length, 0)).toBeLessThanOrEqual(4 * 1024 * 1024);
    expect(kept[0]?.message).toContain('more characters');
  });

  it('is filtered by level, artifact and message', () => {
    const ring = new LogRing();
    ring.add(record(1, { level: 'debug' }));
    ring.add(record(2, { level: 'error', details: { store: 'S', messageId: 'm' } }));
    ring.add(record(3, { details: { artifact: 'S' } }));
    const lines = (filter: Omit<Parameters<LogRing['tail']>[0], 'lines'>) =>
      ring.tail({ lines: 10, ...filter }).map(({ time }) => time);
    expect(lines({})).toEqual([1, 2, 3]);
    expect(lines({ level: 'info' })).toEqual([2, 3]);
    expect(lines({ artifact: 'S' })).toEqual([2, 3]);
    expect(lines({ messageId: 'm' })).toEqual([2]);
  });

  it('shows what a line is about as members of their own', () => {
    const shown = shownRecord(record(0, { details: { ...details, file: 'a.xml', line: 3, attempt: 2 } }));
    expect(shown).toEqual({
      time: '1970-01-01T00:00:00.000Z',
      level: 'info',
      logger: 'Test',
      message: 'line 0',
      artifact: { kind: 'proxy', name: 'Orders' },
      messageId: 'urn:uuid:1',
      file: 'a.xml',
      line: 3,
      attempt: 2,
    });
  });
});
