import { readFileSync } from 'node:fs';
import { residentMiB } from '../memory.ts';

/** Of /proc/PID/stat; the same on every Linux that Node.js runs on. */
const TICKS_PER_SECOND = 100;
const UTIME = 11;
const STIME = 12;

/** The CPU time of a process and its workers so far, all their threads together, seconds; NaN where there is no /proc. */
export function cpuSeconds(pid: number): number {
  return [pid, ...childrenOf(pid)].reduce((sum, one) => sum + cpuSecondsOf(one), 0);
}

/** What a process and its workers have resident, MiB; what they share counts for each of them. */
export function residentOfAll(pid: number): number {
  return [pid, ...childrenOf(pid)].reduce((sum, one) => sum + (residentMiB(one) ?? 0), 0);
}

function cpuSecondsOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program may hold blanks; what follows it does not.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[UTIME]) + Number(fields[STIME])) / TICKS_PER_SECOND;
  } catch {
    return Number.NaN;
  }
}

function childrenOf(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return children === '' ? [] : children.split(' ').map(Number);
  } catch {
    return [];
  }
}
