/** The program `stockquote-service`: reads the command line, starts the back end, prints what it does, stops on a signal. */

import { serveJms } from './service/jms.ts';
import { type Flavour, ServiceStartError, type StockQuoteServiceOptions, startStockQuoteService } from './service.ts';
import { readCommandLine, UsageError } from './wire/arguments.ts';

const USAGE = `Usage: stockquote-service [--http PORT] [--https PORT] [--name NAME] [--flavour wso2|apache] [--host ADDRESS] [--jms BROKER]

  --http PORT       HTTP port, default 9000; 0 takes any free port
  --https PORT      also serve HTTPS on this port, with a self-signed certificate; 0 takes any free port
  --name NAME       server name that LBService1 and LBService2 answer with
  --flavour wso2    fields of responses in http://services.samples/xsd (default)
  --flavour apache  fields of responses in http://services.samples
  --host ADDRESS    address to listen on, default 127.0.0.1
  --jms BROKER      also take the messages of the queue SimpleStockQuoteService, for example of tcp://localhost:61616

One dash does too (-http 9000), as with the Java server. Exit codes: 0 stopped by a signal, 2 usage, 3 a port is taken.
`;

const NAMES = new Set(['http', 'https', 'name', 'flavour', 'host', 'jms', 'help', 'xdebug']);
const SWITCHES = new Set(['help', 'xdebug']);

async function main(words: readonly string[]): Promise<void> {
  const options = readOptions(words);
  if (options === 'help') {
    process.stdout.write(USAGE);
    return;
  }
  process.stdout.write('[SimpleAxisServer] Starting\n');
  const reportError = (text: string) => process.stderr.write(`ERROR ${text}\n`);
  const { jms, ...rest } = options;
  const service = await startStockQuoteService({
    ...rest,
    print: (line) => process.stdout.write(`${line}\n`),
    reportError,
  });
  const life = new AbortController();
  const jmsHost = options.host ?? '127.0.0.1';
  const serviceUrl = `http://${jmsHost}:${service.httpPort}/services/SimpleStockQuoteService`;
  const jmsSide =
    jms === undefined ? Promise.resolve() : serveJms({ providerUrl: jms, serviceUrl, reportError }, life.signal);
  jmsSide.catch(async (error: unknown) => {
    await service.close();
    fail(error);
  });
  const stop = (signal: NodeJS.Signals) => {
    process.stdout.write(`[SimpleAxisServer] ${signal}: Shutting down SimpleAxisServer ...\n`);
    life.abort();
    Promise.all([jmsSide, service.close()]).then(() => {
      process.stdout.write('[SimpleAxisServer] Shutdown complete\n');
      process.exit(0);
    }, fail);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  const host = options.host ?? 'localhost';
  const secure = service.httpsPort === undefined ? '' : ` and https://${host}:${service.httpsPort}`;
  process.stdout.write('[SimpleAxisServer] Started\n');
  process.stdout.write(
    `stockquote-service ready: http://${host}:${service.httpPort}${secure}, /services/SimpleStockQuoteService, ` +
      `${options.flavour ?? 'wso2'} flavour\n`,
  );
}

function readOptions(words: readonly string[]): (StockQuoteServiceOptions & { jms: string | undefined }) | 'help' {
  const { options, words: rest } = readCommandLine(words, SWITCHES);
  const given = new Map<string, string | true>();
  for (const { name, value, ant } of options) {
    if (ant || !NAMES.has(name)) throw new UsageError(`Unknown option ${ant ? `-D${name}` : name}`);
    given.set(name, value);
  }
  if (given.has('help')) return 'help';
  // `test` is what WSO2's documents type to keep their shell script from asking for a repository.
  const unknown = rest.find((word) => word !== 'test');
  if (unknown !== undefined) throw new UsageError(`Unknown argument ${unknown}`);
  return {
    httpPort: port(given, 'http') ?? 9000,
    httpsPort: port(given, 'https'),
    name: text(given, 'name'),
    host: text(given, 'host'),
    flavour: flavour(text(given, 'flavour')),
    jms: text(given, 'jms'),
  };
}

function text(given: ReadonlyMap<string, string | true>, name: string): string | undefined {
  const value = given.get(name);
  if (value === true || value === '') throw new UsageError(`--${name} needs a value`);
  return value;
}

function port(given: ReadonlyMap<string, string | true>, name: string): number | undefined {
  const value = text(given, name);
  if (value === undefined) return undefined;
  if (!/^\d{1,5}$/.test(value) || Number(value) > 65_535) {
    throw new UsageError(`--${name} needs a port number from 0 to 65535, not ${value}`);
  }
  return Number(value);
}

function flavour(value: string | undefined): Flavour | undefined {
  if (value === undefined || value === 'wso2' || value === 'apache') return value;
  throw new UsageError(`--flavour is wso2 or apache, not ${value}`);
}

function fail(error: unknown): void {
  if (error instanceof UsageError) {
    process.stderr.write(`stockquote-service: ${error.message}\n\n${USAGE}`);
    process.exitCode = 2;
  } else if (error instanceof ServiceStartError) {
    process.stderr.write(`[SimpleAxisServer] Shutting down. Error starting SimpleAxisServer: ${error.message}\n`);
    process.exitCode = 3;
  } else {
    process.stderr.write(`stockquote-service: ${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 1;
  }
}

// A reader that goes away (`stockquote-service | head`) is no reason to stop serving.
process.stdout.on('error', () => undefined);
main(process.argv.slice(2)).catch(fail);
