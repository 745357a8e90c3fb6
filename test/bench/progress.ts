export interface Progress {
  readonly update: (done: number) => void;
  end(): void;
}

const EVERY_MS = 1_000;

/** Shows how far it is: on a terminal in one line, else a line every ten seconds. */
export function progress(what: string, total: number): Progress {
  const terminal = process.stderr.isTTY;
  let shownAt = performance.now();
  const show = (done: number) => {
    const line = `  ${what} ${done} of ${total}`;
    process.stderr.write(terminal ? `\r${line}\u001b[K` : `${line}\n`);
  };
  return {
    update(done) {
      const now = performance.now();
      if (now - shownAt < (terminal ? EVERY_MS : 10 * EVERY_MS)) return;
      shownAt = now;
      show(done);
    },
    end() {
      if (terminal) process.stderr.write('\r\u001b[K');
    },
  };
}
