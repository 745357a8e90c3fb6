import { nearestName } from '../grammar/diagnostic.ts';
import { type CommandIo, EXIT, UsageError } from './io.ts';
import { version } from './version.ts';

type Command = (args: string[], io: CommandIo) => Promise<number>;

/** The commands; each file is loaded only when its command is used. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./start.ts')).start,
  check: async () => (await import('./check.ts')).check,
  demo: async () => (await import('./demo.ts')).demo,
  run: async () => (await import('./demo.ts')).demo,
  cron: async () => (await import('./cron.ts')).cron,
};

const USAGE = `mini-synapse: runs Apache Synapse / WSO2 Micro Integrator artifacts

  mini-synapse start [DIR]         serve the artifacts in DIR (default ./artifacts), redeploy on change
        --http-port 8280  --https-port 8243  --management-port 9164  --host 127.0.0.1
        --data DIR                 durable stores, states and journals (default ./data)
        --config FILE              default ./deployment.toml if there is one
        --no-watch                 deploy once
        --keep-state yes|no        no: forget what was recorded about processors
        --log-level fatal|error|warn|info|debug|trace   --log-format text|json
  mini-synapse check PATH...       validate artifacts without running them; --json
  mini-synapse demo                three back ends, a proxy and orders; --keep, --activemq, --orders N
  mini-synapse cron "<expression>" the next five runs of a Quartz expression; --timezone Z, --count N
  mini-synapse --version | --help

Exit codes: 0 fine, 1 artifacts or configuration are wrong, 2 usage, 3 a port is taken or another resource is missing.
`;

/** Runs one command; returns the exit code. */
export async function main(args: string[], io: CommandIo): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    (name === undefined ? io.stderr : io.stdout).write(USAGE);
    return name === undefined ? EXIT.usage : EXIT.fine;
  }
  if (name === '--version' || name === '-v') {
    io.stdout.write(`${version()}\n`);
    return EXIT.fine;
  }
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!load) {
    const nearest = nearestName(name, Object.keys(COMMANDS));
    io.stderr.write(
      `mini-synapse: unknown command '${name}'${nearest ? `, did you mean '${nearest}'?` : ''}\n\n${USAGE}`,
    );
    return EXIT.usage;
  }
  if (asksForHelp(name, rest)) {
    io.stdout.write(USAGE);
    return EXIT.fine;
  }
  try {
    return await (await load())(rest, io);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.stderr.write(`mini-synapse ${name}: ${error.message}\n`);
    return EXIT.usage;
  }
}

/** `check` has a text of its own. */
function asksForHelp(command: string, args: readonly string[]): boolean {
  return command !== 'check' && (args.includes('--help') || args.includes('-h'));
}
