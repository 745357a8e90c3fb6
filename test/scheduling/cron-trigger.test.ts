import { getTasks } from 'node-cron';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type CronTrigger, cronTrigger, QuartzSyntaxError, type WallClock } from '../../src/scheduling/index.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const NOON = Date.UTC(2026, 4, 5, 12);

/** Keeps what ticked, and lets a tick last until the test ends it. */
class Work {
  readonly due: string[] = [];
  readonly errors: unknown[] = [];
  atOnce = 0;
  mostAtOnce = 0;
  #ends: (() => void)[] = [];
  slow = false;

  readonly onTick = async (due: number): Promise<void> => {
    this.due.push(new Date(due).toISOString().slice(11, 19));
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.atOnce);
    if (this.slow) await new Promise<void>((resolve) => this.#ends.push(resolve));
    this.atOnce--;
  };

  readonly onError = (error: unknown): void => {
    this.errors.push(error);
  };

  end(): void {
    this.#ends.shift()?.();
  }
}

function start(work: Work, expression: string, clock?: WallClock): CronTrigger {
  const trigger = cronTrigger(expression, work.onTick, { timeZone: 'UTC', clock, onError: work.onError });
  trigger.start();
  return trigger;
}

describe('a cron trigger on the clock of the machine', () => {
  let work: Work;
  let trigger: CronTrigger | undefined;
  beforeEach(() => {
    vi.useFakeTimers({ now: NOON });
    work = new Work();
  });
  afterEach(() => {
    trigger?.stop();
    expect(vi.getTimerCount()).toBe(0);
    expect(getTasks().size).toBe(0);
    vi.useRealTimers();
  });

  it('ticks at the times of its expression', async () => {
    trigger = start(work, '0/20 * * * * ?');
    expect(trigger.next()).toBe(NOON + 20 * SECOND);
    await vi.advanceTimersByTimeAsync(19 * SECOND);
    expect(work.due).toEqual([]);
    await vi.advanceTimersByTimeAsync(51 * SECOND);
    expect(work.due).toEqual(['12:00:20', '12:00:40', '12:01:00']);
    expect(trigger.next()).toBe(NOON + 80 * SECOND);
  });

  it('waits for hours, over midnight', async () => {
    trigger = start(work, '0 0 1 6 5 ?');
    await vi.advanceTimersByTimeAsync(13 * HOUR - SECOND);
    expect(work.due).toEqual([]);
    await vi.advanceTimersByTimeAsync(SECOND);
    expect(work.due).toEqual(['01:00:00']);
  });

  it('looks at the year', async () => {
    trigger = start(work, '30 0 12 5 5 ? 2028-2030');
    expect(trigger.next()).toBe(Date.UTC(2028, 4, 5, 12, 0, 30));
    await vi.advanceTimersByTimeAsync(HOUR);
    expect(work.due).toEqual([]);
  });

  it('holds no timer once its expression has no run left', async () => {
    trigger = start(work, '0,30 1 12 5 5 ? 2026');
    await vi.advanceTimersByTimeAsync(2 * MINUTE);
    expect(work.due).toEqual(['12:01:00', '12:01:30']);
    expect(trigger.next()).toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('runs through both passes of a repeated hour', async () => {
    vi.setSystemTime(Date.parse('2026-11-01T00:30:00-04:00'));
    const options = { timeZone: 'America/New_York', onError: work.onError };
    trigger = cronTrigger('0 0/30 * * * ?', work.onTick, options);
    trigger.start();
    await vi.advanceTimersByTimeAsync(3 * HOUR);
    expect(work.due).toEqual(['05:00:00', '05:30:00', '06:00:00', '06:30:00', '07:00:00', '07:30:00']);
  });

  it('never runs twice at a time: what comes due meanwhile is one run', async () => {
    work.slow = true;
    trigger = start(work, '0/10 * * * * ?');
    await vi.advanceTimersByTimeAsync(45 * SECOND);
    expect(work.due).toEqual(['12:00:10']);
    work.end();
    await vi.advanceTimersByTimeAsync(0);
    expect(work.due).toEqual(['12:00:10', '12:00:20']);
    work.end();
    await vi.advanceTimersByTimeAsync(0);
    expect(work.due).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(5 * SECOND);
    expect(work.due).toEqual(['12:00:10', '12:00:20', '12:00:50']);
    expect(work.mostAtOnce).toBe(1);
    work.end();
  });

  it('makes one run of all that was missed while the machine slept', async () => {
    trigger = start(work, '* * * * * ?');
    await vi.advanceTimersByTimeAsync(SECOND);
    vi.setSystemTime(NOON + 8 * HOUR + 500);
    await vi.advanceTimersByTimeAsync(SECOND);
    expect(work.due.slice(0, 2)).toEqual(['12:00:01', '12:00:02']);
    // no more than the second in which it looked again, and the one after it
    expect(work.due.length).toBeLessThanOrEqual(3);
    expect(trigger.next()).toBeGreaterThan(NOON + 8 * HOUR);
  });

  it('notices within a minute that the clock was put forward past a run', async () => {
    trigger = start(work, '0 0 18 * * ?');
    vi.setSystemTime(NOON + 7 * HOUR);
    await vi.advanceTimersByTimeAsync(MINUTE + 2 * SECOND);
    expect(work.due).toEqual(['18:00:00']);
    expect(trigger.next()).toBe(NOON + 30 * HOUR);
  });

  it('plans anew when a wrong date was set right', async () => {
    vi.setSystemTime(Date.UTC(2098, 0));
    trigger = start(work, '0 0/5 * * * ?');
    await vi.advanceTimersByTimeAsync(MINUTE);
    vi.setSystemTime(NOON);
    await vi.advanceTimersByTimeAsync(6 * MINUTE);
    expect(work.due).toEqual(['12:05:00']);
  });

  it('does not repeat a run when the clock is put back a little', async () => {
    trigger = start(work, '0 1 12 * * ?');
    await vi.advanceTimersByTimeAsync(MINUTE);
    vi.setSystemTime(NOON + 40 * SECOND);
    await vi.advanceTimersByTimeAsync(5 * MINUTE);
    expect(work.due).toEqual(['12:01:00']);
  });

  it('goes on after a tick that failed, and says so', async () => {
    const failures = [new Error('thrown'), new Error('rejected')];
    const seen: unknown[] = [];
    let ticks = 0;
    const onTick = (): Promise<void> => {
      const failure = failures[ticks++];
      if (ticks === 1) throw failure;
      return failure === undefined ? Promise.resolve() : Promise.reject(failure);
    };
    trigger = cronTrigger('0 * * * * ?', onTick, { onError: (error) => seen.push(error) });
    trigger.start();
    await vi.advanceTimersByTimeAsync(3 * MINUTE);
    expect(ticks).toBe(3);
    expect(seen).toEqual(failures);
  });

  it('stops: no run, no remembered run, and idle once the running one has ended', async () => {
    work.slow = true;
    trigger = start(work, '0/10 * * * * ?');
    await vi.advanceTimersByTimeAsync(25 * SECOND);
    trigger.stop();
    expect(trigger.next()).toBeUndefined();
    let idle = false;
    const whenIdle = trigger.whenIdle().then(() => {
      idle = true;
    });
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect([idle, work.due]).toEqual([false, ['12:00:10']]);
    work.end();
    await whenIdle;
    expect([idle, work.due]).toEqual([true, ['12:00:10']]);
  });

  it('begins anew at the present when started again, still not twice at a time', async () => {
    work.slow = true;
    trigger = start(work, '0/10 * * * * ?');
    trigger.start();
    await vi.advanceTimersByTimeAsync(15 * SECOND);
    trigger.stop();
    await vi.advanceTimersByTimeAsync(10 * MINUTE);
    trigger.start();
    await vi.advanceTimersByTimeAsync(10 * SECOND);
    expect(work.due).toEqual(['12:00:10']);
    work.end();
    await vi.advanceTimersByTimeAsync(0);
    expect(work.due).toEqual(['12:00:10', '12:10:20']);
    expect(work.mostAtOnce).toBe(1);
    work.end();
  });

  it('can be stopped and started by its own tick', async () => {
    let ticks = 0;
    const own = cronTrigger('0/10 * * * * ?', () => void (++ticks === 2 && own.stop()), { onError: work.onError });
    own.start();
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(ticks).toBe(2);
    own.start();
    await vi.advanceTimersByTimeAsync(10 * SECOND);
    expect(ticks).toBe(3);
    own.stop();
  });

  it('refuses a wrong expression', () => {
    expect(() => cronTrigger('0 0 12 * * *', work.onTick, { onError: work.onError })).toThrow(QuartzSyntaxError);
  });
});

describe('a cron trigger on another clock', () => {
  it('takes its time from there, and one alarm at a time', async () => {
    let now = NOON;
    let alarms: { at: number; ring: () => void }[] = [];
    const clock: WallClock = {
      now: () => now,
      alarm(at, ring) {
        const alarm = { at, ring };
        alarms.push(alarm);
        return () => {
          alarms = alarms.filter((other) => other !== alarm);
        };
      },
    };
    const work = new Work();
    const trigger = start(work, '20 30 12 5 8 ?', clock);
    let most = 0;
    for (let alarm = alarms.pop(); alarm !== undefined && now < Date.UTC(2026, 7, 6); alarm = alarms.pop()) {
      most = Math.max(most, alarms.length + 1, (alarm.at - now) / MINUTE);
      now = alarm.at;
      alarm.ring();
    }
    await trigger.whenIdle();
    expect(most).toBe(1);
    expect(work.due).toEqual(['12:30:20']);
    trigger.stop();
    expect(alarms).toEqual([]);
  });
});
