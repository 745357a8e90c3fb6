import { once } from 'node:events';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { IClientOptions, IPublishPacket, MqttClient } from 'mqtt';
import { requirePackage } from '../../optional-package.ts';
import { ConnectError } from '../../stores/broker/back-off.ts';
import { tlsAdvice } from '../../stores/broker/trust.ts';
import { PacketSizes } from './packet-size.ts';

/*
 * One MQTT 3.1.1 connection:
 *
 *   CONNECTING ── TCP, TLS ──► GREETING ── CONNACK 0 ──► OPEN ── close() ──► DISCONNECT sent, ENDED
 *        └── error, deadline ──────┴─► (ConnectError)     └── error, end, silence, a packet too large ──► ENDED
 *
 * The library reads and writes the packets and notices silence; it does not reconnect: the supervisor does.
 */

export interface MqttAccess {
  readonly host: string;
  readonly port: number;
  readonly clientId: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Undefined: without TLS. */
  readonly tls: ConnectionOptions | undefined;
  /** False: the broker keeps what comes while we are away. */
  readonly clean: boolean;
  readonly keepAliveS: number;
  /** The largest packet that is taken in, bytes. */
  readonly maxPacketBytes: number;
}

/** What is done with messages that come in. */
export interface MqttReceiving {
  /** A connection is there; false: the broker knows nothing of an earlier one. Before the first message. */
  session(resumed: boolean): void;
  /**
   * A message. The next one is read, and this one acknowledged, only when the promise is resolved; while it never is, the broker has
   * it still. Never rejects.
   */
  message(packet: IPublishPacket): Promise<void>;
  /** The broker has let a message of QoS 2 go: its id may be another message's from now on. */
  released(messageId: number): void;
}

const CONNECT_DEADLINE_MS = 5_000;
const CLOSE_DEADLINE_MS = 1_000;
const KEEP_ALIVE_MS = 30_000;
const UNREACHABLE = /ECONNREFUSED|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ETIMEDOUT/;
const TLS_ADVICE = {
  trust:
    'name a trust store with the certificate of the broker or of its authority, or [mini_synapse] trusted_certificates',
  otherHost: 'x.tls.verify=ca accepts every host that has a trusted certificate',
};

