/** The part of stompit (it brings no types) that connection.ts uses. */
declare module 'stompit' {
  import type { EventEmitter } from 'node:events';
  import type { Socket } from 'node:net';
  import type { Readable, Writable } from 'node:stream';

  /** A frame as it comes in: its headers are complete, its body is a stream that must be read to its end. */
  interface IncomingFrame extends Readable {
    readonly command: string;
    /** Unescaped; of a repeated header the first one. stompit makes a number of `content-length`. */
    readonly headers: Readonly<Record<string, string | number>>;
  }

  interface ClientOptions {
    readonly maxLineLength: number;
    readonly maxHeaders: number;
  }

  class Client extends EventEmitter {
    constructor(socket: Socket, options: ClientOptions);
    /** The headers of CONNECTED, once it has come. */
    readonly headers: Readonly<Record<string, string | number>>;
    /** Sends CONNECT; the callback hears of CONNECTED or of what came instead. `headers` is changed. */
    connect(headers: Record<string, string>, callback: (error: Error | null) => void): void;
    setHeartbeat(heartbeat: readonly [number, number]): void;
    setCommandHandlers(handlers: Record<string, (frame: IncomingFrame) => void>): void;
    /** The frame is sent when the stream that it returns is ended. `headers` is kept. */
    sendFrame(command: string, headers: Record<string, string>): Writable;
    destroy(error?: Error): void;
  }

  const stompit: { readonly Client: typeof Client };
  export default stompit;
  export type { Client, IncomingFrame };
}
