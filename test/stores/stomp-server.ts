import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

/** A frame as the server got it. */
export interface ReceivedFrame {
  readonly command: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Counts connections from 1. */
  readonly connection: number;
}

export interface StompServer {
  readonly port: number;
  readonly frames: readonly ReceivedFrame[];
  readonly connections: number;
  /** Connections that are open now. */
  readonly open: number;
  /** Cuts all connections. */
  cut(): void;
  /** Cuts one of them, counted from 1. */
  cutOne(connection: number): void;
  /** Says something over one of them, counted from 1, that answers no frame at once. */
  say(connection: number, text: string): void;
  close(): Promise<void>;
}

/** What to send back for a frame; `undefined`: what a friendly broker answers; `''`: nothing; `cut`: the end. */
export type Script = (frame: ReceivedFrame) => string | undefined;

/** A broker that is played: every frame is remembered, and answered by the script or as a friendly broker would. */
export async function stompServer(
  script: Script = () => undefined,
  tls?: { readonly key: string; readonly cert: string },
): Promise<StompServer> {
  const frames: ReceivedFrame[] = [];
  const sockets = new Map<Socket, number>();
  let connections = 0;
  const onConnection = (socket: Socket) => {
    connections += 1;
    const connection = connections;
    sockets.set(socket, connection);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    let rest = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      const parts = (rest + chunk).split('\0');
      rest = parts.pop() ?? '';
      for (const part of parts) {
        const frame = { ...parse(part), connection };
        frames.push(frame);
        const answer = script(frame) ?? friendly(frame);
        if (answer === 'cut') socket.resetAndDestroy();
        else if (answer !== '') socket.write(answer, 'latin1');
      }
    });
  };
  const server = tls ? createTlsServer(tls, onConnection) : createServer(onConnection);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    frames,
    get connections() {
      return connections;
    },
    get open() {
      return sockets.size;
    },
    cut() {
      for (const socket of sockets.keys()) socket.destroy();
    },
    cutOne(wanted) {
      for (const [socket, connection] of sockets) if (connection === wanted) socket.destroy();
    },
    say(wanted, text) {
      for (const [socket, connection] of sockets) if (connection === wanted) socket.write(text, 'latin1');
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets.keys()) socket.destroy();
      }),
  };
}

/** A frame to be sent. */
export function stompFrame(command: string, headers: Record<string, string> = {}, body = ''): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value.replaceAll(':', '\\c')}\n`);
  return `${command}\n${lines.join('')}\n${body}\0`;
}

export const CONNECTED = stompFrame('CONNECTED', { version: '1.2', 'heart-beat': '0,0', server: 'Played/1' });

function friendly({ command, headers }: ReceivedFrame): string {
  if (command === 'CONNECT') return CONNECTED;
  return headers.receipt === undefined ? '' : stompFrame('RECEIPT', { 'receipt-id': headers.receipt });
}

function parse(text: string): Omit<ReceivedFrame, 'connection'> {
  const [head = '', ...body] = text.replace(/^\n+/, '').split('\n\n');
  const [command = '', ...lines] = head.split('\n');
  const headers = lines.map((line) => {
    const at = line.indexOf(':');
    return [line.slice(0, at), line.slice(at + 1).replaceAll('\\c', ':')] as const;
  });
  return { command, headers: Object.fromEntries(headers), body: body.join('\n\n') };
}
