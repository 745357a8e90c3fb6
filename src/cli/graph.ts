import { writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { parseFlags, takeArguments } from './arguments.ts';
import { CommandFailure, type CommandIo, EXIT, UsageError } from './io.ts';
import { connect } from './remote/connect.ts';
import { type Graph, graphText } from './show/graph-text.ts';
import { terminalOf } from './show/terminal.ts';
import { GRAPH } from './table/looking.ts';

/** `mini-synapse graph [--mermaid|--svg|--json]` (OP-45); without one of them an outline. */
export async function graph(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, GRAPH.options);
  takeArguments(positionals, [], GRAPH);
  if ([values.mermaid, values.svg, values.json].filter(Boolean).length > 1)
    throw new UsageError('only one of --mermaid, --svg and --json');
  const client = await connect(values, io);
  const query = { root: values.root };
  const raw = async (path: string, type: string) =>
    await text(await client.open('GET', path, { query, headers: { Accept: type } }));
  let result: string;
  if (values.mermaid) result = await raw('/management/graph.mmd', 'text/plain');
  else if (values.svg) result = await raw('/management/graph.svg', 'image/svg+xml');
  else {
    const found = await client.get<Graph>('/management/graph', query);
    const terminal = values.out === undefined ? terminalOf(io) : { columns: undefined, rows: undefined, colour: false };
    result = values.json ? JSON.stringify(found, undefined, 2) : graphText(found, terminal);
  }
  const whole = result.endsWith('\n') ? result : `${result}\n`;
  if (values.out === undefined) {
    io.stdout.write(whole);
    return EXIT.fine;
  }
  await writeFile(values.out, whole).catch((cause: Error) => {
    throw new CommandFailure(`${values.out} cannot be written: ${cause.message}`, EXIT.wrong, { cause });
  });
  return EXIT.fine;
}
