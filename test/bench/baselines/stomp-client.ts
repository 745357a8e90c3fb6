import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import stompit, { type IncomingFrame } from 'stompit';

/** What a message comes with, and how it is acknowledged: resolves at the receipt. */
export type OnMessage = (body: Buffer, acknowledge: () => Promise<void>) => void;

/** The least that one does with stompit: frames with receipts over one socket without Nagle's delay, as many at once as anybody likes. */
export interface BareStomp {
  /** Sends a persistent message; resolves at its receipt. */
  send(queue: string, body: Buffer): Promise<void>;
  /** Acknowledged one by one; so many at once. */
  subscribe(queue: string, prefetch: number, onMessage: OnMessage): Promise<() => Promise<void>>;
}

const LIMITS = { maxLineLength: 1024 * 1024, maxHeaders: 1024 };

/** Connects to a STOMP port of this machine. */
export async function bareStomp(port: number): Promise<BareStomp> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  const client = new stompit.Client(socket, LIMITS);
  await new Promise<void>((resolve, reject) => {
    const headers = { 'accept-version': '1.2', host: 'localhost', 'heart-beat': '0,0' };
    client.connect(headers, (error) => (error ? reject(error) : resolve()));
  });
  const receipts = new Map<string, () => void>();
  answerAtOnce(socket);
  let onMessage: OnMessage = () => undefined;
  let last = 0;
  const request = (command: string, headers: Record<string, string>, body?: Buffer) =>
    new Promise<void>((resolve) => {
      last += 1;
      const receipt = `${last}`;
      receipts.set(receipt, resolve);
      const frame = client.sendFrame(command, { ...headers, receipt });
      if (body) frame.end(body);
      else frame.end();
    });
  client.setCommandHandlers({
    RECEIPT: (frame) => {
      frame.resume();
      const id = String(frame.headers['receipt-id']);
      receipts.get(id)?.();
      receipts.delete(id);
    },
    MESSAGE: (frame) => {
      const id = String(frame.headers.ack);
      wholeBody(frame, (body) => onMessage(body, () => request('ACK', { id })));
    },
    ERROR: (frame) => {
      process.stderr.write(`the broker: ${String(frame.headers.message)}\n`);
      process.exit(1);
    },
  });
  return {
    send: (queue, body) =>
      request('SEND', { destination: `/queue/${queue}`, persistent: 'true', 'content-length': `${body.length}` }, body),
    subscribe: async (queue, prefetch, handler) => {
      onMessage = handler;
      last += 1;
      const id = `s${last}`;
      const headers = { destination: `/queue/${queue}`, ack: 'client-individual', id };
      await request('SUBSCRIBE', { ...headers, 'activemq.prefetchSize': `${prefetch}` });
      return () => request('UNSUBSCRIBE', { id });
    },
  };
}

/**
 * ActiveMQ leaves Nagle's algorithm on: its second small frame waits for the acknowledgement of the first, which the kernel delays for
 * 40 ms unless it goes with data. Without an answer one message at a time is 21 a second, and nothing is compared with that.
 */
function answerAtOnce(socket: Socket): void {
  socket.on('data', () => {
    const before = socket.bytesWritten;
    setImmediate(() => {
      if (socket.bytesWritten === before) socket.write('\n');
    });
  });
}

function wholeBody(frame: IncomingFrame, done: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  frame.on('data', (chunk: Buffer) => chunks.push(chunk));
  frame.on('end', () => done(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
}
