import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cleanUpAtExit } from '../../../samples/activemq/clean-up-at-exit.ts';
import { freePorts } from '../free-ports.ts';
import type { ServerKind } from './kind.ts';
import { findOnPath, ServerProcess, type ServerState } from './process.ts';

/** An installed RabbitMQ; absolute paths. */
export interface RabbitMqInstallation {
  /** The folder with `rabbitmq-server` and `rabbitmqctl`: the scripts themselves, not the wrappers of a package that change the user. */
  readonly sbin: string;
  /** Erlang's port mapper; Erlang itself is looked for on PATH by RabbitMQ. */
  readonly epmd: string;
}

/** All optional: a durable broker on free loopback ports with its data in a temporary folder. */
export interface RabbitMqOptions {
  /** Where to keep the messages; left behind by close(). Default: a temporary folder, removed by close(). */
  readonly dataDirectory?: string;
  /** PEM texts for a second listener with TLS. */
  readonly tls?: {
    readonly key: string;
    readonly certificate: string;
    readonly authority: string;
    /** Clients must show a certificate. */
    readonly mutual?: boolean;
  };
  /** More lines for rabbitmq.conf. */
  readonly configuration?: readonly string[];
}

/** A running RabbitMQ of our own, on loopback; user and password are `guest`. */
export interface RabbitMqBroker {
  readonly port: number;
  /** Nobody listens there without the option `tls`. */
  readonly tlsPort: number;
  /** Changes with each restart; undefined while the broker is down. */
  readonly pid: number | undefined;
  readonly state: ServerState;
  readonly dataDirectory: string;
  /** Milliseconds from the start of the process until AMQP answered, the last time. */
  readonly startedInMs: number;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Orderly stop (SIGTERM); resolves when it is gone. The ports and the data stay for restart(). */
  stop(): Promise<void>;
  /** SIGSTOP: the connections stay and nothing answers. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** Starts it again, on the same ports and data; stops it first if it runs. */
  restart(): Promise<void>;
  /** Stops it and removes what was made for it. May be called twice, and in every state. */
  close(): Promise<void>;
  /** Runs `rabbitmqctl` on it, which takes seconds. @returns what it printed */
  control(...args: string[]): Promise<string>;
  /** The last lines of its log; default 50. */
  log(lines?: number): readonly string[];
}

/** There is no RabbitMQ (or no Erlang) to be found. */
export class RabbitMqNotFoundError extends Error {
  override readonly name = 'RabbitMqNotFoundError';
}

/** RabbitMQ, durable. */
export const rabbitmq: ServerKind<RabbitMqInstallation, RabbitMqOptions, RabbitMqBroker> = {
  name: 'RabbitMQ',
  debianPackage: 'rabbitmq-server',
  find: findRabbitMq,
  start: startRabbitMq,
};

const howToGetIt =
  'install the Debian package (apt-get install rabbitmq-server), or set RABBITMQ_HOME to the folder that has sbin/rabbitmq-server';
const startDeadlineMs = 120_000;

let wasMissing = false;

function findRabbitMq(): RabbitMqInstallation {
  const named = process.env.RABBITMQ_HOME;
  const homes = named ? [named] : usualHomes();
  const home = homes.find((folder) => existsSync(join(folder, 'sbin/rabbitmq-server')));
  const epmd = findOnPath('epmd');
  if (home === undefined || epmd === undefined || findOnPath('erl') === undefined) {
    wasMissing = true;
    const what = home === undefined ? 'RabbitMQ' : 'Erlang (erl and epmd on PATH)';
    throw new RabbitMqNotFoundError(`no ${what} is installed: ${howToGetIt}`);
  }
  return { sbin: join(home, 'sbin'), epmd };
}

