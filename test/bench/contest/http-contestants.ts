import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ReadyPorts, readyPorts } from '../../support/mini-synapse.ts';
import { waitFor } from '../../support/wait-for.ts';
import { endChild, nextMessage, startModule } from './child.ts';
import type { Contestant, RoundFigures, Running } from './contestant.ts';
import type { HttpLoad } from './http-load.ts';

const LAUNCHER = fileURLToPath(new URL('../../../bin/mini-synapse', import.meta.url));
const START_DEADLINE_MS = 60_000;
const WARM_UP_CONNECTIONS = 64;
/** Beyond the time of a round. */
const ROUND_DEADLINE_MS = 120_000;

/** The clients of all HTTP rows. */
export class HttpClients {
  readonly #process: ChildProcess = startModule(new URL('http-load.ts', import.meta.url));

  async round(load: HttpLoad): Promise<RoundFigures> {
    this.#process.send(load);
    return nextMessage<RoundFigures>(this.#process, load.ms + ROUND_DEADLINE_MS);
  }

  close(): Promise<void> {
    return endChild(this.#process);
  }
}

/** What all rounds of a row have in common. */
export type HttpRowLoad = Omit<HttpLoad, 'port' | 'path' | 'ms'>;

/** Starts the back end; its port. */
export async function startEcho(): Promise<{ port: number; close(): Promise<void> }> {
  const child = startModule(new URL('../baselines/echo.ts', import.meta.url));
  const { port } = await nextMessage<{ port: number }>(child);
  return { port, close: () => endChild(child) };
}

/** A baseline of `test/bench/baselines` that takes HTTP requests. */
export function httpBaseline(
  module: string,
  {
    name,
    args = [],
    clients,
    load,
  }: { name: string; args?: readonly string[]; clients: HttpClients; load: HttpRowLoad },
): Contestant {
  return {
    name,
    async start(): Promise<Running> {
      const child = startModule(new URL(`../baselines/${module}`, import.meta.url), args);
      const { port } = await nextMessage<{ port: number }>(child);
      return {
        pid: child.pid ?? 0,
        round: (ms) => clients.round({ ...load, port, path: '/', ms }),
        close: () => endChild(child),
      };
    },
  };
}

export interface RuntimeOptions {
  readonly name: string;
  /** File name -> XML. */
  readonly artifacts: Readonly<Record<string, string>>;
  /** Where the requests go. */
  readonly path: string;
  /** Of `start`. */
  readonly args?: readonly string[];
  readonly clients: HttpClients;
  readonly load: HttpRowLoad;
  /** Between rounds. */
  readonly tidy?: (ports: ReadyPorts) => Promise<void>;
}

/** mini-synapse as its user starts it, the log going to a file. */
export function runtimeContestant(options: RuntimeOptions): Contestant {
  return { name: options.name, start: () => startRuntime(options) };
}

async function startRuntime({ artifacts, path, args = [], clients, load, tidy }: RuntimeOptions): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-bench-'));
  const directory = join(folder, 'artifacts');
  mkdirSync(directory);
  for (const [file, xml] of Object.entries(artifacts)) writeFileSync(join(directory, `${file}.xml`), xml);
  const log = join(folder, 'log');
  const out = openSync(log, 'w');
  const ports = ['--http-port', '0', '--https-port', '0', '--management-port', '0'];
  const child = spawn(LAUNCHER, ['start', directory, '--data', join(folder, 'data'), ...ports, ...args], {
    cwd: folder,
    stdio: ['ignore', out, out],
  });
  closeSync(out);
  const close = async () => {
    await endChild(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const ready = await readyIn(log, child);
    const target = { ...load, port: ready.http ?? 0, path };
    return {
      pid: child.pid ?? 0,
      round: (ms) => clients.round({ ...target, ms }),
      // A few hundred messages, which is what one client sends to a slow broker in that time, are not enough for the compiler.
      warmUp: (ms) => clients.round({ ...target, ms, connections: Math.max(WARM_UP_CONNECTIONS, load.connections) }),
      ...(tidy && { tidy: () => tidy(ready) }),
      close,
    };
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
