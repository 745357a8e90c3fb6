import { integerFlag, parseFlags, takeArguments } from './arguments.ts';
import { type CommandIo, EXIT } from './io.ts';
import { connect } from './remote/connect.ts';
import { json } from './show/json.ts';
import { confirmed } from './show/prompt.ts';
import { clock } from './show/quantities.ts';
import { type Column, table } from './show/table.ts';
import { type Colour, coloured, colourOfState, printable, type Terminal, terminalOf } from './show/terminal.ts';
import { ARTIFACT_DIFF, ARTIFACT_ROLLBACK, ARTIFACT_VERSIONS } from './table/artifacts.ts';

const LAST_VERSION = Number.MAX_SAFE_INTEGER;

interface Version {
  readonly version: number;
  readonly time: string;
  readonly result: string;
  readonly chars: number;
  readonly kept: boolean;
  readonly current: boolean;
}

interface Versions {
  readonly list: readonly Version[];
  readonly lastGood?: number;
}

/** `mini-synapse artifact versions FILE` (OP-36). */
export async function artifactVersions(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, ARTIFACT_VERSIONS.options);
  const [file] = takeArguments(positionals, ['FILE'], ARTIFACT_VERSIONS);
  const client = await connect(values, io);
  const found = await client.get<Versions>('/management/artifacts/versions', { file });
  if (values.json) return json(found, io);
  const columns: readonly Column<Version>[] = [
    { title: 'VERSION', align: 'right', cell: ({ version }) => String(version) },
    { title: 'TIME', cell: ({ time }) => clock(time) },
    { title: 'RESULT', cell: ({ result }) => ({ text: result, colour: colourOfState(result) }) },
    { title: 'CHARACTERS', align: 'right', cell: ({ chars }) => String(chars) },
    { title: 'NOTE', cell: (row) => noteOf(row, found.lastGood) },
  ];
  io.stdout.write(table(found.list.toReversed(), columns, terminalOf(io)));
  return EXIT.fine;
}

function noteOf({ version, kept, current }: Version, lastGood: number | undefined): string {
  const notes = [current && 'current', version === lastGood && 'the last good one', !kept && 'its text is not kept'];
  return notes.filter(Boolean).join(', ');
}

/** `mini-synapse artifact diff FILE [--from N] [--to N]` (OP-36). */
export async function artifactDiff(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, ARTIFACT_DIFF.options);
  const [file] = takeArguments(positionals, ['FILE'], ARTIFACT_DIFF);
  const from = integerFlag('from', values.from, 1, LAST_VERSION);
  const to = integerFlag('to', values.to, 1, LAST_VERSION);
  const client = await connect(values, io);
  const found = await client.get<{ readonly diff: string; readonly onlySecretsDiffer: boolean }>(
    '/management/artifacts/diff',
    { file, from, to },
  );
  if (values.json) return json(found, io);
  io.stdout.write(colouredDiff(printable(found.diff, 'lines'), terminalOf(io)));
  if (found.diff === '') io.stderr.write(found.onlySecretsDiffer ? 'Only secrets differ\n' : 'Nothing differs\n');
  return EXIT.fine;
}

const DIFF_COLOURS: Readonly<Record<string, Colour>> = { '+': 'green', '-': 'red', '@': 'cyan' };

function colouredDiff(diff: string, terminal: Terminal): string {
  const lines = diff.split('\n').map((line) => coloured(line, DIFF_COLOURS[line.charAt(0)], terminal));
  return lines.join('\n');
}

/** `mini-synapse artifact rollback FILE [--version N]` (OP-36). */
export async function artifactRollback(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, ARTIFACT_ROLLBACK.options);
  const [file] = takeArguments(positionals, ['FILE'], ARTIFACT_ROLLBACK);
  const version = integerFlag('version', values.version, 1, LAST_VERSION);
  const client = await connect(values, io);
  const which = version === undefined ? 'its last good version' : `version ${version}`;
  await confirmed(`Roll ${file} back to ${which}?`, values.yes, io);
  const { body } = await client.send('POST', '/management/artifacts/rollback', {
    body: { file, ...(version !== undefined && { version }) },
  });
  if (values.json) return json(body, io);
  const done = body as { readonly version: number; readonly state: string };
  io.stdout.write(`${printable(`${file}: version ${done.version} ${done.state}`)}\n`);
  return done.state === 'faulty' ? EXIT.wrong : EXIT.fine;
}
