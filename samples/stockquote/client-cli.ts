/** The program `stockquote-client`: reads the command line, sends, prints what the Java client prints, exits with what happened. */
import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import {
  certificateOption,
  isOn,
  modeOption,
  numberOption,
  readCommand,
  repeatOption,
  type Target,
  usage,
} from './client/command-line.ts';
import { sendJsonQuote } from './client/json.ts';
import { runLoadBalanceClient } from './client/load-balance.ts';
import {
  CallbackPortError,
  CallFailure,
  httpUrl,
  prepareStockQuote,
  type StockQuoteOptions,
  UsageError,
} from './client.ts';

type Options = ReadonlyMap<string, string>;

/** How lines get to the person who typed the command. */
interface Terminal {
  print(line: string): void;
  complain(line: string): void;
}

const DEFAULT_TIMEOUT_MS = 30_000;
/** The Java script's own default for loadbalancefailover. */
const LOAD_BALANCE_TIMEOUT_MS = 10_000_000;
const DEFAULT_ESB_PORT = 8280;

async function main(words: readonly string[]): Promise<number> {
  const { target, options, warnings } = readCommand(words);
  if (isOn(options, 'help')) {
    process.stdout.write(usage());
    return 0;
  }
  const started = performance.now();
  const antStyle = isOn(options, 'ant-style');
  const prefix = antStyle ? '     [java] ' : '';
  const terminal: Terminal = {
    print: (line) => process.stdout.write(`${prefix}${line}\n`),
    complain: (line) => process.stderr.write(`${prefix}${line}\n`),
  };
  for (const warning of warnings) terminal.complain(`Warning: ${warning}`);
  const failed = await run(target, options, terminal);
  const code = isOn(options, 'exit-zero') ? 0 : failed;
  if (antStyle) {
    const seconds = Math.round((performance.now() - started) / 1000);
    process.stdout.write(`\nBUILD ${code === 0 ? 'SUCCESSFUL' : 'FAILED'}\nTotal time: ${seconds} seconds\n`);
  }
  return code;
}

/** Runs a target. @returns the exit code @throws UsageError */
async function run(target: Target, options: Options, terminal: Terminal): Promise<number> {
  try {
    if (target === 'loadbalancefailover') await loadBalance(options, terminal);
    else if (target === 'jsonclient') await jsonQuote(options, terminal);
    else if (target === 'jmsclient') await jmsMessages(options);
    else if (target === 'optimizeclient') await uploadFile(options, terminal);
    else await stockQuote(target === 'smoke' ? withSmokeDefaults(options) : options, terminal);
    return 0;
  } catch (error) {
    if (error instanceof CallFailure) {
      terminal.complain(
        `${error.kind === 'unexpected' ? 'java.lang.Exception' : 'org.apache.axis2.AxisFault'}: ${error.message}`,
      );
      const { cause } = error;
      if (cause !== undefined)
        terminal.complain(`Caused by: ${cause instanceof Error ? cause.message : String(cause)}`);
      return 1;
    }
    if (error instanceof CallbackPortError) {
      terminal.complain(`stockquote-client: ${error.message}`);
      return 3;
    }
    throw error;
  }
}

async function stockQuote(options: Options, terminal: Terminal): Promise<void> {
  const soap12 = options.get('soapver') === 'soap12';
  const mode = modeOption(options);
  const agents = { keepAlive: true, maxSockets: 1 };
  const secure = (options.get('trpurl') ?? options.get('addurl') ?? '').startsWith('https:');
  const agent = secure ? new SecureAgent(agents) : new Agent(agents);
  const call: StockQuoteOptions = {
    addurl: options.get('addurl'),
    trpurl: options.get('trpurl'),
    prxurl: options.get('prxurl'),
    mode,
    symbol: options.get('symbol'),
    soapver: soap12 ? 'soap12' : 'soap11',
    itr: numberOption(options, 'itr', 1),
    rest: isOn(options, 'rest'),
    timeoutMs: numberOption(options, 'timeout', 1),
    callbackPort: numberOption(options, 'callback-port', 0),
    ca: certificateOption(options),
    insecure: isOn(options, 'insecure'),
    agent,
  };
  const request = prepareStockQuote(call);
  if (call.rest) terminal.print('Sending as REST');
  const times = mode === 'placeorder' || mode === 'dualquote' ? 1 : repeatOption(options, 1);
  try {
    for (let number = 0; number < times; number += 1) {
      const { lines } = await request.send();
      for (const line of lines) terminal.print(line);
    }
  } finally {
    agent.destroy();
  }
}

