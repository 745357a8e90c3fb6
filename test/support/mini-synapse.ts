import { fileURLToPath } from 'node:url';
import { type ServerEnd, ServerProcess } from '../../samples/activemq/server-process.ts';

/** The runtime as a user runs it: `bin/mini-synapse start` in a process of its own. */
export interface MiniSynapse {
  /** Ports out of the ready line; undefined where it names no such listener. They change with restart() when they were 0. */
  readonly ports: ReadyPorts;
  /** From the start of the process to the ready line. */
  readonly readyInMs: number;
  /** Of the launcher, the leader of the process group. */
  readonly pid: number | undefined;
  /** `http://127.0.0.1:PORT/services/NAME` */
  service(name: string): string;
  /** `http://127.0.0.1:PORT/PATH` at the management port. */
  management(path: string): string;
  /** All lines of standard output and error since the first start, at most 100,000. */
  lines(): readonly string[];
  /** The first line that matches, from `after` on (an index of lines(); default 0), there already or still to come. */
  waitForLine(pattern: RegExp, options?: { deadlineMs?: number; after?: number }): Promise<string>;
  /** SIGKILL to the whole process group; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM, or another signal; resolves with how it ended (SIGKILL after 35 s). */
  stop(signal?: NodeJS.Signals): Promise<ServerEnd>;
  /** Starts it again with the same arguments; stops it first if it runs. */
  restart(): Promise<void>;
}

export interface MiniSynapseOptions {
  /** The folder with the artifacts. */
  readonly artifacts: string;
  /** `--data`: a temporary folder of the test. */
  readonly dataDirectory: string;
  /** `--config`: a deployment.toml. */
  readonly config?: string;
  /** Default 0 each: the system chooses. */
  readonly ports?: { readonly http?: number; readonly https?: number; readonly management?: number };
  /** Added to our environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** Further arguments, for example `--no-watch`. */
  readonly args?: readonly string[];
  /** Until the ready line; default 60,000. */
  readonly startDeadlineMs?: number;
  /** Another program that speaks the same line; default `bin/mini-synapse` of this checkout. */
  readonly command?: string;
}

/** What the ready line says. */
export interface ReadyPorts {
  readonly http?: number;
  readonly https?: number;
  readonly management?: number;
}

const launcher = fileURLToPath(new URL('../../bin/mini-synapse', import.meta.url));
const keptLines = 100_000;

/**
 * Starts the runtime and resolves at its ready line. It ends with this process in any case; a test stops it in `afterEach`
 * or `afterAll` all the same.
 *
 * @throws ServerStartError with its last lines when it ends before, or the deadline passes
 */
export async function runMiniSynapse(options: MiniSynapseOptions): Promise<MiniSynapse> {
  const runtime = new RunningMiniSynapse(options);
  await runtime.restart();
  return runtime;
}

class RunningMiniSynapse implements MiniSynapse {
  readonly #process: ServerProcess;
  readonly #lines: string[] = [];
  readonly #watchers = new Set<(line: string) => void>();
  #ready: { readonly ports: ReadyPorts; readonly atMs: number } | undefined;
  #startedAtMs = 0;

  constructor(options: MiniSynapseOptions) {
    this.#process = new ServerProcess({
      name: 'mini-synapse',
      command: options.command ?? launcher,
      args: startArguments(options),
      env: { ...process.env, ...options.env },
      answers: () => this.#ready !== undefined,
      startDeadlineMs: options.startDeadlineMs ?? 60_000,
      stopDeadlineMs: 35_000,
      onLine: (line) => this.#onLine(line),
    });
  }

  get ports(): ReadyPorts {
    return this.#ready?.ports ?? {};
  }

  get readyInMs(): number {
    return (this.#ready?.atMs ?? Number.NaN) - this.#startedAtMs;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  service(name: string): string {
    return `http://127.0.0.1:${this.ports.http}/services/${name}`;
  }

  management(path: string): string {
    return new URL(path, `http://127.0.0.1:${this.ports.management}/`).href;
  }

  lines(): readonly string[] {
    return this.#lines;
  }

  waitForLine(pattern: RegExp, { deadlineMs = 10_000, after = 0 } = {}): Promise<string> {
    const found = this.#lines.slice(after).find((line) => pattern.test(line));
    if (found !== undefined) return Promise.resolve(found);
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const watcher = (line: string): void => {
      if (pattern.test(line)) resolve(line);
    };
    this.#watchers.add(watcher);
    const deadline = setTimeout(() => {
      const tail = this.#lines.slice(-20).join('\n    ');
      reject(new Error(`waited ${deadlineMs} ms for a line like ${pattern}; the last ones are\n    ${tail}`));
    }, deadlineMs);
    return promise.finally(() => {
      clearTimeout(deadline);
      this.#watchers.delete(watcher);
    });
  }

  async kill(): Promise<void> {
    await this.#process.kill();
  }

  stop(signal?: NodeJS.Signals): Promise<ServerEnd> {
    return this.#process.stop(signal);
  }

  async restart(): Promise<void> {
    await this.#process.stop();
    this.#ready = undefined;
    this.#startedAtMs = performance.now();
    await this.#process.start();
  }

  #onLine(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > keptLines) this.#lines.shift();
    const ports = readyPorts(line);
    if (ports !== undefined) this.#ready ??= { ports, atMs: performance.now() };
    for (const watcher of this.#watchers) watcher(line);
  }
}

function startArguments({ artifacts, config, dataDirectory, ports = {}, args = [] }: MiniSynapseOptions): string[] {
  const { http = 0, https = 0, management = 0 } = ports;
  const listeners = ['--http-port', `${http}`, '--https-port', `${https}`, '--management-port', `${management}`];
  const files = ['--data', dataDirectory, ...(config === undefined ? [] : ['--config', config])];
  return ['start', artifacts, ...listeners, ...files, ...args];
}

/**
 * The ports in `mini-synapse ready in 412 ms · http 127.0.0.1:8280 · https 127.0.0.1:8243 · management 127.0.0.1:9164 · 7 artifacts`,
 * the contract of `start` with the outside; undefined when it is another line.
 */
export function readyPorts(line: string): ReadyPorts | undefined {
  if (!line.startsWith('mini-synapse ready')) return undefined;
  const ports: { http?: number; https?: number; management?: number } = {};
  for (const [, listener, port] of line.matchAll(/\b(http|https|management) \S*:(\d+)/g)) {
    ports[listener as keyof ReadyPorts] = Number(port);
  }
  return ports;
}
