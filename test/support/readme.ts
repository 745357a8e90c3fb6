import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ServerProcess } from './servers/process.ts';
import { waitFor } from './wait-for.ts';

/*
 * Runs a README as its reader would. What it says is what is done:
 *
 *   ```sh            these commands are typed, in the order of the document, in one shell whose jobs live on
 *   when it says `x` in the prose: the reader waits until a line begins with x
 *   ```text          each of these lines must have been printed; … stands for anything
 *
 * Other fences are not run. It runs in a folder that looks like this checkout (links to everything but `data`), so that nothing
 * is left in it.
 */

export type ReadmePart =
  | { readonly kind: 'commands'; readonly text: string }
  | { readonly kind: 'wait'; readonly beginning: string }
  | { readonly kind: 'output'; readonly lines: readonly string[] };

const checkout = fileURLToPath(new URL('../../', import.meta.url));
const NOT_LINKED: readonly string[] = ['data', '.git', 'coverage'];
const AWAITED = /\bwhen\s+it\s+says\s+`([^`]+)`/gi;

/** The parts of a README that a reader acts on, in order. */
export function readmeParts(markdown: string): ReadmePart[] {
  const parts: ReadmePart[] = [];
  // Odd pieces are fences: their language, then what is inside.
  for (const [index, piece] of markdown.split(/^```/m).entries()) {
    if (index % 2 === 0) parts.push(...awaited(piece));
    else parts.push(...fence(piece));
  }
  return parts;
}

function awaited(prose: string): ReadmePart[] {
  return [...prose.matchAll(AWAITED)].map(([, beginning = '']) => ({ kind: 'wait', beginning }));
}

function fence(piece: string): ReadmePart[] {
  const [language = '', ...lines] = piece.trimEnd().split('\n');
  if (language === 'sh') return [{ kind: 'commands', text: lines.join('\n') }];
  return language === 'text' ? [{ kind: 'output', lines }] : [];
}

/** True when a printed line is what the README shows; `…` stands for anything. */
export function isLine(shown: string, printed: string): boolean {
  const pattern = shown
    .trim()
    .split('…')
    .map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  return new RegExp(pattern).test(printed);
}

export interface ReadmeOptions {
  /** Ports that its commands name: they must be free before, and are free again afterwards. */
  readonly ports: readonly number[];
  /** For each command fence, wait and output; default 60,000. */
  readonly deadlineMs?: number;
  /** Looks at the output when everything the README says has come true, before its jobs are ended. */
  readonly afterwards?: (lines: readonly string[]) => Promise<void>;
}

/**
 * Does what a README says and ends everything that this started. @throws an error that names what did not come true, with the last
 * lines of output
 */
export async function followReadme(file: string, options: ReadmeOptions): Promise<void> {
  await requireFree(options.ports);
  const parts = readmeParts(readFileSync(join(checkout, file), 'utf8'));
  const reader = new Reader(parts, options.deadlineMs ?? 60_000);
  try {
    await reader.follow();
    await options.afterwards?.(reader.lines);
  } finally {
    await reader.close();
    await requireFree(options.ports);
  }
}

class Reader {
  readonly lines: string[] = [];
  readonly #parts: readonly ReadmePart[];
  readonly #deadlineMs: number;
  readonly #folder = mkdtempSync(join(tmpdir(), 'mini-synapse-readme-'));
  readonly #shell: ServerProcess;

  constructor(parts: readonly ReadmePart[], deadlineMs: number) {
    this.#parts = parts;
    this.#deadlineMs = deadlineMs;
    for (const name of readdirSync(checkout)) {
      if (!NOT_LINKED.includes(name)) symlinkSync(join(checkout, name), join(this.#folder, name));
    }
    this.#shell = new ServerProcess({
      name: 'the README',
      command: 'sh',
      args: [this.#script()],
      cwd: this.#folder,
      answers: () => true,
      stopDeadlineMs: 30_000,
      onLine: (line) => this.lines.push(line),
    });
  }

  /** Ours, so that no file of the checkout is hidden by them. */
  #file(name: string): string {
    return join(this.#folder, `.readme-${name}`);
  }

  /** The fences one after the other, each as soon as the file `go-N` is there. */
  #script(): string {
    const commands = this.#parts.filter((part) => part.kind === 'commands');
    const steps = commands.map(({ text }, index) => {
      writeFileSync(this.#file(`fence-${index}`), `${text}\n`);
      return [
        `until [ -e '${this.#file(`go-${index}`)}' ]; do sleep 0.05; done`,
        `. '${this.#file(`fence-${index}`)}'`,
        `echo '${done(index)}'`,
      ].join('\n');
    });
    const script = this.#file('script');
    // The shell hands SIGTERM on to all jobs and waits for them.
    writeFileSync(script, `set -e\ntrap 'trap - TERM; kill 0; wait' TERM\n${steps.join('\n')}\nwait\n`);
    return script;
  }

  async follow(): Promise<void> {
    await this.#shell.start();
    let fences = 0;
    for (const part of this.#parts) {
      if (part.kind === 'commands') {
        writeFileSync(this.#file(`go-${fences}`), '');
        await this.#line(done(fences), `the end of its commands\n${part.text}`);
        fences += 1;
      } else if (part.kind === 'wait') {
        await this.#line(part.beginning, `a line that begins with "${part.beginning}"`);
      } else {
        for (const shown of part.lines) await this.#shown(shown);
      }
    }
  }

  async #line(beginning: string, what: string): Promise<void> {
    await this.#until(() => this.lines.some((line) => line.startsWith(beginning)), what);
  }

  async #shown(shown: string): Promise<void> {
    await this.#until(() => this.lines.some((line) => isLine(shown, line)), `the line "${shown}"`);
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    const tail = () => `${what}; the last lines are\n  ${this.lines.slice(-20).join('\n  ')}`;
    await waitFor(() => condition() || this.#shell.state === 'stopped', { what: tail, deadlineMs: this.#deadlineMs });
    if (!condition()) throw new Error(`the commands of the README failed before ${tail()}`);
  }

  async close(): Promise<void> {
    await this.#shell.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function done(fence: number): string {
  return `--- fence ${fence} done`;
}

/** Waits a little, for others on this machine; then says which ports somebody has. */
export async function requireFree(ports: readonly number[]): Promise<void> {
  let busy: number[] = [];
  const free = async () => {
    busy = [];
    for (const port of ports) if (!(await isFree(port))) busy.push(port);
    return busy.length === 0;
  };
  await waitFor(free, {
    what: () => `the ports ${busy.join(', ')} of this machine: another program listens there`,
    deadlineMs: 60_000,
    everyMs: 250,
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
