import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BackOff, type ConnectionFailure } from '../../src/stores/broker/back-off.ts';
import { ConnectionSupervisor } from '../../src/stores/broker/supervisor.ts';
import { StompConnectError, type StompConnection, StompLostError } from '../../src/stores/stomp/connection.ts';
import { heartBeatHeader, startHeartBeat } from '../../src/stores/stomp/heart-beat.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the back-off', () => {
  it('doubles from 100 ms up to 1.7 s', () => {
    const backOff = new BackOff(() => 0.5);
    const waits = Array.from({ length: 7 }, () => backOff.failed('dropped'));
    expect(waits).toEqual([100, 200, 400, 800, 1_600, 1_700, 1_700]);
  });

  it.each(['unreachable', 'silent', 'dropped', 'lost'] as const)(
    'leaves a second of the three for connecting and delivering (%s)',
    (failure) => {
      const backOff = new BackOff(() => 0.999_999);
      const waits = Array.from({ length: 20 }, () => backOff.failed(failure));
      expect(Math.max(...waits)).toBeLessThan(2_050);
    },
  );

  it('asks a port that refuses every second, and forgets failures only when told', () => {
    const backOff = new BackOff(() => 0.5);
    for (let failures = 0; failures < 20; failures += 1) backOff.failed('unreachable');
    expect(backOff.failed('unreachable')).toBe(1_000);
    backOff.reset();
    expect(backOff.failed('unreachable')).toBe(100);
  });

  it('spreads by a fifth to both sides', () => {
    expect(new BackOff(() => 0).failed('lost')).toBe(80);
    expect(new BackOff(() => 0.999_999).failed('lost')).toBeCloseTo(120, 2);
  });
});

describe('the supervisor (OP-10, OP-12)', () => {
  const failing = (failure: ConnectionFailure) => () => Promise.reject(new StompConnectError(failure, failure));

  /** What the supervisor sees of a connection. */
  function connection(hasWorked = true) {
    const { promise, resolve } = Promise.withResolvers<StompLostError>();
    const lose = () => resolve(new StompLostError('lost'));
    const close = async () => lose();
    return { lose, is: { ended: promise, hasWorked, close } as unknown as StompConnection };
  }

  function supervise(open: () => Promise<StompConnection>, random = () => 0.5) {
    const attempts: number[] = [];
    const hosts: string[] = [];
    const supervisor = new ConnectionSupervisor({
      endpoints: ['a', 'b'].map((host) => ({ host, port: 1, tls: false })),
      open: (endpoint) => {
        attempts.push(Math.round(performance.now()));
        hosts.push(endpoint.host);
        return open();
      },
      onConnected: () => undefined,
      onFailure: () => undefined,
      random,
    });
    const begin = performance.now();
    supervisor.start();
    return { supervisor, hosts, since: () => attempts.map((at) => at - Math.round(begin)) };
  }

  it.each([0, 0.5, 0.999])(
    'connects at most 26 times in 30 s to a server that accepts and drops (%d)',
    async (luck) => {
      const { supervisor, since, hosts } = supervise(failing('dropped'), () => luck);
      await vi.advanceTimersByTimeAsync(30_000);
      expect(since()[0]).toBe(0);
      expect(since().length).toBeGreaterThan(15);
      expect(since().length).toBeLessThanOrEqual(26);
      expect(hosts.slice(0, 4)).toEqual(['a', 'b', 'a', 'b']);
      expect(supervisor.state).toBe('DOWN');
      await supervisor.close();
      expect(supervisor.state).toBe('CLOSED');
      await vi.advanceTimersByTimeAsync(60_000);
      expect(since().length).toBeLessThanOrEqual(26);
    },
  );

  it('connects at most 26 times in 30 s to a server that logs in and drops', async () => {
    const { supervisor, since } = supervise(async () => {
      const dropped = connection(false);
      dropped.lose();
      return dropped.is;
    });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(since().length).toBeLessThanOrEqual(26);
    await supervisor.close();
  });

  it('finds a port that opens after a minute within 1.2 s', async () => {
    let open = failing('unreachable') as () => Promise<StompConnection>;
    const { supervisor } = supervise(
      () => open(),
      () => 0.999,
    );
    expect(supervisor.state).toBe('CONNECTING');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(supervisor.state).toBe('DOWN');
    const up = connection();
    open = async () => up.is;
    await vi.advanceTimersByTimeAsync(1_200);
    expect(supervisor.state).toBe('READY');
    await supervisor.close();
  });

  it('reconnects at once after a healthy session, and soon after a short one', async () => {
    const sessions: Array<ReturnType<typeof connection>> = [];
    const { supervisor, since, hosts } = supervise(async () => {
      const session = connection();
      sessions.push(session);
      return session.is;
    });
    await vi.advanceTimersByTimeAsync(1_000);
    sessions[0]?.lose();
    await vi.advanceTimersByTimeAsync(99);
    expect(supervisor.state).toBe('DOWN');
    await vi.advanceTimersByTimeAsync(1);
    expect(supervisor.state).toBe('READY');
    await vi.advanceTimersByTimeAsync(30_000);
    sessions[1]?.lose();
    await vi.advanceTimersByTimeAsync(0);
    expect(since()).toEqual([0, 1_100, 31_100]);
    expect(hosts).toEqual(['a', 'a', 'a']);
    await supervisor.close();
  });

  it('is DEGRADED while somebody has trouble', async () => {
    const up = connection();
    const { supervisor } = supervise(async () => up.is);
    await vi.advanceTimersByTimeAsync(0);
    supervisor.trouble('C-1', 'no connection');
    supervisor.trouble('C-2', 'no connection either');
    expect([supervisor.state, supervisor.lastError]).toEqual(['DEGRADED', 'no connection either']);
    supervisor.troubleOver('C-1');
    expect(supervisor.state).toBe('DEGRADED');
    supervisor.troubleOver('C-2');
    expect(supervisor.state).toBe('READY');
    await supervisor.close();
  });

  it('wakes who waits for a connection, also by the end of waiting', async () => {
    const { promise, resolve } = Promise.withResolvers<StompConnection>();
    const { supervisor } = supervise(() => promise);
    const stop = new AbortController();
    const aborted = supervisor.connected(stop.signal);
    const waiting = supervisor.connected(new AbortController().signal);
    stop.abort();
    expect(await aborted).toBeUndefined();
    const up = connection();
    resolve(up.is);
    expect(await waiting).toBe(up.is);
    await supervisor.close();
    expect(await supervisor.connected(new AbortController().signal)).toBeUndefined();
  });
});

