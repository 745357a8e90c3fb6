import { parseFlags, takeArguments } from './arguments.ts';
import { type CommandIo, EXIT } from './io.ts';
import { connect } from './remote/connect.ts';
import { json } from './show/json.ts';
import { coloured, colourOfState, printable, terminalOf } from './show/terminal.ts';
import { WEB_HOOK_TEST } from './table/administering.ts';

interface Outcome {
  readonly result: string;
  readonly status?: number;
  readonly problem?: string;
}

/** `mini-synapse web-hook test NAME` (OP-24). */
export async function webHookTest(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, WEB_HOOK_TEST.options);
  const [name] = takeArguments(positionals, ['NAME'], WEB_HOOK_TEST);
  const client = await connect(values, io);
  const { body } = await client.send('POST', `/management/web-hooks/${encodeURIComponent(name)}/test`, { body: {} });
  const { result, status, problem } = body as Outcome;
  const code = result === 'delivered' ? EXIT.fine : EXIT.wrong;
  if (values.json) {
    json(body, io);
    return code;
  }
  const about = [status, problem].filter((part) => part !== undefined).join(' ');
  const shown = coloured(result, colourOfState(result), terminalOf(io));
  io.stdout.write(`${printable(name)}: ${shown}${about === '' ? '' : ` (${printable(about)})`}\n`);
  return code;
}
