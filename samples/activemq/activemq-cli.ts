/** The program `activemq`: runs the installed ActiveMQ for trying the samples, on loopback, until it is told to stop. */
import { parseArgs } from 'node:util';
import { startActiveMq } from './broker.ts';
import { ActiveMqNotFoundError } from './installation.ts';
import { ServerStartError } from './server-process.ts';

const USAGE = `Usage: activemq [--openwire PORT] [--stomp PORT] [--data DIR]

  --openwire PORT  for Java clients, and what artifacts name; default 61616, 0 takes any free port
  --stomp PORT     for STOMP clients such as mini-synapse; default 61613, 0 takes any free port
  --data DIR       where messages are kept; default: a temporary folder that is removed at the end

Runs the installed ActiveMQ Classic (Debian package activemq, or ACTIVEMQ_HOME) on 127.0.0.1 until SIGINT or SIGTERM.
Exit codes: 0 stopped by a signal, 2 usage, 3 ActiveMQ is missing or does not start.
`;

class UsageError extends Error {
  override readonly name = 'UsageError';
}

async function main(words: string[]): Promise<void> {
  const flags = readFlags(words);
  if (flags.help) {
    process.stdout.write(USAGE);
    return;
  }
  const dataDirectory = flags.data;
  const broker = await startActiveMq({
    openwirePort: port('openwire', flags.openwire),
    stompPort: port('stomp', flags.stomp),
    ...(dataDirectory !== undefined && { dataDirectory }),
  });
  // Until here a signal ends this process at once, and what was started with it.
  const stop = () => {
    broker.close().then(() => process.exit(0), fail);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  process.stdout.write(
    `ActiveMQ ready in ${Math.round(broker.startedInMs)} ms · ${broker.openwireUrl} · stomp 127.0.0.1:${broker.stompPort}\n`,
  );
}

function readFlags(words: string[]) {
  try {
    return parseArgs({
      args: words,
      options: {
        openwire: { type: 'string', default: '61616' },
        stomp: { type: 'string', default: '61613' },
        data: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause });
  }
}

function port(name: string, written: string): number {
  const value = /^\d{1,5}$/.test(written) ? Number(written) : Number.NaN;
  if (!(value <= 65_535)) throw new UsageError(`--${name} needs a port number from 0 to 65535, not ${written}`);
  return value;
}

function fail(error: unknown): void {
  const usage = error instanceof UsageError;
  const expected = usage || error instanceof ActiveMqNotFoundError || error instanceof ServerStartError;
  const text = error instanceof Error ? (expected ? error.message : (error.stack ?? error.message)) : String(error);
  process.stderr.write(`activemq: ${text}\n${usage ? `\n${USAGE}` : ''}`);
  process.exit(usage ? 2 : 3);
}

await main(process.argv.slice(2)).catch(fail);
