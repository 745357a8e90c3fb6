import { closeSync, fstatSync, mkdirSync, openSync, readSync, rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanUpAtExit } from './clean-up-at-exit.ts';
import {
  type ActiveMqUser,
  activeMqXml,
  log4j2Properties,
  log4jProperties,
  type TransportConnector,
} from './configuration.ts';
import { freePorts } from './free-ports.ts';
import { type ActiveMqInstallation, findActiveMq } from './installation.ts';
import { ServerProcess, type ServerState } from './server-process.ts';
import { stompAnswers } from './stomp-answers.ts';

/** All optional: `startActiveMq()` gives a durable broker on two free loopback ports with its data in a temporary folder. */
export interface ActiveMqOptions {
  /** Where to keep the messages; made if missing, and left behind by close(). Default: a temporary folder, removed by close(). */
  readonly dataDirectory?: string;
  /** 0 or absent: a free port. */
  readonly openwirePort?: number;
  /** 0 or absent: a free port. */
  readonly stompPort?: number;
  /** Who may connect; absent or empty: everybody. */
  readonly users?: readonly ActiveMqUser[];
  /** Listeners beside OpenWire and STOMP. */
  readonly connectors?: readonly TransportConnector[];
  /** Elements for inside `<broker>` of activemq.xml. */
  readonly extraXml?: string;
  /** The most heap of its Java virtual machine, MiB; default 256. A backlog of 100,000 messages wants 1024. */
  readonly heapMiB?: number;
  /** Further options of its Java virtual machine, such as `-Dname=value`. */
  readonly javaOptions?: readonly string[];
  /** Default: `findActiveMq()`. */
  readonly installation?: ActiveMqInstallation;
}

/** A running ActiveMQ Classic of our own, on loopback. */
export interface ActiveMqBroker {
  /** For artifacts: `tcp://127.0.0.1:PORT`, as `java.naming.provider.url` takes it. */
  readonly openwireUrl: string;
  readonly openwirePort: number;
  readonly stompPort: number;
  /** Changes with each restart; undefined while the broker is down. */
  readonly pid: number | undefined;
  readonly state: ServerState;
  readonly dataDirectory: string;
  /** Milliseconds from the start of the process until STOMP answered, the last time. */
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
  /** The last lines of its log, and of its output where that says more; default 50. */
  log(lines?: number): readonly string[];
}

/**
 * Starts an installed ActiveMQ Classic (Debian's package, or a distribution that ACTIVEMQ_HOME names) and waits until it
 * answers STOMP. It ends with this process in any case.
 *
 * @throws ActiveMqNotFoundError when none is installed
 * @throws ServerStartError when it does not come up within 60 s; nothing is left behind then
 */
export async function startActiveMq(options: ActiveMqOptions = {}): Promise<ActiveMqBroker> {
  const installation = options.installation ?? findActiveMq();
  const chooses = !options.openwirePort || !options.stompPort;
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(installation, options);
    } catch (error) {
      // A port that was free when we chose it may be taken by the time the broker opens it: choose again.
      const taken = /Address already in use|BindException/.test(String(error));
      if (!(taken && chooses) || attempt === 3) throw error;
    }
  }
}

async function startOnce(installation: ActiveMqInstallation, options: ActiveMqOptions): Promise<ActiveMqBroker> {
  const folder = await mkdtemp(join(tmpdir(), 'mini-synapse-activemq-'));
  const forgetFolder = cleanUpAtExit(() => rmSync(folder, { recursive: true, force: true }));
  const broker = new OwnBroker(installation, options, folder, await choosePorts(options), forgetFolder);
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
  readonly openwire: number;
  readonly stomp: number;
}

async function choosePorts(options: ActiveMqOptions): Promise<Ports> {
  const [first = 0, second = 0] = await freePorts(2);
  return { openwire: options.openwirePort || first, stomp: options.stompPort || second };
}

