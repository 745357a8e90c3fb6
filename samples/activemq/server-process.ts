import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cleanUpAtExit } from './clean-up-at-exit.ts';
import { awaitStoppedGroup } from './stopped-threads.ts';

/*
 * A server that we start as a child process and own until it is gone (POSIX only).
 *
 *   STOPPED --start()--> STARTING --it answers--> RUNNING <--pause()/resume()--> PAUSED
 *   STARTING --it ended, or the deadline passed--> STOPPED, and start() rejects with ServerStartError
 *   any state --kill(), stop(), or it ended by itself--> STOPPED
 *
 * The child leads a process group of its own, so that Ctrl-C in a terminal reaches it only through us, and so that
 * SIGKILL, SIGSTOP and SIGCONT also reach what it may have started. It dies with this process: by `cleanUpAtExit`, and
 * after a `kill -9` of this process by the kernel where util-linux's setpriv is at hand (Linux).
 */

/** What to run and how to know that it serves. */
export interface ServerProgram {
  /** As it is called in messages, for example `ActiveMQ`. */
  readonly name: string;
  /** A file, or a name to be found on PATH. */
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the child; absent: ours. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** One look whether the server serves; asked again and again until it says true. Must end by itself and not throw. */
  readonly answers: (server: ServerProcess) => Promise<boolean> | boolean;
  /** Milliseconds from start() until it must serve; default 60,000. */
  readonly startDeadlineMs?: number;
  /** Milliseconds that stop() waits after SIGTERM before it sends SIGKILL; default 20,000. */
  readonly stopDeadlineMs?: number;
  /** Is handed each line of the child's standard output and standard error as it comes. */
  readonly onLine?: (line: string) => void;
}

export type ServerState = 'stopped' | 'starting' | 'running' | 'paused';

/** How a child ended: `code` after an exit of its own, `signal` after a signal, `error` when it could not be run at all. */
export interface ServerEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly error?: Error;
}

/** A server ended or stayed silent instead of serving; the message carries its last lines. */
export class ServerStartError extends Error {
  override readonly name = 'ServerStartError';
}

const keptLines = 500;
const lookEveryMs = 25;
const lineLengthLimit = 64 * 1024;

export class ServerProcess {
  readonly #program: ServerProgram;
  readonly #lines: string[] = [];
  #state: ServerState = 'stopped';
  #child: ChildProcess | undefined;
  #gone: Promise<ServerEnd> = Promise.resolve({ code: null, signal: null });
  #end: ServerEnd | undefined;

  constructor(program: ServerProgram) {
    this.#program = program;
  }

  get state(): ServerState {
    return this.#state;
  }

  /** The child's process id; undefined while stopped. */
  get pid(): number | undefined {
    return this.#state === 'stopped' ? undefined : this.#child?.pid;
  }

  /** Settles when the present child (or the last one, if there is none now) has ended and its output was read. */
  get gone(): Promise<ServerEnd> {
    return this.#gone;
  }

  /** The last lines of the child's output (standard output and error), at most 500, over all its starts. */
  lines(): readonly string[] {
    return this.#lines;
  }

