import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanUpAtExit } from '../../../samples/activemq/clean-up-at-exit.ts';
import { freePorts } from '../free-ports.ts';
import type { ServerKind } from './kind.ts';
import { findOnPath, ServerProcess } from './process.ts';
import { giveToServer, unprivileged } from './unprivileged.ts';

export interface MosquittoOptions {
  /** PEM texts for a second listener with TLS. */
  readonly tls?: { readonly key: string; readonly certificate: string };
}

/** A running mosquitto of our own, on loopback, whose sessions survive an orderly stop. */
export interface MosquittoBroker {
  readonly port: number;
  /** Nobody listens there without the option `tls`. */
  readonly tlsPort: number;
  /** SIGKILL; what it had not saved is lost. */
  kill(): Promise<void>;
  stop(): Promise<void>;
  /** SIGSTOP: the connections stay and nothing answers. */
  pause(): void;
  resume(): void;
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** mosquitto, an MQTT broker. */
export const mosquitto: ServerKind<string, MosquittoOptions, MosquittoBroker> = {
  name: 'mosquitto',
  debianPackage: 'mosquitto',
  find() {
    const found = findOnPath('mosquitto') ?? findOnPath('mosquitto', '/usr/sbin:/usr/local/sbin');
    if (found === undefined)
      throw new Error('no mosquitto is installed: install the Debian package (apt-get install mosquitto)');
    return found;
  },
  start,
};

async function start(command: string, options: MosquittoOptions = {}): Promise<MosquittoBroker> {
  const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-mosquitto-'));
  const forgetFolder = cleanUpAtExit(() => rmSync(folder, { recursive: true, force: true }));
  const [port = 0, tlsPort = 0] = await freePorts(2);
  const data = join(folder, 'data');
  mkdirSync(data);
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o644 });
    giveToServer(join(folder, name));
    return join(folder, name);
  };
  const lines = [
    'allow_anonymous true',
    'persistence true',
    `persistence_location ${data}/`,
    // With a window, version 2.0.11 sends nothing more of QoS 2 after a client has come back with a full one.
    'max_inflight_messages 0',
    'log_dest stdout',
    `listener ${port} 127.0.0.1`,
  ];
  if (options.tls) {
    const { key, certificate } = options.tls;
    lines.push(
      `listener ${tlsPort} 127.0.0.1`,
      `certfile ${write('certificate.pem', certificate)}`,
      `keyfile ${write('key.pem', key)}`,
    );
  }
  const file = write('mosquitto.conf', `${lines.join('\n')}\n`);
  giveToServer(folder);
  giveToServer(data);
  const server = new ServerProcess({
    name: 'mosquitto',
    ...unprivileged(command, ['-c', file]),
    cwd: folder,
    answers: () => greets(port),
  });
  const close = async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    forgetFolder();
  };
  try {
    await server.start();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    port,
    tlsPort,
    kill: async () => void (await server.kill()),
    stop: async () => void (await server.stop()),
    pause: () => server.pause(),
    resume: () => server.resume(),
    async restart() {
      await server.stop();
      await server.start();
    },
    close,
  };
}

/** CONNECT with a clean session and no name; a broker answers CONNACK. */
const CONNECT = Buffer.from([0x10, 12, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 10, 0, 0]);

function greets(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host: '127.0.0.1', port });
  const settle = (answered: boolean) => {
    clearTimeout(late);
    socket.destroy();
    resolve(answered);
  };
  const late = setTimeout(settle, 2_000, false);
  socket.on('connect', () => socket.write(CONNECT));
  socket.once('data', (chunk) => settle(chunk[0] === 0x20));
  socket.on('error', () => settle(false));
  socket.on('close', () => settle(false));
  return promise;
}
