import { createTask } from 'node-cron';

/** The time of day and an alarm on it: what a cron trigger needs of the world. Tests may give another one. */
export interface WallClock {
  /** Epoch milliseconds. */
  now(): number;
  /**
   * Calls `ring` once, as soon as the clock shows `at` (epoch milliseconds, rounded up to whole seconds; not more than
   * a day ahead; what has passed already rings at the next whole second). If the clock is set back meanwhile it rings
   * after the time that it should have taken, so `ring` has to look at the clock again. `ring` must not throw.
   *
   * @returns turns the alarm off; may be called at any time, and again
   */
  alarm(at: number, ring: () => void): () => void;
}

const SECOND = 1_000;
/** How much later than node-cron the plain timer ends, in milliseconds. */
const GRACE = 2_000;

/**
 * The clock of this machine, with node-cron as the alarm.
 *
 * Each alarm is a node-cron expression of its own that names one second in UTC, rather than the fields of the Quartz
 * expression put into node-cron's words. Measured with node-cron 4.6: in a zone with clock changes it leaves out the
 * second pass of a repeated hour and times in the gap, so no check at its ticks could bring them back; and after a
 * pause of the process it computes every missed tick, at 0.1 ms each, which for a schedule of every second stops the
 * event loop for three seconds after eight hours of sleep. With one second named, the next match is a year away, so
 * there is nothing to catch up with; what is left is what node-cron is good at: it compares with the wall clock when
 * its timer ends and waits on if that was too early. It also waits on when the clock was set back, without limit, so a
 * plain timer stands behind it.
 */
export const wallClock: WallClock = {
  now: () => Date.now(),
  alarm: setAlarm,
};

/**
 * A late alarm shall ring all the same, and nothing be written to the console. node-cron catches what the callback
 * throws and reports it here: it is a bug, which must not vanish.
 */
const QUIET = {
  timezone: 'UTC',
  missedExecutionTolerance: Number.MAX_SAFE_INTEGER,
  suppressMissedWarning: true,
  logger: {
    info() {},
    warn() {},
    debug() {},
    error(message: string | Error, error?: Error) {
      queueMicrotask(() => {
        throw error ?? message;
      });
    },
  },
};

function setAlarm(at: number, ring: () => void): () => void {
  let off = false;
  let task = startTask(at, onRing);
  // the second may have passed while the task was made: then node-cron would wait for it until next year
  while (Date.now() >= task.at) {
    task.destroy();
    task = startTask(at, onRing);
  }
  const behind = setTimeout(onRing, task.at - Date.now() + GRACE);
  return turnOff;

  function onRing(): void {
    if (!off) {
      turnOff();
      ring();
    }
  }

  function turnOff(): void {
    off = true;
    clearTimeout(behind);
    task.destroy();
  }
}

function startTask(wanted: number, ring: () => void): { readonly at: number; destroy(): void } {
  const nextSecond = Math.floor(Date.now() / SECOND + 1) * SECOND;
  const at = Math.max(Math.ceil(wanted / SECOND) * SECOND, nextSecond);
  const task = createTask(cronExpressionOf(at), ring, QUIET);
  void task.start();
  return { at, destroy: () => void task.destroy() };
}

function cronExpressionOf(instant: number): string {
  const at = new Date(instant);
  const time = `${at.getUTCSeconds()} ${at.getUTCMinutes()} ${at.getUTCHours()}`;
  return `${time} ${at.getUTCDate()} ${at.getUTCMonth() + 1} *`;
}
