import { type CommandIo, isTerminal } from '../io.ts';

const BAR = 30;
/** Lines come at least so far apart, ms. */
const LINE_EVERY_MS = 5_000;

/** How far work is: a bar on a terminal, now and then a line elsewhere; on the standard error, so that output stays clean. */
export class Progress {
  readonly #io: CommandIo;
  readonly #what: string;
  readonly #begun = performance.now();
  #lastLine = performance.now();
  #drawn = false;

  /** @param what for example `resend in Failed` */
  constructor(what: string, io: CommandIo) {
    this.#what = what;
    this.#io = io;
  }

  /** @param now on the monotonic clock, ms */
  show(done: number, total: number, failed = 0, now = performance.now()): void {
    if (isTerminal(this.#io.stderr)) {
      this.#io.stderr.write(`\r\x1b[K${progressBar(done, total, failed, now - this.#begun)} ${this.#what}`);
      this.#drawn = true;
    } else if (now - this.#lastLine >= LINE_EVERY_MS) {
      this.#lastLine = now;
      this.#io.stderr.write(`${this.#what}: ${done} of ${total}${failed > 0 ? `, ${failed} failed` : ''}\n`);
    }
  }

  /** Takes the bar away. */
  end(): void {
    if (this.#drawn) this.#io.stderr.write('\r\x1b[K');
    this.#drawn = false;
  }
}

/** `[██████░░░░] 60 %  600/1000, 3 failed  12 s left`. */
export function progressBar(done: number, total: number, failed: number, elapsedMs: number): string {
  const part = total === 0 ? 1 : Math.min(1, done / total);
  const full = Math.round(part * BAR);
  const left = done > 0 && part < 1 ? `  ${Math.ceil((elapsedMs / done) * ((total - done) / 1000))} s left` : '';
  const wrong = failed > 0 ? `, ${failed} failed` : '';
  return `[${'█'.repeat(full)}${'░'.repeat(BAR - full)}] ${Math.floor(part * 100)} %  ${done}/${total}${wrong}${left} `;
}
