/**
 * A kind of real server, one file each. To add one: write `<name>.ts` after the pattern of `activemq.ts` (start the server
 * with `ServerProcess` on a `freePort()`, its data in a temporary folder), and export it in `index.ts`.
 */
export interface ServerKind<Installation, Options, Running extends RunningServer> {
  /** As people call it. */
  readonly name: string;
  /** The Debian package that brings it, or several, separated by blanks. */
  readonly debianPackage: string;
  /** What is installed. @throws an error that says how to get it (on its first line), when nothing usable is */
  find(): Installation;
  /** Starts one on loopback and resolves when it answers. */
  start(installation: Installation, options?: Options): Promise<Running>;
}

export interface RunningServer {
  /** Stops it and removes its files; may be called twice, and whatever state it is in. */
  close(): Promise<void>;
}
