import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BackOff, ConnectError, type ConnectionFailure, failureOf } from '../../../src/stores/broker/back-off.ts';
import { ConnectionAttempts } from '../../../src/stores/broker/connection-attempts.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const DEADLINE_MS = 5_000;

/** A server that answers an attempt after so long, ms; never: the attempt ends by its deadline. */
function serverThat(answerMs: (attempt: number) => number | ConnectionFailure, heedsSignal = true) {
  const began: number[] = [];
  const failures: ConnectionFailure[] = [];
  const discarded: number[] = [];
  let open = 0;
  let mostOpen = 0;
  const begin = performance.now();
  const attempts = new ConnectionAttempts<number>({
    open(signal) {
      const number = began.push(Math.round(performance.now() - begin));
      const answer = answerMs(number);
      if (typeof answer === 'string') return Promise.reject(new ConnectError(answer, answer));
      open += 1;
      mostOpen = Math.max(mostOpen, open);
      return new Promise<number>((resolve, reject) => {
        const fail = (failure: ConnectionFailure) => reject(new ConnectError(failure, failure));
        setTimeout(() => (answer < DEADLINE_MS ? resolve(number) : fail('silent')), Math.min(answer, DEADLINE_MS));
        if (heedsSignal) signal.addEventListener('abort', () => fail('dropped'));
      }).finally(() => {
        open -= 1;
      });
    },
    onFailure(error) {
      failures.push(failureOf(error));
      return failureOf(error);
    },
    discard: async (connection) => void discarded.push(connection),
    backOff: new BackOff(() => 0.5),
  });
  const seen = {
    began,
    failures,
    discarded,
    get open() {
      return open;
    },
    get mostOpen() {
      return mostOpen;
    },
  };
  return { attempts, seen };
}

const NEVER = Number.POSITIVE_INFINITY;
const FOR_EVER = new AbortController().signal;

describe('attempts to connect', () => {
  it('ask a silent peer every 1.7 s, three at one time at most, and each has its full deadline', async () => {
    const { attempts, seen } = serverThat(() => NEVER);
    const stop = new AbortController();
    const connecting = attempts.connect(stop.signal);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(seen.began).toEqual([0, 1_700, 3_400, 5_100, 6_800, 8_500]);
    expect(seen.failures).toEqual(['silent', 'silent', 'silent']);
    expect(seen.mostOpen).toBe(3);
    stop.abort();
    expect(await connecting).toBeUndefined();
    await attempts.settled();
    expect(seen.open).toBe(0);
    expect(seen.failures).toHaveLength(3);
  });

  it('find the server that is back on the address of a silent peer, whose attempts still hang', async () => {
    let back = false;
    const { attempts, seen } = serverThat(() => (back ? 20 : NEVER));
    const connecting = attempts.connect(FOR_EVER);
    await vi.advanceTimersByTimeAsync(7_000);
    back = true;
    await vi.advanceTimersByTimeAsync(1_720);
    expect(await connecting).toBe(seen.began.length);
    expect(seen.open).toBe(0);
  });

  it('let a server that always needs 4.5 s in: the first attempt wins, those beside it are ended', async () => {
    const { attempts, seen } = serverThat(() => 4_500);
    const connecting = attempts.connect(FOR_EVER);
    await vi.advanceTimersByTimeAsync(4_500);
    expect(await connecting).toBe(1);
    expect(seen).toMatchObject({ began: [0, 1_700, 3_400], failures: [], discarded: [], open: 0 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(seen.began).toHaveLength(3);
  });

  it('close what comes when there is one already, where an attempt cannot be ended', async () => {
    const { attempts, seen } = serverThat((attempt) => (attempt === 1 ? 3_000 : 100), false);
    const connecting = attempts.connect(FOR_EVER);
    await vi.advanceTimersByTimeAsync(1_800);
    expect(await connecting).toBe(2);
    expect(seen.discarded).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_200);
    await attempts.settled();
    expect(seen.discarded).toEqual([1]);
  });

  it('pause after a refusal while another one still waits for its answer', async () => {
    const { attempts, seen } = serverThat((attempt) => (attempt === 1 ? 4_000 : 'dropped'));
    const connecting = attempts.connect(FOR_EVER);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(await connecting).toBe(1);
    expect(seen.began).toEqual([0, 1_700, 1_800, 2_000, 2_400, 3_200]);
    expect(new Set(seen.failures)).toEqual(new Set(['dropped']));
  });

  it('begin none while the gate is shut', async () => {
    let opened = 0;
    const gate = Promise.withResolvers<void>();
    const attempts = new ConnectionAttempts<string>({
      gate: () => gate.promise,
      open: async () => `connection ${++opened}`,
      onFailure: failureOf,
      discard: async () => undefined,
      backOff: new BackOff(),
    });
    const connecting = attempts.connect(FOR_EVER);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(opened).toBe(0);
    gate.resolve();
    expect(await connecting).toBe('connection 1');
  });
});
