import { readdirSync, readFileSync } from 'node:fs';

const DEADLINE_MS = 5_000;
const LOOK_EVERY_MS = 1;
/** Of `/proc/PID/stat`: state, parent and group behind the name, which may have anything in it. */
const STATUS = /^\d+ \(.*\) (\S) \d+ (\d+)/s;
/** Stopped, traced; ended. */
const STILL = 'TtZX';

/**
 * Waits until all threads of the processes of a group have stopped. SIGSTOP is sent to a process, and its threads hear of it one by one: one that is
 * just running on another core may still answer. Where there is no `/proc` it does not wait.
 * @throws Error when they have not stopped after 5 s
 */
export function awaitStoppedGroup(group: number): void {
  awaitStopped(() => filesOf('/proc').filter((name) => Number(STATUS.exec(status(`/proc/${name}`))?.[2]) === group));
}

/** The same for certain processes. */
export function awaitStoppedProcesses(pids: readonly number[]): void {
  awaitStopped(() => pids.map(String));
}

/** Blocks, as nothing is to happen between the signal and its effect. */
function awaitStopped(members: () => readonly string[]): void {
  const deadline = performance.now() + DEADLINE_MS;
  while (!members().every(hasStopped)) {
    if (performance.now() > deadline) throw new Error(`not stopped within ${DEADLINE_MS / 1_000} s of SIGSTOP`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_EVERY_MS);
  }
}

function hasStopped(pid: string): boolean {
  const tasks = `/proc/${pid}/task`;
  return filesOf(tasks).every((thread) => STILL.includes(STATUS.exec(status(`${tasks}/${thread}`))?.[1] ?? 'X'));
}

function filesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => /^\d+$/.test(name));
  } catch {
    // It has ended meanwhile, or this is no Linux.
    return [];
  }
}

function status(folder: string): string {
  try {
    return readFileSync(`${folder}/stat`, 'utf8');
  } catch {
    return '';
  }
}
