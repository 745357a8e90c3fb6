import { connect, type Socket } from 'node:net';

const NUL = '\0';
const DEADLINE_MS = 10_000;

/**
 * Subscribes to a topic of a broker, with a STOMP 1.2 connection of its own. Resolves when the broker has confirmed it.
 * @param got called with the body of every message, as Latin-1 text
 */
export async function subscribe(port: number, topic: string, got: (body: string) => void): Promise<{ end(): void }> {
  const socket = connect({ host: '127.0.0.1', port });
  const ready = Promise.withResolvers<void>();
  const late = setTimeout(() => ready.reject(new Error('the broker did not confirm the subscription')), DEADLINE_MS);
  socket.on('error', ready.reject);
  readFrames(socket, (frame) => {
    if (frame.startsWith('CONNECTED'))
      socket.write(`SUBSCRIBE\nid:1\nreceipt:r\nack:auto\ndestination:/topic/${topic}\n\n${NUL}`);
    else if (frame.startsWith('RECEIPT')) ready.resolve();
    else if (frame.startsWith('MESSAGE')) got(frame.slice(frame.indexOf('\n\n') + 2));
  });
  socket.write(`CONNECT\naccept-version:1.2\nhost:localhost\n\n${NUL}`);
  try {
    await ready.promise;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(late);
  }
  return { end: () => socket.destroy() };
}

/** Frames whose bodies have no NUL. */
function readFrames(socket: Socket, onFrame: (frame: string) => void): void {
  let rest = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    const frames = (rest + text).split(NUL);
    rest = frames.pop() ?? '';
    for (const frame of frames) onFrame(frame.trimStart());
  });
}