function usualHomes(): string[] {
  const debian = '/usr/lib/rabbitmq/lib';
  const versions = existsSync(debian) ? readdirSync(debian).sort().reverse() : [];
  return [
    ...versions.map((version) => join(debian, version)),
    '/opt/homebrew/opt/rabbitmq',
    '/usr/local/opt/rabbitmq',
    '/opt/rabbitmq',
  ];
}

/** The package may have started a broker of the system; who had none before needs none now. */
async function stopServiceOfNewPackage(): Promise<void> {
  if (!wasMissing) return;
  wasMissing = false;
  await promisify(execFile)('service', ['rabbitmq-server', 'stop'], { timeout: 30_000 }).catch(() => undefined);
}

async function startRabbitMq(
  installation: RabbitMqInstallation,
  options: RabbitMqOptions = {},
): Promise<RabbitMqBroker> {
  await stopServiceOfNewPackage();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnce(installation, options);
    } catch (error) {
      // A port that was free when we chose it may be taken by the time the broker opens it: choose again.
      if (!/eaddrinuse|Address already in use/i.test(String(error)) || attempt === 3) throw error;
    }
  }
}

async function startOnce(installation: RabbitMqInstallation, options: RabbitMqOptions): Promise<RabbitMqBroker> {
  const folder = await mkdtemp(join(tmpdir(), 'mini-synapse-rabbitmq-'));
  const forgetFolder = cleanUpAtExit(() => rmSync(folder, { recursive: true, force: true }));
  const [port = 0, tlsPort = 0, distribution = 0, mapper = 0] = await freePorts(4);
  const ports = { port, tlsPort, distribution, mapper };
  const broker = new OwnBroker({ installation, options, folder, ports, forgetFolder });
  try {
    await broker.writeConfiguration();
    await broker.restart();
    return broker;
  } catch (error) {
    await broker.close();
    throw error;
  }
}

interface Ports {
  readonly port: number;
  readonly tlsPort: number;
  /** Of Erlang: `rabbitmqctl` comes in there. */
  readonly distribution: number;
  /** Of Erlang: of our own port mapper, as the one that Erlang starts by itself would stay behind. */
  readonly mapper: number;
}

interface Parts {
  readonly installation: RabbitMqInstallation;
  readonly options: RabbitMqOptions;
  readonly folder: string;
  readonly ports: Ports;
  readonly forgetFolder: () => void;
}

class OwnBroker implements RabbitMqBroker {
  readonly port: number;
  readonly tlsPort: number;
  readonly dataDirectory: string;
  readonly #parts: Parts;
  readonly #env: NodeJS.ProcessEnv;
  readonly #mapper: ServerProcess;
  readonly #process: ServerProcess;
  #startedInMs = 0;

