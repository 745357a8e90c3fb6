import type { WebSocket } from 'ws';
import { logger } from '../../logging/index.ts';
import type { Frame } from './frame.ts';

const log = logger('WebSocket');
/** Frames that the other side has not taken yet, bytes; one that takes so little is cut off. */
const MAX_BUFFERED_BYTES = 32 * 1024 * 1024;
const CLOSE_DEADLINE_MS = 2_000;
const TOO_SLOW = 1013;

/** One side does not answer pings, or does not read what it is sent. */
export class WebSocketSilent extends Error {
  override readonly name = 'WebSocketSilent';
}

/** Asks the other side for a sign of life; ends the connection when there was none since the last time. @returns stops asking */
export function keepAlive(socket: WebSocket, intervalMs: number, what: string): () => void {
  let alive = true;
  socket.on('pong', () => {
    alive = true;
  });
  const timer = setInterval(() => {
    if (!alive) {
      log.warn(`${what} gave no sign of life for ${intervalMs} ms and is disconnected`);
      socket.terminate();
      return;
    }
    alive = false;
    if (socket.readyState === socket.OPEN) socket.ping();
  }, intervalMs).unref();
  const stop = () => clearInterval(timer);
  socket.once('close', stop);
  return stop;
}

/** Resolves when the frame is written. @throws Error when the connection is closed or the other side does not read */
export function sendFrame(socket: WebSocket, { bytes, binary }: Frame): Promise<void> {
  if (socket.bufferedAmount + bytes.length > MAX_BUFFERED_BYTES) {
    socket.close(TOO_SLOW, 'too slow');
    setTimeout(() => socket.terminate(), CLOSE_DEADLINE_MS).unref();
    return Promise.reject(new WebSocketSilent(`${socket.bufferedAmount} bytes were not taken: it is disconnected`));
  }
  return new Promise((resolve, reject) => {
    socket.send(binary ? bytes : bytes.toString('utf8'), { binary }, (error) => (error ? reject(error) : resolve()));
  });
}

/** Says good-bye, and ends the connection when that is not answered. Never rejects. */
export function closeSocket(
  socket: WebSocket,
  code: number,
  reason: string,
  deadlineMs = CLOSE_DEADLINE_MS,
): Promise<void> {
  if (socket.readyState === socket.CLOSED) return Promise.resolve();
  return new Promise((resolve) => {
    const late = setTimeout(() => socket.terminate(), Math.min(deadlineMs, CLOSE_DEADLINE_MS));
    socket.once('close', () => {
      clearTimeout(late);
      resolve();
    });
    if (socket.readyState === socket.CONNECTING) socket.terminate();
    else socket.close(code, reason);
  });
}
