import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { FrameWriter } from '../../../src/stores/stomp/frame-writer.ts';
import { encodeJmsMessage } from '../../../src/stores/stomp/jms-message.ts';
import { storedOrder } from '../messages.ts';
import { within } from './deadline.ts';

/** In one transaction, with one receipt: one write to the disk for all of them. */
const AT_ONCE = 500;
/** One is made while the broker is at work on the others. */
const LANES = 3;
/** For one transaction; a broker that is not stuck takes a second. */
const TRANSACTION_DEADLINE_MS = 60_000;

/**
 * Puts stored messages on a queue, as a proxy would have stored them, only faster.
 * @param onFilled told how many there are, again and again
 * @throws StalledError when the broker takes no more
 */
export async function fillQueue(
  stompPort: number,
  queue: string,
  count: number,
  onFilled: (filled: number) => void = () => undefined,
): Promise<void> {
  let next = 0;
  let filled = 0;
  const lane = async () => {
    if (next >= count) return;
    const filler = await QueueFiller.open(stompPort);
    try {
      while (next < count) {
        const from = next;
        const size = Math.min(AT_ONCE, count - from);
        next += size;
        await filler.fill(queue, from, size);
        filled += size;
        onFilled(filled);
      }
    } finally {
      filler.close();
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

/** Frames without receipts, but for the last of a transaction: the receipts of the others cost as much as the messages. */
class QueueFiller {
  readonly #socket: Socket;
  readonly #frames: FrameWriter;
  /** What the broker has said that nobody has waited for. */
  #said = '';
  #heard: () => void = () => undefined;
  #lost: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#frames = new FrameWriter(socket);
    socket.on('data', (chunk) => {
      this.#said += chunk.toString('latin1');
      this.#heard();
    });
    const lost = (error: Error) => {
      this.#lost ??= error;
      this.#heard();
    };
    socket.on('error', lost);
    socket.on('close', () => lost(new Error('the broker has ended the connection')));
  }

  static async open(port: number): Promise<QueueFiller> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    try {
      await within(once(socket, 'connect'), TRANSACTION_DEADLINE_MS, 'a connection to the broker');
      const filler = new QueueFiller(socket);
      const headers = { 'accept-version': '1.2', host: 'localhost', 'heart-beat': '0,0' };
      filler.#frames.write('CONNECT', headers, undefined, undefined);
      await filler.#answer('CONNECTED', 'a session');
      return filler;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  async fill(queue: string, from: number, count: number): Promise<void> {
    const transaction = `fill${from}`;
    this.#frames.write('BEGIN', { transaction }, undefined, undefined);
    for (let index = 0; index < count; index += 1) {
      const { headers, body } = encodeJmsMessage(storedOrder(from + index));
      const where = { destination: `/queue/${queue}`, transaction };
      this.#frames.write('SEND', { ...headers, ...where }, undefined, body);
    }
    this.#frames.write('COMMIT', { transaction }, transaction, undefined);
    await this.#answer(`receipt-id:${transaction}\n`, `the broker to take ${count} messages`);
  }

  close(): void {
    this.#socket.destroy();
  }

  async #answer(wanted: string, what: string): Promise<void> {
    const answered = new Promise<void>((resolve, reject) => {
      this.#heard = () => {
        if (this.#said.includes('ERROR')) reject(new Error(`the broker: ${this.#said}`));
        else if (this.#said.includes(wanted)) resolve();
        else if (this.#lost) reject(this.#lost);
      };
      this.#heard();
    });
    await within(answered, TRANSACTION_DEADLINE_MS, what);
    this.#said = '';
  }
}