  constructor(parts: Parts) {
    const { installation, options, folder, ports } = parts;
    this.#parts = parts;
    this.port = ports.port;
    this.tlsPort = ports.tlsPort;
    this.dataDirectory = options.dataDirectory ?? join(folder, 'data');
    this.#env = environment(folder, this.dataDirectory, ports);
    this.#mapper = new ServerProcess({
      name: 'epmd',
      command: installation.epmd,
      args: ['-port', `${ports.mapper}`, '-address', '127.0.0.1'],
      answers: () => accepts(ports.mapper),
    });
    this.#process = new ServerProcess({
      name: 'RabbitMQ',
      command: join(installation.sbin, 'rabbitmq-server'),
      args: [],
      env: this.#env,
      cwd: folder,
      startDeadlineMs,
      answers: () => amqpAnswers(ports.port),
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get state(): ServerState {
    return this.#process.state;
  }

  get startedInMs(): number {
    return this.#startedInMs;
  }

  async writeConfiguration(): Promise<void> {
    const { folder, options } = this.#parts;
    mkdirSync(this.dataDirectory, { recursive: true });
    const lines = [
      `listeners.tcp.1 = 127.0.0.1:${this.port}`,
      'log.console = true',
      'log.console.level = info',
      'disk_free_limit.absolute = 50MB',
      'vm_memory_high_watermark.absolute = 512MiB',
      ...(options.configuration ?? []),
    ];
    if (options.tls) {
      const { key, certificate, authority, mutual = false } = options.tls;
      for (const [name, text] of Object.entries({ key, certificate, authority })) {
        await writeFile(join(folder, `${name}.pem`), text, { mode: 0o600 });
      }
      lines.push(
        `listeners.ssl.1 = 127.0.0.1:${this.tlsPort}`,
        `ssl_options.cacertfile = ${join(folder, 'authority.pem')}`,
        `ssl_options.certfile = ${join(folder, 'certificate.pem')}`,
        `ssl_options.keyfile = ${join(folder, 'key.pem')}`,
        `ssl_options.verify = ${mutual ? 'verify_peer' : 'verify_none'}`,
        `ssl_options.fail_if_no_peer_cert = ${mutual}`,
      );
    }
    await writeFile(join(folder, 'rabbitmq.conf'), `${lines.join('\n')}\n`);
    await writeFile(join(folder, 'enabled_plugins'), '[].\n');
  }

  async kill(): Promise<void> {
    await this.#process.kill();
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }

  pause(): void {
    this.#process.pause();
  }

  resume(): void {
    this.#process.resume();
  }

  async restart(): Promise<void> {
    if (this.#mapper.state === 'stopped') await this.#mapper.start();
    await this.#process.stop();
    const begin = performance.now();
    await this.#process.start();
    this.#startedInMs = performance.now() - begin;
  }

  async close(): Promise<void> {
    // Nobody wants the data: there is no need for an orderly end, which takes seconds.
    await this.#process.kill();
    await this.#mapper.kill();
    const { folder, forgetFolder } = this.#parts;
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    forgetFolder();
  }

  async control(...args: string[]): Promise<string> {
    const file = join(this.#parts.installation.sbin, 'rabbitmqctl');
    const { stdout } = await promisify(execFile)(file, args, { env: this.#env, timeout: 60_000 });
    return stdout;
  }

  log(lines = 50): readonly string[] {
    return this.#process.lines().slice(-lines);
  }
}

function environment(folder: string, data: string, ports: Ports): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    LANG: 'C.UTF-8',
    // The cookie is there.
    HOME: folder,
    RABBITMQ_NODENAME: 'mini-synapse@localhost',
    // Else a file in /etc would be read.
    RABBITMQ_CONF_ENV_FILE: join(folder, 'none.conf'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_MNESIA_BASE: data,
    RABBITMQ_LOG_BASE: folder,
    RABBITMQ_LOGS: '-',
    RABBITMQ_PID_FILE: join(folder, 'pid'),
    RABBITMQ_DIST_PORT: `${ports.distribution}`,
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_EPMD_PORT: `${ports.mapper}`,
    // The script becomes Erlang instead of waiting for it as its parent.
    RABBITMQ_ALLOW_INPUT: '1',
    // Few threads: it shares the machine with the tests.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
      '-noinput +S 1:1 +A 4 -start_epmd false -kernel inet_dist_use_interface {127,0,0,1}',
  };
}

/** Whether a broker greets there: listeners are opened last, and it has answered our protocol header with Connection.Start. */
function amqpAnswers(port: number, deadlineMs = 2_000): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  const settle = (answered: boolean): void => {
    clearTimeout(deadline);
    socket.destroy();
    resolve(answered);
  };
  const deadline = setTimeout(settle, deadlineMs, false);
  socket.on('connect', () => socket.write(Buffer.from('AMQP\x00\x00\x09\x01', 'latin1')));
  // A method frame on channel 0; a greeting in another protocol version would be a header.
  socket.once('data', (chunk) => settle(chunk.readUInt8(0) === 1));
  socket.on('error', () => settle(false));
  socket.on('close', () => settle(false));
  return promise;
}

function accepts(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host: '127.0.0.1', port });
  socket.once('connect', () => resolve(true));
  socket.once('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}