export function formatMqttAddress({ host, port, tls }: Pick<MqttAccess, 'host' | 'port' | 'tls'>): string {
  return `${tls ? 'mqtts' : 'mqtt'}://${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}

/**
 * Connects and logs in, unless the signal is aborted first.
 * @throws ConnectError after a deadline at the latest; nothing is left open then
 */
export async function openMqttConnection(
  access: MqttAccess,
  signal: AbortSignal,
  receiving?: MqttReceiving,
): Promise<MqttConnection> {
  requirePackage('mqtt', 'MQTT');
  const mqtt = await import('mqtt');
  const deadline = AbortSignal.timeout(CONNECT_DEADLINE_MS);
  const life = AbortSignal.any([signal, deadline]);
  let socket: Socket | undefined;
  try {
    socket = await openSocket(access, life);
    guard(socket, access.maxPacketBytes);
    const client = new mqtt.MqttClient(() => socket as never, clientOptions(access));
    if (receiving) receive(client, receiving);
    const connection = new MqttConnection(client, socket, access);
    await connection.greeted(life);
    return connection;
  } catch (cause) {
    socket?.destroy();
    const text = messageOf(cause);
    const problem = deadline.aborted ? `does not answer within ${CONNECT_DEADLINE_MS} ms` : text;
    const failure = deadline.aborted ? 'silent' : UNREACHABLE.test(text) ? 'unreachable' : 'dropped';
    const advice = access.tls && !deadline.aborted ? tlsAdvice(cause, TLS_ADVICE) : '';
    throw new ConnectError(failure, `${formatMqttAddress(access)}: ${problem}${advice}`, { cause });
  }
}

async function openSocket({ host, port, tls }: MqttAccess, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const socket = tls
    ? connectTls({ ...tls, ...servername, host, port })
    : connectTcp({ host, port, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS });
  try {
    await once(socket, tls ? 'secureConnect' : 'connect', { signal });
  } catch (error) {
    // An error that comes after it was given up is nobody's.
    socket.on('error', () => undefined);
    socket.destroy();
    throw error;
  }
  socket.setNoDelay(true);
  return socket;
}

/** Ends the connection at the first packet that is too large. */
function guard(socket: Socket, maxPacketBytes: number): void {
  const sizes = new PacketSizes(maxPacketBytes);
  socket.on('data', (chunk: Buffer) => {
    const length = sizes.tooLarge(chunk);
    if (length !== undefined)
      socket.destroy(new Error(`a message of ${length} bytes is larger than the limit of ${maxPacketBytes}`));
  });
  socket.pause();
}

function clientOptions(access: MqttAccess): IClientOptions {
  const { clientId, username, password, clean, keepAliveS } = access;
  return {
    protocolVersion: 4,
    clientId,
    clean,
    keepalive: keepAliveS,
    reconnectPeriod: 0,
    connectTimeout: CONNECT_DEADLINE_MS,
    queueQoSZero: false,
    resubscribe: false,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  };
}

type Acknowledge = (reasonCode: number) => void;

function receive(client: MqttClient, receiving: MqttReceiving): void {
  // Of QoS 1 and 2: before the broker is told that we have it. As an option it would count for MQTT 5 only.
  client.options.customHandleAcks = (_topic, _payload, packet, done) => {
    void receiving.message(packet as IPublishPacket).then(() => (done as Acknowledge)(0));
  };
  client.handleMessage = (packet, callback) => {
    if (packet.qos === 0) void receiving.message(packet).then(() => callback());
    else callback();
  };
  client.on('packetreceive', (packet) => {
    if (packet.cmd === 'connack') receiving.session(packet.sessionPresent);
    if (packet.cmd === 'pubrel' && packet.messageId !== undefined) receiving.released(packet.messageId);
  });
}

export class MqttConnection {
  /** Resolves with the reason when the connection has ended; never rejects. */
  readonly ended: Promise<Error>;
  /** A broker that let us in has answered more than an open port does. */
  readonly hasWorked = true;
  readonly access: MqttAccess;
  readonly #client: MqttClient;
  readonly #socket: Socket;
  readonly #end: (reason: Error) => void;

  constructor(client: MqttClient, socket: Socket, access: MqttAccess) {
    this.#client = client;
    this.#socket = socket;
    this.access = access;
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.ended = promise;
    this.#end = resolve;
    socket.on('error', (error) => resolve(error));
    client.on('error', (error) => this.fail(error));
    client.on('close', () => resolve(new Error('the broker closed the connection')));
  }

  /** Resolves with the broker's CONNACK. @throws Error */
  async greeted(signal: AbortSignal): Promise<void> {
    const giveUp = () => this.fail(new Error('the attempt was given up'));
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    const connected = new Promise<void>((resolve) => this.#client.once('connect', () => resolve()));
    try {
      await Promise.race([connected, this.ended.then((reason) => Promise.reject(reason))]);
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  /** @throws Error when the broker refuses */
  async subscribe(topic: string, qos: 0 | 1 | 2): Promise<void> {
    const granted = await this.#client.subscribeAsync(topic, { qos });
    if (granted.some((grant) => Number(grant.qos) > 2)) throw new Error(`the broker refuses the topic ${topic}`);
  }

  /** Resolves when the broker has it; of QoS 0 when it is written. @throws Error */
  async publish(topic: string, payload: Uint8Array, options: { qos: 0 | 1 | 2; retain: boolean }): Promise<void> {
    const published = this.#client.publishAsync(topic, Buffer.from(payload), options);
    await Promise.race([published, this.ended.then((reason) => Promise.reject(reason))]);
  }

  /** Tells the broker that we are there while no packets are read. */
  stayAlive(): void {
    if (!this.#client.connected) return;
    this.#client.sendPing();
    this.#client.reschedulePing(true);
  }

  /** Ends the connection at once. */
  fail(reason: Error): void {
    this.#end(reason);
    this.#client.end(true);
    this.#socket.destroy();
  }

  /** Says good-bye. Never throws. */
  async close(): Promise<void> {
    const client = this.#client;
    const left = new Promise<void>((resolve) => client.end(false, () => resolve()));
    const late = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_DEADLINE_MS).unref());
    await Promise.race([left, late]);
    this.fail(new Error('closed'));
  }
}

function messageOf(reason: unknown): string {
  const reasons: unknown[] = reason instanceof AggregateError ? reason.errors : [reason];
  return reasons.map((one) => (one instanceof Error ? one.message : String(one))).join('; ');
}
