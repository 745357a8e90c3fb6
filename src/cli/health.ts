import { parseFlags, takeArguments } from './arguments.ts';
import { type CommandIo, EXIT } from './io.ts';
import { connect } from './remote/connect.ts';
import { coloured, printable, terminalOf } from './show/terminal.ts';
import { HEALTH } from './table/looking.ts';

interface Readiness {
  readonly status?: string;
  readonly ready?: boolean;
  readonly reasons?: readonly string[];
}

interface Faulty {
  readonly list?: ReadonlyArray<{ readonly file: string; readonly problems: readonly string[] }>;
}

/** `mini-synapse health` (OP-74): 0 when it is ready, 1 when it is not, 3 when nobody answers. */
export async function health(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, HEALTH.options);
  takeArguments(positionals, [], HEALTH);
  const client = await connect(values, io);
  const { status, body } = await client.look('/health/ready');
  const readiness = body as Readiness;
  const faulty = (await client.look('/health/artifacts')).body as Faulty;
  const ready = status === 200;
  if (values.json)
    io.stdout.write(`${JSON.stringify({ ...readiness, ready, faulty: faulty.list ?? [] }, undefined, 2)}\n`);
  else io.stdout.write(healthText(ready, readiness, faulty, io));
  return ready ? EXIT.fine : EXIT.wrong;
}

function healthText(ready: boolean, { reasons = [] }: Readiness, { list = [] }: Faulty, io: CommandIo): string {
  const terminal = terminalOf(io);
  const lines = [ready ? coloured('ready', 'green', terminal) : coloured('not ready', 'red', terminal)];
  for (const reason of reasons) lines.push(`  ${printable(reason)}`);
  for (const { file, problems } of list) {
    lines.push(coloured(`faulty: ${printable(file)}`, 'yellow', terminal));
    for (const problem of problems) lines.push(printable(problem, 'lines').replaceAll(/^/gm, '  '));
  }
  return `${lines.join('\n')}\n`;
}
