/** Where a command reads and writes; the process's own streams, or a test's. */
export interface CommandIo {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  /** Default: the process's. */
  readonly stdin?: NodeJS.ReadableStream;
  /** Default: the process's. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** Exit codes (design 2). */
export const EXIT = {
  fine: 0,
  /** Artifacts or configuration are wrong, or what was asked for was refused or has failed. */
  wrong: 1,
  usage: 2,
  /** A port is taken, the server cannot be reached, or another resource is not to be had. */
  unavailable: 3,
} as const;

/** The command line is wrong; the message says how it should be (exit code 2). */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A command could not do what it was asked for; told in one line, without a stack. */
export class CommandFailure extends Error {
  override readonly name: string = 'CommandFailure';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.wrong, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

export function environmentOf(io: CommandIo): Readonly<Record<string, string | undefined>> {
  return io.environment ?? process.env;
}

export function stdinOf(io: CommandIo): NodeJS.ReadableStream & Partial<Pick<NodeJS.ReadStream, 'setRawMode'>> {
  return io.stdin ?? process.stdin;
}

/** Does a person sit there? */
export function isTerminal(stream: NodeJS.ReadableStream | NodeJS.WritableStream): boolean {
  return 'isTTY' in stream && stream.isTTY === true;
}
