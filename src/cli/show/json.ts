import { type CommandIo, EXIT } from '../io.ts';

/** What scripts read: the API's own answer. Returns exit code 0. */
export function json(value: unknown, io: CommandIo): number {
  io.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
  return EXIT.fine;
}
