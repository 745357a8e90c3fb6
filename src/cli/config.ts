import { readConfiguration } from '../config/config.ts';
import type { EffectiveSetting } from '../config/settings.ts';
import { ConfigurationError } from '../config/toml-reader.ts';
import { parseFlags, takeArguments } from './arguments.ts';
import { CommandFailure, type CommandIo, EXIT, environmentOf } from './io.ts';
import { connect } from './remote/connect.ts';
import { json } from './show/json.ts';
import { type Column, table } from './show/table.ts';
import { terminalOf } from './show/terminal.ts';
import { CONFIG } from './table/server.ts';

const COLUMNS: readonly Column<EffectiveSetting>[] = [
  { title: 'KEY', cell: ({ key }) => key },
  { title: 'VALUE', cell: ({ value }) => valueText(value) },
  { title: 'ORIGIN', cell: ({ origin }) => ({ text: origin, colour: origin === 'default' ? 'gray' : 'cyan' }) },
  { title: 'WHERE', cell: ({ where = '' }) => where },
  { title: 'WHAT', cell: ({ description }) => description },
];

/** `mini-synapse config [TEXT]`: the settings in effect with where each came from; secrets are masked. */
export async function config(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, CONFIG.options);
  const [text] = positionals;
  if (positionals.length > 1) takeArguments(positionals, ['TEXT'], CONFIG);
  const all = values.running ? await running(values, io) : local(values.config, io);
  const wanted = text?.toLowerCase() ?? '';
  const list = all.filter(
    ({ key, description, origin }) =>
      (!values.changed || origin !== 'default') && `${key} ${description}`.toLowerCase().includes(wanted),
  );
  if (values.json) return json({ count: list.length, list }, io);
  io.stdout.write(list.length > 0 ? table(list, COLUMNS, terminalOf(io)) : 'No Settings found\n');
  return EXIT.fine;
}

function local(file: string | undefined, io: CommandIo): readonly EffectiveSetting[] {
  try {
    return readConfiguration({ config: file }, environmentOf(io)).effective;
  } catch (cause) {
    if (!(cause instanceof ConfigurationError)) throw cause;
    throw new CommandFailure(cause.message, EXIT.wrong, { cause });
  }
}

async function running(flags: Parameters<typeof connect>[0], io: CommandIo): Promise<readonly EffectiveSetting[]> {
  const client = await connect(flags, io);
  return (await client.get<{ readonly list: readonly EffectiveSetting[] }>('/management/configuration')).list;
}

function valueText(value: EffectiveSetting['value']): string {
  if (value === null) return '';
  return Array.isArray(value) ? value.join(', ') : String(value);
}
