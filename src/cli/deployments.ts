import { integerFlag, parseFlags, takeArguments } from './arguments.ts';
import { type CommandIo, EXIT } from './io.ts';
import { connect } from './remote/connect.ts';
import { json } from './show/json.ts';
import { clock } from './show/quantities.ts';
import { coloured, colourOfState, printable, terminalOf } from './show/terminal.ts';
import { DEPLOYMENTS } from './table/looking.ts';

interface Deployment {
  readonly time: string;
  readonly version?: number;
  readonly files: readonly string[];
  readonly result: string;
  readonly events?: ReadonlyArray<{ readonly event: string; readonly kind: string; readonly name: string }>;
  readonly problems: readonly unknown[];
}

/** `mini-synapse deployments`, the newest last. */
export async function deployments(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, DEPLOYMENTS.options);
  takeArguments(positionals, [], DEPLOYMENTS);
  const limit = integerFlag('limit', values.limit, 1, 1000) ?? 20;
  const client = await connect(values, io);
  const found = await client.get<{ readonly list: readonly Deployment[] }>('/management/deployments', { limit });
  if (values.json) return json(found, io);
  if (found.list.length === 0) io.stdout.write('No Deployments found\n');
  for (const deployment of found.list.toReversed()) io.stdout.write(deploymentText(deployment, io));
  return EXIT.fine;
}

function deploymentText({ time, version, files, result, events = [], problems }: Deployment, io: CommandIo): string {
  const terminal = terminalOf(io);
  const number = version === undefined ? '' : `  #${version}`;
  const head = `${clock(time)}${number}  ${coloured(result, colourOfState(result), terminal)}  ${printable(files.join(', '))}\n`;
  const what = events.map(({ event, kind, name }) => `  ${printable(`${event} ${kind} ${name}`)}\n`);
  const wrong = problems.map((problem) => `${printable(problemText(problem), 'lines').replaceAll(/^/gm, '  ')}\n`);
  return [head, ...what, ...wrong].join('');
}

/** As a text already, or in parts. */
function problemText(problem: unknown): string {
  if (typeof problem !== 'object' || problem === null) return String(problem);
  const { file, line, column, severity, message, frame } = problem as Readonly<Record<string, unknown>>;
  const place = [file, line, column].filter((part) => part !== undefined).join(':');
  return `${[place, severity, message].filter(Boolean).join(': ')}${typeof frame === 'string' ? `\n${frame}` : ''}`;
}
