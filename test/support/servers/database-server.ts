import { rmSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanUpAtExit } from '../../../samples/activemq/clean-up-at-exit.ts';
import { awaitStoppedProcesses } from '../../../samples/activemq/stopped-threads.ts';
import { freePort } from '../free-ports.ts';
import { waitFor } from '../wait-for.ts';
import type { KeyAndCertificate } from './certificates.ts';
import type { RunningServer } from './kind.ts';
import { ServerProcess, type ServerProgram, type ServerState } from './process.ts';
import { family, giveToServer, isThere, signalAll } from './unprivileged.ts';

/** A database server of our own, on loopback, with one database and one user. */
export interface DatabaseServer extends RunningServer {
  /** For artifacts. */
  readonly jdbcUrl: string;
  readonly driverClass: string;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly state: ServerState;
  /** SIGKILL to all of its processes; resolves when they are gone. */
  kill(): Promise<void>;
  /** Orderly stop. The port and the data stay for restart(). */
  stop(): Promise<void>;
  /** SIGSTOP to all of its processes: the connections stay and nothing answers. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** Starts it again, on the same port and data; stops it first if it runs. Resolves when it answers. */
  restart(): Promise<void>;
  /** Shows another certificate from the next start on; only with the option `tls`. */
  certify(pair: KeyAndCertificate): Promise<void>;
  log(lines?: number): readonly string[];
}

export interface DatabaseOptions {
  /** Speaks TLS to those who want it. */
  readonly tls?: KeyAndCertificate;
  /** Where the folder of its data is made, and removed by close(). Default: where temporary files are. */
  readonly parentFolder?: string;
}

/** Where a server with TLS has its key and its certificate. */
export interface TlsFiles {
  readonly key: string;
  readonly certificate: string;
}

export interface DatabaseRecipe {
  /** As people call it. */
  readonly name: string;
  readonly driverClass: string;
  jdbcUrl(port: number): string;
  /** Makes the data in `folder`. */
  initialize(folder: string): Promise<void>;
  program(folder: string, port: number, tls: TlsFiles | undefined): Pick<ServerProgram, 'command' | 'args' | 'env'>;
  /** What tells it to stop at once, in order; default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** Whether it serves. */
  answers(port: number): Promise<boolean>;
}

export const DATABASE = 'synapse';
export const USER = 'synapse';
export const PASSWORD = 'a secret';
export const HOST = '127.0.0.1';

/** Starts one in a temporary folder and waits until it answers. It ends with this process in any case. */
export async function startDatabase(
  recipe: DatabaseRecipe,
  { tls, parentFolder = tmpdir() }: DatabaseOptions = {},
): Promise<DatabaseServer> {
  const folder = await mkdtemp(join(parentFolder, `mini-synapse-${recipe.name.toLowerCase()}-`));
  await chmod(folder, 0o700);
  giveToServer(folder);
  const server = new OwnServer(recipe, folder, await freePort(), tls !== undefined);
  try {
    if (tls) await server.certify(tls);
    await recipe.initialize(folder);
    await server.restart();
    return server;
  } catch (error) {
    await server.close();
    throw error;
  }
}

class OwnServer implements DatabaseServer {
  readonly host = HOST;
  readonly database = DATABASE;
  readonly user = USER;
  readonly password = PASSWORD;
  readonly port: number;
  readonly jdbcUrl: string;
  readonly driverClass: string;
  readonly #folder: string;
  readonly #process: ServerProcess;
  readonly #forgetFolder: () => void;
  readonly #stopSignal: NodeJS.Signals | undefined;
  #paused = false;

  constructor(recipe: DatabaseRecipe, folder: string, port: number, tls: boolean) {
    this.port = port;
    this.jdbcUrl = recipe.jdbcUrl(port);
    this.driverClass = recipe.driverClass;
    this.#folder = folder;
    this.#stopSignal = recipe.stopSignal;
    this.#forgetFolder = cleanUpAtExit(() => rmSync(folder, { recursive: true, force: true }));
    this.#process = new ServerProcess({
      name: recipe.name,
      ...recipe.program(folder, port, tls ? this.#tlsFiles : undefined),
      cwd: folder,
      answers: () => recipe.answers(port),
    });
  }

  get state(): ServerState {
    return this.#paused ? 'paused' : this.#process.state;
  }

  async kill(): Promise<void> {
    await this.#end((pids) => signalAll(pids, 'SIGKILL'));
  }

  async stop(): Promise<void> {
    this.resume();
    await this.#process.stop(this.#stopSignal);
  }

  pause(): void {
    const processes = this.#family();
    signalAll(processes, 'SIGSTOP');
    this.#paused = true;
    awaitStoppedProcesses(processes);
  }

  resume(): void {
    if (!this.#paused) return;
    signalAll(this.#family(), 'SIGCONT');
    this.#paused = false;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.#process.start();
  }

  async certify({ key, certificate }: KeyAndCertificate): Promise<void> {
    const files = this.#tlsFiles;
    await writeFile(files.key, key, { mode: 0o600 });
    await writeFile(files.certificate, certificate, { mode: 0o600 });
    giveToServer(files.key);
    giveToServer(files.certificate);
  }

  async close(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 });
    this.#forgetFolder();
  }

  log(lines = 50): readonly string[] {
    return this.#process.lines().slice(-lines);
  }

  get #tlsFiles(): TlsFiles {
    return { key: join(this.#folder, 'tls-key.pem'), certificate: join(this.#folder, 'tls-certificate.pem') };
  }

  #family(): number[] {
    const { pid } = this.#process;
    return pid === undefined ? [] : family(pid);
  }

  async #end(signal: (pids: readonly number[]) => void): Promise<void> {
    const pids = this.#family();
    signal(pids);
    this.#paused = false;
    await this.#process.gone;
    await waitFor(() => !pids.some(isThere), { what: 'the end of the killed server' });
  }
}
