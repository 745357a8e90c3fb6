import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { deadLetterOf, putAside } from '../../src/processors/dead-letter.ts';
import { DeliveryLedger } from '../../src/processors/delivery-ledger.ts';
import { fileNameOf, writeAtomically } from '../../src/processors/durable-file.ts';
import { judgeStatus } from '../../src/processors/outcome.ts';
import { RecordedStateFile } from '../../src/processors/recorded-state.ts';
import { retryAfterMs } from '../../src/processors/retry-after.ts';
import {
  afterDeath,
  afterFailure,
  type RetryPolicy,
  retryWait,
  suspensionWait,
} from '../../src/processors/retry-policy.ts';
import { parseStatusCodes } from '../../src/processors/status-codes.ts';
import { storedMessage } from './harness.ts';

const never = new AbortController().signal;
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'processor-parts-'));
});

afterEach(() => {
  vi.useRealTimers();
  rmSync(directory, { recursive: true, force: true });
});

describe('retry policy (spec stores 4.9)', () => {
  const policy: RetryPolicy = {
    maxAttempts: 3,
    retryIntervalMs: 1000,
    drop: false,
    failStore: undefined,
    lastResort: 'deactivate',
  };

  it.each<[Partial<RetryPolicy>, number, string]>([
    [{}, 2, 'retry'],
    [{}, 3, 'deactivate'],
    [{ lastResort: 'dead-letter' }, 3, 'dead-letter'],
    [{ failStore: 'F' }, 3, 'move'],
    [{ failStore: 'F', drop: true }, 3, 'drop'],
    [{ drop: true }, 2, 'retry'],
    [{ maxAttempts: 0, drop: true }, 1000, 'retry'],
    [{ maxAttempts: -1, failStore: 'F' }, 1000, 'retry'],
    [{ maxAttempts: 1 }, 1, 'deactivate'],
  ])('%j after %i attempts: %s', (change, attempts, step) => {
    expect(afterFailure({ ...policy, ...change }, attempts)).toBe(step);
  });

  it.each<[Partial<RetryPolicy>, string]>([
    [{ lastResort: 'deactivate' }, 'dead-letter'],
    [{ failStore: 'F' }, 'move'],
    [{ failStore: 'F', drop: true }, 'drop'],
  ])('%j after a dead answer: %s (OP-27)', (change, step) => {
    expect(afterDeath({ ...policy, ...change })).toBe(step);
  });

  it('pauses that grow stay between the first and the longest one, whatever chance says (OP-28)', () => {
    const share = { min: 0, max: 1, noNaN: true };
    fc.assert(
      fc.property(
        fc.record({
          initialMs: fc.integer({ min: 1, max: 10_000 }),
          factor: fc.double({ min: 1, max: 100, noNaN: true }),
          maxMs: fc.integer({ min: 10_000, max: 1_000_000 }),
          jitter: fc.double(share),
        }),
        fc.integer({ min: 1, max: 2000 }),
        fc.double({ ...share, maxExcluded: true }),
        (backOff, failures, random) => {
          const wait = retryWait({ ...policy, backOff }, failures, undefined, () => random);
          expect(wait).toBeLessThanOrEqual(backOff.maxMs);
          expect(wait).toBeGreaterThanOrEqual(Math.max(1, Math.floor(backOff.initialMs * (1 - backOff.jitter))));
        },
      ),
    );
  });

  it('a Retry-After counts only where it is honoured, and never beyond the bound', () => {
    const honouring = { ...policy, honoursRetryAfter: true };
    expect(retryWait(policy, 1, 60_000)).toBe(1000);
    expect(retryWait(honouring, 1, 60_000)).toBe(60_000);
    expect(retryWait(honouring, 1, 10)).toBe(1000);
    expect(retryWait(honouring, 1, 1e12)).toBe(300_000);
    const backOff = { initialMs: 10, factor: 2, maxMs: 5000, jitter: 0 };
    expect(retryWait({ ...honouring, backOff }, 1, 1e12)).toBe(5000);
  });

  it.each<[string | undefined, number | undefined]>([
    ['120', 120_000],
    [' 0 ', 0],
    ['Wed, 21 Oct 2015 07:28:00 GMT', 60_000],
    ['Wed, 21 Oct 2015 07:26:00 GMT', 0],
    ['Wednesday, 21-Oct-15 07:28:00 GMT', 60_000],
    ['-5', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['2015', 2_015_000],
    ['2015-10-21T07:28:00Z', undefined],
    ['99999999999', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('Retry-After: %j', (header, expected) => {
    expect(retryAfterMs(header, Date.UTC(2015, 9, 21, 7, 27))).toBe(expected);
  });

  it('every wait is a wait (REQ-54)', () => {
    expect(retryWait({ ...policy, retryIntervalMs: 0 })).toBe(1);
    expect(suspensionWait(policy, 5300, 5000)).toBe(300);
    expect(suspensionWait(policy, Number.POSITIVE_INFINITY, 5000)).toBe(1000);
    expect(suspensionWait({ ...policy, retryIntervalMs: 0 }, 9000, 5000)).toBe(100);
  });
});

describe('status codes (REQ-46)', () => {
  it('match exactly and by class', () => {
    const unreadable: string[] = [];
    const codes = parseStatusCodes(' 404,5xx, 40 ,4040,,3XX, 6xx,x', (entry) => unreadable.push(entry));
    expect([404, 500, 599, 302].map((status) => codes.includes(status))).toEqual([true, true, true, true]);
    expect([40, 4, 405, 400, 200, 600].some((status) => codes.includes(status))).toBe(false);
    expect(unreadable).toEqual(['40', '4040', '6xx', 'x']);
  });

  it('an unknown status is never success', () => {
    const everything = parseStatusCodes('1xx,2xx,3xx,4xx,5xx', () => undefined);
    expect(judgeStatus(undefined, { nonRetry: everything, retry: undefined })).toBe('unknown');
    expect(judgeStatus(100, { nonRetry: undefined, retry: parseStatusCodes('500', () => undefined) })).toBe(
      'transport-error',
    );
  });
});

describe('the ledger (REQ-31, REQ-32)', () => {
  it('lets one have a message at a time, in turn', async () => {
    const ledger = new DeliveryLedger();
    const order: string[] = [];
    const work = async (who: string) => {
      const claim = await ledger.claim('S', 'a', never);
      order.push(`${who} in`);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`${who} out`);
      claim?.end();
    };
    await Promise.all([work('1'), work('2'), work('3')]);
    expect(order).toEqual(['1 in', '1 out', '2 in', '2 out', '3 in', '3 out']);
    const other = await Promise.all([ledger.claim('S', 'b', never), ledger.claim('T', 'b', never)]);
    expect(other.every((claim) => claim !== undefined)).toBe(true);
  });

  it('a waiting claim ends with its signal', async () => {
    const ledger = new DeliveryLedger();
    await ledger.claim('S', 'a', never);
    const stop = new AbortController();
    const waiting = ledger.claim('S', 'a', stop.signal);
    stop.abort();
    expect(await waiting).toBeUndefined();
    expect(await ledger.claim('S', 'a', stop.signal)).toBeUndefined();
  });

  it('remembers what was delivered and not settled, until it is; not for ever, and not without bound', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const ledger = new DeliveryLedger();
    const visit = async (id: string, act: 'unsettled' | 'settled' | 'look') => {
      const claim = await ledger.claim('S', id, never);
      if (act !== 'look') claim?.[act]();
      claim?.end();
      return claim?.delivered;
    };
    expect(await visit('a', 'unsettled')).toBe(false);
    expect(await visit('a', 'settled')).toBe(true);
    expect(await visit('a', 'unsettled')).toBe(false);
    vi.setSystemTime(Date.now() + 3_600_001);
    expect(await visit('a', 'look')).toBe(false);
    for (let index = 0; index < 10_050; index += 1) await visit(`m${index}`, 'unsettled');
    expect(ledger.pending).toBe(10_000);
    expect(await visit('m49', 'look')).toBe(false);
    expect(await visit('m50', 'look')).toBe(true);
  });
});

describe('files', () => {
  it('names are safe, short and never equal for different things', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc.string({ unit: 'binary', maxLength: 300 }),
        (a, b) => {
          const name = fileNameOf(a);
          expect(name).toMatch(/^[A-Za-z0-9_%~-][A-Za-z0-9_.%~-]{0,179}$/);
          const same = Buffer.from(a).equals(Buffer.from(b));
          expect(fileNameOf(b) === name).toBe(same);
        },
      ),
    );
    expect(fileNameOf('Forwarder-1.a')).toBe('Forwarder-1.a');
    expect(fileNameOf('..')).toBe('%2E.');
    expect(fileNameOf('')).toBe('%');
  });

  it('are written whole, and a failed write leaves nothing behind', async () => {
    const path = join(directory, 'deep', 'file.json');
    await writeAtomically(path, 'one');
    await writeAtomically(path, 'two');
    expect(readFileSync(path, 'utf8')).toBe('two');
    expect(readdirSync(join(directory, 'deep'))).toEqual(['file.json']);
    writeFileSync(join(directory, 'plain'), '');
    await expect(writeAtomically(join(directory, 'plain', 'x'), 'no')).rejects.toThrow();
    await expect(writeAtomically(join(directory, 'deep'), 'no')).rejects.toThrow();
    expect(readdirSync(directory).sort()).toEqual(['deep', 'plain']);
  });

  it('a dead letter never takes the place of another message of the same id', async () => {
    const letter = deadLetterOf(storedMessage('same'), 'S', 'P', 'why');
    const other = { ...letter, bytes: Buffer.from('another body') };
    const paths = [
      await putAside(directory, letter),
      await putAside(directory, other),
      await putAside(directory, other),
    ];
    expect(new Set(paths).size).toBe(2);
    const bodies = paths.map((path) => readFileSync(path.replace(/json$/, 'body')));
    expect(bodies).toEqual([Buffer.from(letter.bytes), other.bytes, other.bytes]);
  });

  it('a dead letter can be put aside twice', async () => {
    const letter = deadLetterOf(storedMessage('a/b'), 'S/T', 'P', 'why');
    const path = await putAside(directory, letter);
    expect(await putAside(directory, letter)).toBe(path);
    expect(path).toBe(join(directory, 'dead-letter', 'S%2FT', 'a%2Fb.json'));
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ id: 'a/b', store: 'S/T', reason: 'why', bytes: 17 });
  });
});

describe('the recorded state', () => {
  const state = {
    state: 'PAUSED',
    condition: 'DEACTIVATED',
    since: 5,
    by: 'itself',
    reason: 'r',
    messageId: 'm',
  } as const;

  it('is what was written last, in order', async () => {
    const file = new RecordedStateFile(directory, 'P');
    expect(await file.read()).toBeUndefined();
    const writes = [1, 2, 3, 4, 5].map((since) => file.write({ ...state, since }));
    await Promise.all(writes);
    expect(await new RecordedStateFile(directory, 'P').read()).toEqual(state);
    await file.remove();
    expect(await file.read()).toBeUndefined();
    expect(existsSync(join(directory, 'message-processors', 'P.json'))).toBe(false);
  });

  it('holds in memory when the disk does not take it', async () => {
    writeFileSync(join(directory, 'message-processors'), 'in the way');
    const file = new RecordedStateFile(directory, 'P');
    await file.write(state);
    expect(await file.read()).toEqual(state);
  });
});
