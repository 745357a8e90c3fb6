import { type CommandIo, EXIT } from './io.ts';

/**
 * What becomes of a command whose output nobody takes any more, as in `mini-synapse logs | head`. A command that only prints ends at once,
 * one that serves as at SIGTERM: what is in flight ends first. Both exit with 0, since whoever has read enough has made no mistake.
 * What cannot be written for another reason (a full disk) is told once on the standard error: a server goes on, others exit with 3.
 * @param serves does the command go on until it is stopped?
 * @returns to be called when the command has ended
 */
export function heedReader({ stdout, stderr }: CommandIo, serves: boolean): () => void {
  let told = false;
  const onOutputError = (error: NodeJS.ErrnoException) => {
    // Every further write fails in the same way.
    if (told) return;
    told = true;
    if (error.code !== 'EPIPE') stderr.write(`mini-synapse: the output cannot be written any more: ${error.message}\n`);
    if (error.code === 'EPIPE' && serves) process.kill(process.pid, 'SIGTERM');
    else if (!serves) process.exit(error.code === 'EPIPE' ? EXIT.fine : EXIT.unavailable);
  };
  // Whether there is somebody to tell is not worth ending for.
  const onTellingError = () => {};
  stdout.on('error', onOutputError);
  stderr.on('error', onTellingError);
  // The last writes may fail after the command has ended, with an exit code of its own.
  return () => {
    told = true;
  };
}
