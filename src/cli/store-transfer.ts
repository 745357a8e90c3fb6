import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { counted } from '../logging/counted.ts';
import { parseFlags, takeArguments, wordFlag } from './arguments.ts';
import { CommandFailure, type CommandIo, EXIT, isTerminal, stdinOf, UsageError } from './io.ts';
import { filterQuery } from './message-filter.ts';
import { connect } from './remote/connect.ts';
import { json } from './show/json.ts';
import { Progress } from './show/progress.ts';
import { printable } from './show/terminal.ts';
import { STORE_EXPORT, STORE_IMPORT } from './table/steering.ts';

const LINES = 'application/x-ndjson';
const MAX_REASONS = 20;
const NEWLINE = 10;

/** `mini-synapse store export STORE [ID...]` (OP-49). */
export async function storeExport(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, STORE_EXPORT.options);
  const [store, ...ids] = positionals;
  if (store === undefined)
    throw new UsageError(`STORE is missing; expected: ${STORE_EXPORT.name} ${STORE_EXPORT.usage}`);
  const client = await connect(values, io);
  const query = { force: values.force, ...filterQuery(values), ...(ids.length > 0 && { ids: ids.join(',') }) };
  const path = `/management/message-stores/${encodeURIComponent(store)}/export`;
  const reply = await client.open('GET', path, { query, headers: { Accept: LINES } });
  const counter = new LineCounter();
  if (values.out === undefined) {
    await pipeline(reply, counter, io.stdout, { end: false }).catch(brokenOff);
  } else {
    // Secrets in messages are in there.
    const file = await open(values.out, 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
      reply.destroy();
      throw new CommandFailure(`${values.out} cannot be written: ${cause.message}`, EXIT.wrong, { cause });
    });
    await pipeline(reply, counter, file.createWriteStream()).catch(brokenOff);
  }
  io.stderr.write(`${counted(counter.lines, 'message')} exported\n`);
  return EXIT.fine;
}

/** What has come is not all. */
function brokenOff(cause: unknown): never {
  throw new CommandFailure(`the export was broken off: ${(cause as Error).message}`, EXIT.wrong, { cause });
}

class LineCounter extends Transform {
  lines = 0;

  override _transform(part: Buffer, _encoding: string, done: (error: null, part: Buffer) => void): void {
    for (const byte of part) if (byte === NEWLINE) this.lines += 1;
    done(null, part);
  }
}

interface ImportResult {
  readonly done: number;
  readonly count: number;
  readonly skipped: number;
  readonly failed: ReadonlyArray<{ readonly line: number; readonly id?: string; readonly Error: string }>;
}

/** `mini-synapse store import STORE [FILE]` (OP-49). */
export async function storeImport(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, STORE_IMPORT.options);
  const [, given] = positionals;
  const file = given === '-' ? undefined : given;
  const [store] = takeArguments(positionals.slice(0, 1), ['STORE'], STORE_IMPORT);
  if (positionals.length > 2) throw new UsageError(`'${positionals[2]}' is too much; one file at a time`);
  const duplicates = wordFlag('duplicates', values.duplicates, ['refuse', 'skip', 'allow']);
  if (file === undefined && isTerminal(stdinOf(io)))
    throw new UsageError('FILE is missing, and nothing comes from the standard input');
  const client = await connect(values, io);
  const progress = new Progress(`import into ${store}`, io);
  const body = await source(file, progress, io);
  try {
    const { body: result } = await client.send(
      'POST',
      `/management/message-stores/${encodeURIComponent(store)}/import`,
      {
        query: { duplicates, dryRun: values['dry-run'], force: values.force },
        headers: { 'Content-Type': LINES },
        body,
      },
    );
    progress.end();
    return report(result as ImportResult, values, io);
  } finally {
    progress.end();
    body.destroy();
  }
}

/** @throws UsageError for a file that cannot be read */
async function source(file: string | undefined, progress: Progress, io: CommandIo): Promise<Readable> {
  if (file === undefined) return Readable.from(stdinOf(io) as AsyncIterable<Buffer>, { objectMode: false });
  const size = await stat(file).then(
    (found) => found.size,
    (cause: Error) => {
      throw new UsageError(`${file} cannot be read: ${cause.message}`, { cause });
    },
  );
  let sent = 0;
  const stream = createReadStream(file);
  stream.on('data', (part) => {
    sent += part.length;
    progress.show(sent, size);
  });
  stream.pause();
  return stream;
}

function report(
  result: ImportResult,
  flags: { readonly json?: boolean | undefined; readonly 'dry-run'?: boolean | undefined },
  io: CommandIo,
): number {
  const { done, count, skipped, failed } = result;
  const code = failed.length === 0 ? EXIT.fine : EXIT.wrong;
  if (flags.json) {
    json(result, io);
    return code;
  }
  const verb = flags['dry-run'] ? 'could be imported' : 'imported';
  io.stdout.write(`${done} of ${counted(count, 'message')} ${verb}${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
  for (const { line, id, Error: reason } of failed.slice(0, MAX_REASONS))
    io.stderr.write(`${printable(`line ${line}${id === undefined ? '' : ` (${id})`}: ${reason}`)}\n`);
  if (failed.length > MAX_REASONS) io.stderr.write(`and ${failed.length - MAX_REASONS} more\n`);
  return code;
}
