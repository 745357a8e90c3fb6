/** The options of the client program: their names, what they apply to, and how their texts are read. */
import { readFileSync } from 'node:fs';
import { closest } from 'fastest-levenshtein';
import { readCommandLine, UsageError } from '../wire/arguments.ts';
import { MODES, type Mode } from './request.ts';

/** The targets of the ant script that this client has. */
export const TARGETS = [
  'stockquote',
  'smoke',
  'loadbalancefailover',
  'jsonclient',
  'jmsclient',
  'optimizeclient',
] as const;

export type Target = (typeof TARGETS)[number];

/** Every option, and what the usage text says of it. */
const OPTIONS: Readonly<Record<string, string>> = {
  addurl: 'address of the service, as the message says it (wsa:To); where it is sent too unless --trpurl is given',
  trpurl: 'where the message is sent',
  prxurl: 'HTTP proxy to send it through',
  mode: `${MODES.join(' | ')}; default quote`,
  symbol: 'stock symbol, default IBM',
  soapver: 'soap11 (default) or soap12',
  itr: 'how many requests one quote message holds, default 1',
  i: 'how many messages are sent one after the other, default 1 (loadbalancefailover: without end); not for orders',
  rest: 'true: send plain XML instead of SOAP',
  timeout: 'deadline for each exchange in milliseconds, default 30000',
  cacert: 'PEM file with the certificate to trust for https; loopback addresses are trusted without',
  insecure: 'trust any certificate',
  'callback-port': 'port on which dualquote awaits the answer, default 8200, 0 for any',
  port: 'loadbalancefailover: port of the load balancer, default 8280',
  sleep: 'loadbalancefailover: milliseconds between two messages',
  session: 'loadbalancefailover: http tells clients apart by cookies',
  jms_type: 'jmsclient: text (default), binary or pox',
  jms_dest: 'jmsclient: the queue, default dynamicQueues/JMSTextProxy',
  jms_payload: 'jmsclient: the text, the file of a binary message, the symbol of a pox one',
  jms_msgcount: 'jmsclient: how many messages, default 1',
  jms_url: 'jmsclient: the broker, default tcp://localhost:61616',
  opt_mode: 'optimizeclient: mtom (default) or swa',
  opt_url: 'optimizeclient: the service, default http://localhost:8280/services/MTOMSwASampleService',
  opt_file: 'optimizeclient: the file to upload',
  'ant-style': 'print lines as ant does',
  'exit-zero': 'exit with 0 whatever happens, as the Java client does',
  help: 'this text',
};

/** Options of the ant scripts that mean nothing here. */
const IGNORED = new Set(['repository']);
const UNSUPPORTED: Readonly<Record<string, string>> = {
  policy: 'WS-Security is not supported',
  wsrm: 'WS-ReliableMessaging is not supported',
  wsrm11: 'WS-ReliableMessaging is not supported',
};
const SWITCHES = new Set(['rest', 'insecure', 'ant-style', 'exit-zero', 'help']);

/** The usage text. */
export function usage(): string {
  const lines = Object.entries(OPTIONS).map(([name, text]) => `  --${name.padEnd(14)} ${text}`);
  return `Usage: stockquote-client [${TARGETS.join(' | ')}] --addurl URL [--trpurl URL] [--mode MODE] [--symbol SYMBOL] ...

${lines.join('\n')}

Every option can also be spelled as ant has it: stockquote -Daddurl=URL -Dmode=placeorder. Exit codes: 0 fine, 1 the call failed,
2 usage, 3 the callback port is taken.
`;
}

/** What was typed, every option checked by name, none by value. */
export interface TypedCommand {
  readonly target: Target;
  /** Only options that were given a value; ant's `null` and the empty text count as not given. */
  readonly options: ReadonlyMap<string, string>;
  /** Options in ant's spelling that nothing knows: ant ignores them, so they are only worth a warning. */
  readonly warnings: readonly string[];
}

/** Reads the command line. @throws UsageError for an unknown target or option, or one that cannot be served */
export function readCommand(words: readonly string[]): TypedCommand {
  const line = readCommandLine(words, SWITCHES);
  const [word = 'stockquote', ...rest] = line.words;
  const target = TARGETS.find((name) => name === word);
  if (!target) throw new UsageError(`Unknown target ${word}; did you mean ${closest(word, TARGETS)}?`);
  if (rest[0] !== undefined) throw new UsageError(`Unknown argument ${rest[0]}`);
  const options = new Map<string, string>();
  const warnings: string[] = [];
  for (const { name, value, ant } of line.options) {
    if (value === '' || value === 'null' || IGNORED.has(name)) continue;
    if (Object.hasOwn(UNSUPPORTED, name)) throw new UsageError(`${UNSUPPORTED[name]} (${name})`);
    if (!Object.hasOwn(OPTIONS, name)) {
      const problem = `Unknown option ${ant ? `-D${name}` : `--${name}`}; did you mean ${closest(name, Object.keys(OPTIONS))}?`;
      if (!ant) throw new UsageError(problem);
      warnings.push(problem);
    } else if (value === true && !SWITCHES.has(name)) {
      throw new UsageError(`--${name} needs a value`);
    } else {
      options.set(name, value === true ? 'true' : value);
    }
  }
  return { target, options, warnings };
}

/** Whether a switch is on. */
export function isOn(options: ReadonlyMap<string, string>, name: string): boolean {
  return options.get(name) === 'true';
}

/** A whole number of at least `least`. @throws UsageError */
export function numberOption(options: ReadonlyMap<string, string>, name: string, least: number): number | undefined {
  const text = options.get(name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || value < least) {
    throw new UsageError(`--${name} needs a whole number of at least ${least}, not ${text}`);
  }
  return value;
}

/** How often to send: like the Java client, what is no number counts as `otherwise`. */
export function repeatOption(options: ReadonlyMap<string, string>, otherwise: number): number {
  const text = options.get('i');
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : otherwise;
}

/** The mode of the stock quote client. @throws UsageError */
export function modeOption(options: ReadonlyMap<string, string>): Mode | undefined {
  const text = options.get('mode');
  if (text === undefined) return undefined;
  const mode = MODES.find((name) => name === text);
  if (mode) return mode;
  throw new UsageError(`Unknown mode ${text}; did you mean ${closest(text, MODES)}? Modes: ${MODES.join(', ')}`);
}

/** The certificates of --cacert. @throws UsageError when the file cannot be read */
export function certificateOption(options: ReadonlyMap<string, string>): string | undefined {
  const file = options.get('cacert');
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new UsageError(`--cacert: cannot read ${file}`, { cause });
  }
}