class OwnBroker implements ActiveMqBroker {
  readonly openwirePort: number;
  readonly stompPort: number;
  readonly dataDirectory: string;
  readonly #options: ActiveMqOptions;
  readonly #folder: string;
  readonly #logFile: string;
  readonly #forgetFolder: () => void;
  readonly #process: ServerProcess;
  #startedInMs = 0;

  constructor(
    installation: ActiveMqInstallation,
    options: ActiveMqOptions,
    folder: string,
    ports: Ports,
    forgetFolder: () => void,
  ) {
    this.openwirePort = ports.openwire;
    this.stompPort = ports.stomp;
    this.dataDirectory = options.dataDirectory ?? join(folder, 'data');
    this.#options = options;
    this.#folder = folder;
    this.#logFile = join(folder, 'activemq.log');
    this.#forgetFolder = forgetFolder;
    const [user] = options.users ?? [];
    const door = { host: '127.0.0.1', port: this.stompPort };
    this.#process = new ServerProcess({
      name: 'ActiveMQ',
      command: installation.java,
      args: javaArguments(installation, folder, options),
      cwd: folder,
      answers: () => stompAnswers(user ? { ...door, login: user.name, passcode: user.password } : door),
    });
  }

  get openwireUrl(): string {
    return `tcp://127.0.0.1:${this.openwirePort}`;
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
    mkdirSync(this.dataDirectory, { recursive: true });
    const { users = [], connectors = [], extraXml = '' } = this.#options;
    const { openwirePort, stompPort, dataDirectory } = this;
    const xml = activeMqXml({ openwirePort, stompPort, dataDirectory, users, connectors, extraXml });
    // Passwords are in it.
    await writeFile(join(this.#folder, 'activemq.xml'), xml, { mode: 0o600 });
    await writeFile(join(this.#folder, 'log4j.properties'), log4jProperties(this.#logFile));
    await writeFile(join(this.#folder, 'log4j2.properties'), log4j2Properties(this.#logFile));
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
    await this.#process.stop();
    const begin = performance.now();
    await this.#process.start();
    this.#startedInMs = performance.now() - begin;
  }

  async close(): Promise<void> {
    await this.#process.stop();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 });
    this.#forgetFolder();
  }

  log(lines = 50): readonly string[] {
    const logged = lastLines(this.#logFile, lines);
    return logged.length > 0 ? logged : this.#process.lines().slice(-lines);
  }
}

/** Java's options are for a quick start and a small footprint, not for throughput over hours. */
function javaArguments(
  installation: ActiveMqInstallation,
  folder: string,
  { heapMiB = 256, javaOptions = [] }: ActiveMqOptions,
): readonly string[] {
  return [
    `-Xmx${heapMiB}m`,
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-Xshare:auto',
    // Else it leaves a file in /tmp/hsperfdata_* when it is killed.
    '-XX:-UsePerfData',
    '-Djava.awt.headless=true',
    `-Djava.io.tmpdir=${folder}`,
    `-Dlog4j.configuration=file:${folder}/log4j.properties`,
    `-Dlog4j2.configurationFile=file:${folder}/log4j2.properties`,
    `-Dactivemq.home=${installation.home}`,
    `-Dactivemq.base=${folder}`,
    `-Dactivemq.conf=${folder}`,
    `-Dactivemq.data=${folder}`,
    ...javaOptions,
    '-jar',
    installation.jar,
    'start',
    'xbean:activemq.xml',
  ];
}

/** The end of a text file, without reading more than 64 KiB of it; empty when there is none. */
function lastLines(file: string, count: number): readonly string[] {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch {
    return [];
  }
  try {
    const { size } = fstatSync(descriptor);
    const buffer = Buffer.alloc(Math.min(size, 64 * 1024));
    readSync(descriptor, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString('utf8').trimEnd().split('\n').slice(-count);
  } finally {
    closeSync(descriptor);
  }
}
