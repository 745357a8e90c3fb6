/** Where a command writes; the process's own streams, or a test's. */
export interface CommandIo {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}

/** Exit codes (design 2). */
export const EXIT = {
  fine: 0,
  /** Artifacts or configuration are wrong. */
  wrong: 1,
  usage: 2,
  /** A port is taken or another resource is not to be had. */
  unavailable: 3,
} as const;

/** The command line is wrong; the message says how it should be (exit code 2). */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