  /** Starts the child and resolves when it serves. @throws ServerStartError; then nothing is left running. */
  async start(): Promise<void> {
    if (this.#state !== 'stopped') throw new Error(`${this.#program.name} is ${this.#state}: it cannot be started`);
    this.#spawn();
    const deadline = performance.now() + (this.#program.startDeadlineMs ?? 60_000);
    while (!(await this.#program.answers(this))) {
      if (this.#end !== undefined) throw this.#startError(`ended before it answered (${describeEnd(this.#end)})`);
      if (performance.now() > deadline) {
        await this.kill();
        throw this.#startError('did not answer in time');
      }
      await delay(lookEveryMs);
    }
    if (this.#end !== undefined) throw this.#startError(`ended right after it answered (${describeEnd(this.#end)})`);
    this.#state = 'running';
  }

  /** SIGKILL to the whole process group; resolves when the child is gone. Nothing happens when it is stopped. */
  async kill(): Promise<ServerEnd> {
    this.#signalGroup('SIGKILL');
    return this.#gone;
  }

  /** SIGTERM to the child, SIGKILL to its group after `stopDeadlineMs`; resolves when it is gone. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<ServerEnd> {
    if (this.#state === 'stopped') return this.#gone;
    this.#child?.kill(signal);
    this.resume();
    const lateKill = setTimeout(() => this.#signalGroup('SIGKILL'), this.#program.stopDeadlineMs ?? 20_000);
    try {
      return await this.#gone;
    } finally {
      clearTimeout(lateKill);
    }
  }

  /** SIGSTOP: the process keeps its sockets and does nothing, like a server that hangs. Nothing of it runs any more when this returns. */
  pause(): void {
    if (this.#state !== 'running') throw new Error(`${this.#program.name} is ${this.#state}: it cannot be paused`);
    this.#signalGroup('SIGSTOP');
    this.#state = 'paused';
    if (this.pid !== undefined) awaitStoppedGroup(this.pid);
  }

  /** SIGCONT after `pause`; nothing happens when it was not paused. */
  resume(): void {
    if (this.#state !== 'paused') return;
    this.#signalGroup('SIGCONT');
    this.#state = 'running';
  }

  /** Stops the child if it runs, and starts it again with the same command. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  #spawn(): void {
    const { command, args, cwd, env } = this.#program;
    const [file, ...rest] = dyingWithUs([command, ...args]);
    const child = spawn(file, rest, {
      cwd,
      env: env ?? process.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#end = undefined;
    this.#state = 'starting';
    const keep = (line: string) => this.#keepLine(line);
    splitLines(child.stdout, keep);
    splitLines(child.stderr, keep);
    this.#gone = this.#watch(child);
  }

  #watch(child: ChildProcess): Promise<ServerEnd> {
    const takeBack = cleanUpAtExit(() => this.#signalGroup('SIGKILL'));
    const { promise, resolve } = Promise.withResolvers<ServerEnd>();
    const ended = (end: ServerEnd): void => {
      if (this.#end !== undefined) return;
      this.#end = end;
      this.#state = 'stopped';
      takeBack();
      // The last output may come after the exit; but somebody else may hold the pipes, so the wait for it is bounded.
      const settle = () => resolve(end);
      const patience = setTimeout(settle, 1_000);
      child.once('close', () => {
        clearTimeout(patience);
        settle();
      });
    };
    child.once('error', (error) => {
      ended({ code: null, signal: null, error });
      resolve({ code: null, signal: null, error });
    });
    child.once('exit', (code, signal) => ended({ code, signal }));
    return promise;
  }

  #signalGroup(signal: NodeJS.Signals): void {
    const pid = this.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      // Between its end and our notice of it there is nobody to signal.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  #keepLine(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > keptLines) this.#lines.shift();
    this.#program.onLine?.(line);
  }

  #startError(what: string): ServerStartError {
    const shown = [this.#program.command, ...this.#program.args].join(' ');
    // Stack frames say less than the lines around them.
    const told = this.#lines.filter((line) => !/^\s+at /.test(line));
    const tail = told.slice(-20).join('\n    ');
    const cause = this.#end?.error;
    return new ServerStartError(`${this.#program.name} ${what}\n  ${shown}\n    ${tail}`, cause && { cause });
  }
}

function describeEnd(end: ServerEnd): string {
  return end.error?.message ?? (end.signal === null ? `exit code ${end.code}` : end.signal);
}

/** Hands on whole lines; a line without end is cut at 64 KiB so that a raving child cannot fill our memory. */
function splitLines(stream: NodeJS.ReadableStream | null, onLine: (line: string) => void): void {
  let rest = '';
  stream?.setEncoding('utf8');
  stream?.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = (parts.pop() ?? '').slice(0, lineLengthLimit);
    for (const part of parts) onLine(part.replace(/\r$/, ''));
  });
  stream?.on('end', () => {
    if (rest !== '') onLine(rest);
    rest = '';
  });
}

/** The command line behind `setpriv --pdeathsig KILL` where there is one: setpriv becomes the command, the pid stays. */
function dyingWithUs(commandLine: readonly [string, ...string[]]): readonly [string, ...string[]] {
  deathSignal ??= findDeathSignal();
  return deathSignal === '' ? commandLine : [deathSignal, '--pdeathsig', 'KILL', '--', ...commandLine];
}

/** The path of a setpriv that can do it, or '' (busybox's cannot); looked for once. */
let deathSignal: string | undefined;

function findDeathSignal(): string {
  const setpriv = process.platform === 'linux' ? findOnPath('setpriv') : undefined;
  if (setpriv === undefined) return '';
  return spawnSync(setpriv, ['--pdeathsig', 'KILL', '--', 'true'], { timeout: 5_000 }).status === 0 ? setpriv : '';
}

/** The executable file called `name` on PATH, or undefined. */
export function findOnPath(name: string, path: string | undefined = process.env.PATH): string | undefined {
  return (path ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
