import { nearestName } from '../grammar/diagnostic.ts';
import { parseFlags, takeArguments } from './arguments.ts';
import type { Command } from './command.ts';
import { type CommandIo, EXIT, UsageError } from './io.ts';
import type { ManagementClient } from './remote/client.ts';
import { connect } from './remote/connect.ts';
import { json } from './show/json.ts';
import { coloured, colourOfState, printable, terminalOf } from './show/terminal.ts';
import { ENVIRONMENT, HELP, REMOTE } from './table/shared.ts';
import { ACTIVATE, DEACTIVATE, MESSAGEPROCESSOR_UPDATE } from './table/steering.ts';

const OPTIONS = { ...REMOTE, ...HELP } as const;
const REFERENCE_OPTIONS = { ...ENVIRONMENT, ...OPTIONS } as const;

/** What is changed for one name. */
type Change = (
  client: ManagementClient,
  name: string,
) => Promise<{ readonly body: unknown; readonly text: string; readonly failed?: boolean }>;

interface ProcessorAnswer {
  readonly name: string;
  readonly state: string;
  readonly reason?: string;
  readonly outcome?: string;
  readonly message?: string;
  readonly cause?: string;
}

/** `mini-synapse processor activate|deactivate|pause|resume|step NAME...` (OP-60): tells the state that was reached. */
export function processorAction(action: string): Command {
  return (args, io) =>
    forEachName(`processor ${action}`, args, io, async (client, name) => {
      const path = `/management/message-processors/${encodeURIComponent(name)}/${action}`;
      const answer = (await client.send('POST', path, { body: {} })).body as ProcessorAnswer;
      return { body: answer, text: processorText(answer, io), failed: answer.outcome === 'failed' };
    });
}

function processorText({ name, state, reason, outcome, message, cause }: ProcessorAnswer, io: CommandIo): string {
  const shown = coloured(state, colourOfState(state), terminalOf(io));
  const why = reason === undefined ? '' : ` (${printable(reason)})`;
  const stepped =
    outcome === undefined ? '' : `, ${[OUTCOMES[outcome] ?? outcome, message, cause].filter(Boolean).join(' ')}`;
  return `${printable(name)}: ${shown}${why}${printable(stepped)}`;
}

const OUTCOMES: Readonly<Record<string, string>> = {
  delivered: 'delivered message',
  failed: 'could not deliver message',
  'set-aside': 'set aside message',
  'not-ready': 'the store is not ready',
  none: 'there is no message',
};

interface Switch {
  readonly path: string;
  readonly status: string;
}

const SWITCHES: Readonly<Record<string, Switch>> = {
  'endpoint on': { path: '/management/endpoints', status: 'active' },
  'endpoint off': { path: '/management/endpoints', status: 'inactive' },
  'proxy start': { path: '/management/proxy-services', status: 'active' },
  'proxy stop': { path: '/management/proxy-services', status: 'inactive' },
  'task start': { path: '/management/tasks', status: 'active' },
  'task stop': { path: '/management/tasks', status: 'inactive' },
  'task trigger': { path: '/management/tasks', status: 'trigger' },
  'inbound start': { path: '/management/inbound-endpoints', status: 'active' },
  'inbound stop': { path: '/management/inbound-endpoints', status: 'inactive' },
  'connector enable': { path: '/management/connectors', status: 'enabled' },
  'connector disable': { path: '/management/connectors', status: 'disabled' },
};

/** `mini-synapse endpoint on NAME...` and its like, in the API's own words. */
export function switchCommand(command: string): Command {
  const target = SWITCHES[command];
  if (!target) throw new Error(`There is no switch '${command}'`);
  return (args, io) => forEachName(command, args, io, (client, name) => switched(client, target, name));
}

async function switched(client: ManagementClient, { path, status }: Switch, name: string) {
  const { body } = await client.send('POST', path, { body: { name, status } });
  const { Message, message } = body as { readonly Message?: string; readonly message?: string };
  return { body, text: printable(Message ?? message ?? `${name}: ${status}`) };
}

async function forEachName(command: string, args: string[], io: CommandIo, change: Change): Promise<number> {
  const { values, positionals } = parseFlags(args, OPTIONS);
  if (positionals.length === 0) throw new UsageError(`NAME is missing; expected: ${command} NAME...`);
  const client = await connect(values, io);
  const bodies: unknown[] = [];
  let code: number = EXIT.fine;
  for (const name of positionals) {
    const { body, text, failed } = await change(client, name);
    bodies.push(body);
    if (failed) code = EXIT.wrong;
    if (!values.json) io.stdout.write(`${text}\n`);
  }
  if (values.json) json(bodies.length === 1 ? bodies[0] : bodies, io);
  return code;
}

/** The reference's words for what can be switched. */
const KINDS: Readonly<Record<string, string>> = {
  'message-processor': '/management/message-processors',
  'proxy-service': '/management/proxy-services',
  endpoint: '/management/endpoints',
  task: '/management/tasks',
  'inbound-endpoint': '/management/inbound-endpoints',
};

/** `mini-synapse activate message-processor NAME` (spec stores 7.3): prints the API's message. */
export function activate(args: string[], io: CommandIo): Promise<number> {
  return byReferenceWords(args, 'active', ACTIVATE, io);
}

/** `mini-synapse deactivate message-processor NAME`. */
export function deactivate(args: string[], io: CommandIo): Promise<number> {
  return byReferenceWords(args, 'inactive', DEACTIVATE, io);
}

async function byReferenceWords(
  args: string[],
  status: string,
  command: { readonly name: string; readonly usage: string },
  io: CommandIo,
): Promise<number> {
  const { values, positionals } = parseFlags(args, REFERENCE_OPTIONS);
  const [kind, name] = takeArguments(positionals, ['KIND', 'NAME'], command);
  const path = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  if (path === undefined) {
    const nearest = nearestName(kind, Object.keys(KINDS));
    const hint = nearest ? `did you mean '${nearest}'?` : `expected one of: ${Object.keys(KINDS).join(', ')}`;
    throw new UsageError(`unknown kind '${kind}', ${hint}`);
  }
  return print(await switched(await connect(values, io), { path, status }, name), values, io);
}

/** `mini-synapse messageprocessor update NAME state active|inactive`, the older spelling. */
export async function updateProcessor(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, REFERENCE_OPTIONS);
  const [name, word, status] = takeArguments(
    positionals,
    ['NAME', 'state', 'active|inactive'],
    MESSAGEPROCESSOR_UPDATE,
  );
  if (word !== 'state' || (status !== 'active' && status !== 'inactive'))
    throw new UsageError(`expected: ${MESSAGEPROCESSOR_UPDATE.name} ${MESSAGEPROCESSOR_UPDATE.usage}`);
  const target = { path: '/management/message-processors', status };
  return print(await switched(await connect(values, io), target, name), values, io);
}

function print(
  { body, text }: { readonly body: unknown; readonly text: string },
  flags: { readonly json?: boolean | undefined },
  io: CommandIo,
): number {
  if (flags.json) return json(body, io);
  io.stdout.write(`${text}\n`);
  return EXIT.fine;
}
