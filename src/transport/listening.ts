import type { Server } from 'node:net';

/** A listener that could not be opened. */
export class ListenError extends Error {
  override readonly name: string = 'ListenError';
  readonly host: string;
  readonly port: number;

  constructor(text: string, host: string, port: number, cause: unknown) {
    super(text, { cause });
    this.host = host;
    this.port = port;
  }
}

/** Another process, or another listener of this one, has the port. */
export class PortTakenError extends ListenError {
  override readonly name = 'PortTakenError';

  constructor(host: string, port: number, cause: unknown) {
    super(
      `Port ${port} on ${host} is taken; stop what uses it or choose another port (0 takes any free one)`,
      host,
      port,
      cause,
    );
  }
}

/**
 * Opens a server on a port; 0 takes any free one.
 * @throws PortTakenError when the port is in use
 * @throws ListenError when the address is not ours or the port not allowed
 */
export function listenOn(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const onListening = () => {
      server.off('error', onError);
      resolve();
    };
    const onError = (error: NodeJS.ErrnoException) => {
      server.off('listening', onListening);
      reject(
        error.code === 'EADDRINUSE'
          ? new PortTakenError(host, port, error)
          : new ListenError(`Cannot listen on ${host}:${port}: ${error.message}`, host, port, error),
      );
    };
    server.once('listening', onListening);
    server.once('error', onError);
    server.listen(port, host);
  });
}