function withSmokeDefaults(options: Options): Options {
  return new Map([
    ['addurl', 'http://localhost:9000/services/SimpleStockQuoteService'],
    ['trpurl', `http://localhost:${DEFAULT_ESB_PORT}/`],
    ...options,
  ]);
}

async function loadBalance(options: Options, terminal: Terminal): Promise<void> {
  const mode = options.get('mode') ?? 'simple';
  if (mode !== 'simple' && mode !== 'session')
    throw new UsageError(`loadbalancefailover has the modes simple and session, not ${mode}`);
  const port = numberOption(options, 'port', 1) ?? DEFAULT_ESB_PORT;
  const to = options.get('addurl') ?? `http://localhost:${port}/services/LBService1`;
  const trpurl = options.get('trpurl');
  const timeoutMs = numberOption(options, 'timeout', 1) ?? LOAD_BALANCE_TIMEOUT_MS;
  const requests = repeatOption(options, -1);
  if (mode === 'simple') terminal.print(`timeout=${timeoutMs}`);
  await runLoadBalanceClient({
    mode,
    url: httpUrl(trpurl ?? to, trpurl === undefined ? 'addurl' : 'trpurl'),
    to: trpurl === undefined ? to : undefined,
    requests: requests < 0 ? Number.POSITIVE_INFINITY : requests,
    sleepMs: numberOption(options, 'sleep', 0) ?? 0,
    httpSession: options.get('session') === 'http',
    connection: { ...proxyOf(options), timeoutMs, ca: certificateOption(options), insecure: isOn(options, 'insecure') },
    print: terminal.print,
  });
}

async function jsonQuote(options: Options, terminal: Terminal): Promise<void> {
  const url =
    options.get('trpurl') ?? options.get('addurl') ?? `http://localhost:${DEFAULT_ESB_PORT}/services/JSONProxy`;
  const timeoutMs = numberOption(options, 'timeout', 1) ?? DEFAULT_TIMEOUT_MS;
  const price = await sendJsonQuote(httpUrl(url, 'addurl'), options.get('symbol') ?? 'IBM', {
    ...proxyOf(options),
    timeoutMs,
    ca: certificateOption(options),
    insecure: isOn(options, 'insecure'),
  });
  terminal.print(`Standard :: Stock price = $${price}`);
}

async function jmsMessages(options: Options): Promise<void> {
  // Nobody else needs what speaks to brokers.
  const { sendJmsMessages } = await import('./client/jms.ts');
  await sendJmsMessages({
    type: options.get('jms_type') ?? 'text',
    destination: options.get('jms_dest') ?? 'dynamicQueues/JMSTextProxy',
    payload: options.get('jms_payload'),
    count: numberOption(options, 'jms_msgcount', 1) ?? 1,
    providerUrl: options.get('jms_url') ?? 'tcp://localhost:61616',
    timeoutMs: numberOption(options, 'timeout', 1) ?? DEFAULT_TIMEOUT_MS,
  });
}

async function uploadFile(options: Options, { print }: Terminal): Promise<void> {
  const { uploadOptimized } = await import('./client/optimize.ts');
  const mode = options.get('opt_mode') ?? 'mtom';
  if (mode !== 'mtom' && mode !== 'swa') throw new UsageError(`optimizeclient has the modes mtom and swa, not ${mode}`);
  const file = options.get('opt_file');
  if (file === undefined) throw new UsageError('optimizeclient needs a file to upload: --opt_file FILE');
  const url = options.get('opt_url') ?? `http://localhost:${DEFAULT_ESB_PORT}/services/MTOMSwASampleService`;
  const timeoutMs = numberOption(options, 'timeout', 1) ?? DEFAULT_TIMEOUT_MS;
  await uploadOptimized({
    mode,
    url: httpUrl(url, 'opt_url'),
    file,
    connection: { ...proxyOf(options), timeoutMs },
    print,
  });
}

function proxyOf(options: Options): { proxy?: URL } {
  const text = options.get('prxurl');
  return text === undefined ? {} : { proxy: httpUrl(text, 'prxurl') };
}

process.stdout.on('error', () => undefined);
main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const usageError = error instanceof UsageError;
    const text =
      error instanceof Error && !usageError ? error.stack : error instanceof Error ? error.message : String(error);
    process.stderr.write(`stockquote-client: ${text}\n${usageError ? '\nTry stockquote-client --help\n' : ''}`);
    process.exitCode = usageError ? 2 : 1;
  },
);
