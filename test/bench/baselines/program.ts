import type { AddressInfo, Server } from 'node:net';

/*
 * What all baselines share: they are started with `fork`, take what they need from `--name value`, tell their port to whoever started
 * them, and end with that process.
 */

/** The value of `--name` on the command line. @throws Error when it is missing */
export function option(name: string): string {
  const at = process.argv.indexOf(`--${name}`);
  const value = at < 0 ? undefined : process.argv[at + 1];
  if (value === undefined) throw new Error(`--${name} is missing`);
  return value;
}

/** Listens on a free loopback port and says which. */
export function announce(server: Server): void {
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
  process.once('disconnect', () => process.exit(0));
}
