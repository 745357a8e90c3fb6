import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ReadyPorts, readyPorts } from '../../support/mini-synapse.ts';
import { waitFor } from '../../support/wait-for.ts';
import { benchFolder, removeFolder } from '../folder.ts';
import { endChild, nextMessage, owned, startModule } from './child.ts';
import type { Contestant, RoundFigures, Running } from './contestant.ts';
import type { HttpLoad } from './http-load.ts';

const LAUNCHER = fileURLToPath(new URL('../../../bin/mini-synapse', import.meta.url));
const START_DEADLINE_MS = 60_000;
const WARM_UP_CONNECTIONS = 64;
/** Larger bodies are warmed up with as many connections as they are measured with. */
const SMALL_BYTES = 64 * 1024;
/** Beyond the time of a round. */
const ROUND_DEADLINE_MS = 45_000;

/** The clients of all HTTP rows, a process of their own. */
export class HttpClients {
  #process: ChildProcess | undefined;

  /** @throws Error when a connection broke or there was no answer in time; the next round has new clients, which no late answer can reach. */
  async round(load: HttpLoad): Promise<RoundFigures> {
    this.#process ??= startModule(new URL('http-load.ts', import.meta.url));
    const clients = this.#process;
    try {
      clients.send(load);
      return await nextMessage<RoundFigures>(clients, load.ms + ROUND_DEADLINE_MS);
    } catch (error) {
      this.#process = undefined;
      await endChild(clients);
      throw error;
    }
  }

  async close(): Promise<void> {
    if (this.#process) await endChild(this.#process);
  }
}

/** What all rounds of a row have in common. */
export type HttpRowLoad = Omit<HttpLoad, 'port' | 'path' | 'ms'>;

/** Starts the back end. */
export function startEcho(): Promise<HttpProgram> {
  return startBaseline('echo.ts');
}

/** A program that takes HTTP requests, started. */
export interface HttpProgram {
  readonly pid: number;
  readonly port: number;
  close(): Promise<void>;
}

/** A baseline of `test/bench/baselines` that takes HTTP requests. */
export async function startBaseline(module: string, args: readonly string[] = []): Promise<HttpProgram> {
  const child = startModule(new URL(`../baselines/${module}`, import.meta.url), args);
  const close = () => endChild(child);
  const { port } = await nextMessage<{ port: number }>(child).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return { pid: child.pid ?? 0, port, close };
}

/** What a row loads a program with. */
export interface HttpUse {
  readonly clients: HttpClients;
  readonly load: HttpRowLoad;
  /** Default /. */
  readonly path?: string;
}

/** A program under the load of a row. */
export function underLoad({ pid, port }: HttpProgram, { clients, load, path = '/' }: HttpUse) {
  const connections = Math.max(WARM_UP_CONNECTIONS, load.connections);
  // A few hundred messages, which is what one client sends to a slow broker in that time, are not enough for the compiler.
  const warmUpLoad = load.bytes > SMALL_BYTES ? load : { ...load, connections };
  return {
    pid,
    round: (ms: number) => clients.round({ ...load, port, path, ms }),
    warmUp: (ms: number) => clients.round({ ...warmUpLoad, port, path, ms }),
  };
}

/** A baseline that only this row uses. */
export function httpBaseline(
  module: string,
  { name, args, ...use }: { name: string; args?: readonly string[] } & HttpUse,
): Contestant {
  return {
    name,
    async start(): Promise<Running> {
      const program = await startBaseline(module, args);
      return { ...underLoad(program, use), close: program.close };
    },
  };
}

/** What mini-synapse is started with. */
export interface RuntimeOptions {
  /** File name -> XML. */
  readonly artifacts: Readonly<Record<string, string>>;
  /** Of `start`. */
  readonly args?: readonly string[];
}

/** mini-synapse as its user starts it. */
export interface RuntimeProgram extends HttpProgram {
  readonly ports: ReadyPorts;
}

/** mini-synapse for one row. */
export interface RuntimeRow extends RuntimeOptions, HttpUse {
  readonly name: string;
  /** Between rounds. */
  readonly tidy?: (ports: ReadyPorts) => Promise<void>;
}

/** mini-synapse that only this row uses. */
export function runtimeContestant({ name, artifacts, args = [], tidy, ...use }: RuntimeRow): Contestant {
  return {
    name,
    async start(): Promise<Running> {
      const program = await startRuntime({ artifacts, args });
      const { ports, close } = program;
      return { ...underLoad(program, use), ...(tidy && { tidy: () => tidy(ports) }), close };
    },
  };
}

/** Starts mini-synapse as its user does, the log going to a file. */
export async function startRuntime({ artifacts, args = [] }: RuntimeOptions): Promise<RuntimeProgram> {
  const folder = benchFolder();
  const directory = join(folder, 'artifacts');
  mkdirSync(directory);
  for (const [file, xml] of Object.entries(artifacts)) writeFileSync(join(directory, `${file}.xml`), xml);
  const log = join(folder, 'log');
  const out = openSync(log, 'w');
  const ports = ['--http-port', '0', '--https-port', '0', '--management-port', '0'];
  const command = ['start', directory, '--data', join(folder, 'data'), ...ports, ...args];
  const child = owned(spawn(LAUNCHER, command, { cwd: folder, stdio: ['ignore', out, out] }));
  closeSync(out);
  const close = async () => {
    await endChild(child);
    removeFolder(folder);
  };
  try {
    const ready = await readyIn(log, child);
    return { pid: child.pid ?? 0, port: ready.http ?? 0, ports: ready, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function readyIn(log: string, child: ChildProcess): Promise<ReadyPorts> {
  const text = () => readFileSync(log, 'utf8');
  const ports = () => text().split('\n').map(readyPorts).find(Boolean);
  const ready = await waitFor(() => ports() ?? child.exitCode !== null, {
    what: () => `mini-synapse to be ready:\n${text()}`,
    deadlineMs: START_DEADLINE_MS,
  });
  if (typeof ready === 'object') return ready;
  throw new Error(`mini-synapse ended:\n${text()}`);
}