describe('the heart-beat (OP-13)', () => {
  function session(intervalMs: number, serverHeader: string | undefined) {
    const begin = performance.now();
    const seen = { lastReceivedAt: begin, beats: 0, deadAt: undefined as number | undefined };
    const stop = startHeartBeat({
      intervalMs,
      serverHeader,
      lastReceivedAt: () => seen.lastReceivedAt,
      beat: () => {
        seen.beats += 1;
      },
      dead: () => {
        seen.deadAt = performance.now() - begin;
      },
    });
    return { seen, stop };
  }

  it.each([
    [10_000, 25_000],
    [2_000, 5_000],
  ])('gives a peer up between 2 and 2.5 intervals of %d ms', (intervalMs, latestMs) => {
    const { seen } = session(intervalMs, `${intervalMs},${2 * intervalMs}`);
    vi.advanceTimersByTime(60_000);
    expect(seen.deadAt).toBeGreaterThan(2.2 * intervalMs);
    expect(seen.deadAt).toBeLessThanOrEqual(latestMs);
  });

  it('lives as long as something comes in every second interval', () => {
    const { seen, stop } = session(2_000, '2000,4000');
    for (let times = 0; times < 10; times += 1) {
      vi.advanceTimersByTime(4_000);
      seen.lastReceivedAt = performance.now();
    }
    expect(seen.deadAt).toBeUndefined();
    stop();
  });

  it('promises more than it needs and beats twice per interval', () => {
    expect(heartBeatHeader(10_000)).toBe('20000,10000');
    const { seen, stop } = session(10_000, '0,20000');
    vi.advanceTimersByTime(100_000);
    expect(seen.beats).toBeGreaterThanOrEqual(19);
    expect(seen.deadAt).toBeUndefined();
    stop();
    vi.advanceTimersByTime(100_000);
    expect(seen.beats).toBeLessThanOrEqual(21);
  });

  it('does not judge right after a stall of our own', () => {
    const { seen, stop } = session(2_000, '2000,4000');
    vi.advanceTimersByTime(3_500);
    // The event loop stands still for 1.5 s: time passes, timers do not fire, and what came in is not read yet.
    const real = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => real() + 1_500);
    vi.advanceTimersByTime(50);
    expect(seen.deadAt).toBeUndefined();
    seen.lastReceivedAt = performance.now();
    vi.advanceTimersByTime(2_000);
    expect(seen.deadAt).toBeUndefined();
    stop();
    vi.restoreAllMocks();
  });
});
