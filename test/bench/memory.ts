import { readFileSync } from 'node:fs';

const MEBIBYTE = 1024 * 1024;
const SAMPLE_EVERY_MS = 100;

/** The resident set of a process, MiB; undefined when it is gone, or where there is no /proc. */
export function residentMiB(pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined;
  try {
    const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kilobytes === undefined ? undefined : (Number(kilobytes) * 1024) / MEBIBYTE;
  } catch {
    return undefined;
  }
}

/** Looks at a process again and again, and remembers the most that it had resident in each phase. */
export class MemoryWatch {
  /** Phase -> MiB. */
  readonly peaks = new Map<string, number>();
  #phase = 'start';
  readonly #timer: NodeJS.Timeout;

  constructor(pid: () => number | undefined) {
    this.#timer = setInterval(() => {
      const now = residentMiB(pid()) ?? 0;
      this.peaks.set(this.#phase, Math.max(now, this.peaks.get(this.#phase) ?? 0));
    }, SAMPLE_EVERY_MS);
  }

  phase(name: string): void {
    this.#phase = name;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
