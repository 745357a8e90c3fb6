import { maskCredentials } from '../../logging/secrets.ts';

/*
 * From the address of a JMS broker, as artifacts name it (`java.naming.provider.url`: OpenWire, or Artemis' own protocol), to
 * the addresses at which the same broker speaks STOMP. Nothing here opens a connection.
 */

/** Where a broker speaks STOMP. */
export interface StompEndpoint {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/** An address that cannot be used; the message says what can. */
export class AddressError extends Error {
  override readonly name = 'AddressError';
}

/** One broker of a provider URL. */
export interface BrokerUrl {
  /** As written, without options and credentials: the key of overrides. */
  readonly text: string;
  readonly speaks: 'openwire' | 'stomp';
  readonly host: string;
  /** Undefined when none is written. */
  readonly port: number | undefined;
  readonly tls: boolean;
}

export interface Credentials {
  readonly login: string;
  readonly passcode: string;
}

/** A provider URL, taken apart. */
export interface ProviderUrl {
  /** As written. */
  readonly text: string;
  /** At least one; several with `failover:(…)`. */
  readonly brokers: readonly BrokerUrl[];
  /** From `jms.userName` and `jms.password`, or from `user:password@`. */
  readonly credentials: Credentials | undefined;
}

const SCHEMES: ReadonlyMap<string, { readonly speaks: BrokerUrl['speaks']; readonly tls: boolean }> = new Map(
  [
    { speaks: 'openwire', tls: false, names: ['tcp', 'nio', 'auto', 'auto+nio'] },
    { speaks: 'openwire', tls: true, names: ['ssl', 'nio+ssl', 'auto+ssl', 'auto+nio+ssl'] },
    { speaks: 'stomp', tls: false, names: ['stomp', 'stomp+nio'] },
    { speaks: 'stomp', tls: true, names: ['stomp+ssl', 'stomp+nio+ssl', 'stomps'] },
  ].flatMap(({ speaks, tls, names }) =>
    names.map((name) => [name, { speaks: speaks as BrokerUrl['speaks'], tls }] as const),
  ),
);

/** For "expected …". */
export const PROVIDER_URL_FORMS =
  'tcp://host:61616, ssl://host:61617, failover:(tcp://one:61616,tcp://two:61616), or the STOMP address itself: stomp://host:61613, stomp+ssl://host:61614';
export const STOMP_URL_FORMS = 'stomp://host:61613 or stomp+ssl://host:61614; several are separated by commas';

const OPENWIRE_PORT = 61_616;
const OPENWIRE_TLS_PORT = 61_617;
const STOMP_PORT = 61_613;
const STOMP_TLS_PORT = 61_614;
const MAX_PORT = 65_535;
const MAX_BROKERS = 64;

/**
 * Reads a provider URL (REQ-08): one broker, `failover:(…)` with its options, or Artemis' `(…)` list.
 * @throws AddressError
 */
export function parseProviderUrl(text: string): ProviderUrl {
  const { list, options } = splitComposite(text.trim());
  const parts = splitList(list);
  if (parts.length > MAX_BROKERS) throw new AddressError(`more than ${MAX_BROKERS} brokers are named`);
  const brokers: BrokerUrl[] = [];
  let credentials = credentialsOf(options);
  for (const part of parts) {
    const { broker, credentials: own } = parseBroker(part);
    brokers.push(broker);
    credentials ??= own;
  }
  if (brokers.length === 0) throw new AddressError('no broker is named');
  return { text: text.trim(), brokers, credentials };
}

/**
 * Reads an explicit STOMP address, or several (separated by commas, or as `failover:(…)`), to be tried in turn.
 * @throws AddressError
 */
export function parseStompUrl(text: string): readonly StompEndpoint[] {
  return parseProviderUrl(text).brokers.map((broker) => {
    if (broker.speaks !== 'stomp') throw new AddressError(`'${broker.text}' is not a STOMP address`);
    return stompEndpoint(broker);
  });
}

/** What else decides about the STOMP address. */
export interface AddressRules {
  /** Artemis answers STOMP on the port on which it answers everything. */
  readonly artemis: boolean;
  /** `provider URL -> STOMP URL` of the configuration: for the whole provider URL, or for single brokers of it. */
  readonly overrides: ReadonlyMap<string, string>;
}

/**
 * The STOMP addresses of a provider URL, to be tried in turn: an override of the configuration wins, a STOMP address is taken as it
 * is, the ports that ActiveMQ uses for OpenWire lead to those that it uses for STOMP, and at every other port STOMP is tried.
 * @throws AddressError for an override that is no STOMP address
 */
export function stompEndpoints(provider: ProviderUrl, rules: AddressRules): readonly StompEndpoint[] {
  const overrides = new Map([...rules.overrides].map(([url, stomp]) => [overrideKey(url), stomp]));
  const whole = overrides.get(overrideKey(provider.text));
  if (whole !== undefined) return parseStompUrl(whole);
  return provider.brokers.flatMap((broker) => {
    const override = overrides.get(overrideKey(broker.text));
    if (override !== undefined) return parseStompUrl(override);
    return broker.speaks === 'stomp' ? stompEndpoint(broker) : guessedEndpoint(broker, rules.artemis);
  });
}

/** For logs: `stomp://localhost:61613`. */
export function formatEndpoint({ host, port, tls }: StompEndpoint): string {
  return `${tls ? 'stomp+ssl' : 'stomp'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function overrideKey(url: string): string {
  return url.trim().replace(/\/+$/, '').toLowerCase();
}

function stompEndpoint({ host, port, tls }: BrokerUrl): StompEndpoint {
  return { host, port: port ?? (tls ? STOMP_TLS_PORT : STOMP_PORT), tls };
}

function guessedEndpoint({ host, port, tls }: BrokerUrl, artemis: boolean): StompEndpoint {
  const openwire = port ?? (tls ? OPENWIRE_TLS_PORT : OPENWIRE_PORT);
  if (artemis) return { host, port: port ?? OPENWIRE_PORT, tls };
  if (tls && (openwire === OPENWIRE_PORT || openwire === OPENWIRE_TLS_PORT)) return { host, port: STOMP_TLS_PORT, tls };
  if (openwire === OPENWIRE_PORT) return { host, port: STOMP_PORT, tls };
  if (openwire === OPENWIRE_TLS_PORT) return { host, port: STOMP_TLS_PORT, tls };
  return { host, port: openwire, tls };
}

/** `failover:(a,b)?options`, `failover:a,b`, `failover://a`, `(a,b)?options`, or just `a`. */
function splitComposite(text: string): { list: string; options: string } {
  if (text === '') throw new AddressError('is empty');
  const failover = /^failover:(?:\/\/)?/i.exec(text);
  const rest = failover ? text.slice(failover[0].length) : text;
  if (!rest.startsWith('(')) return { list: rest, options: '' };
  const end = rest.lastIndexOf(')');
  if (end < 0) throw new AddressError(`'${maskCredentials(text)}' lacks a closing parenthesis`);
  const after = rest.slice(end + 1);
  if (after !== '' && !after.startsWith('?')) {
    throw new AddressError(`'${maskCredentials(after)}' does not belong after the closing parenthesis`);
  }
  return { list: rest.slice(1, end), options: after.slice(1) };
}

/** Commas inside of a broker's options separate brokers, too: ActiveMQ's options hold none. */
function splitList(list: string): string[] {
  return list
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function parseBroker(part: string): { broker: BrokerUrl; credentials: Credentials | undefined } {
  const [address = '', options = ''] = splitAt(part, '?');
  const parsed = /^([a-z][a-z0-9+.-]*):\/\/([^/]*)\/?(.*)$/i.exec(address);
  if (!parsed) throw notAnAddress(part);
  const [, scheme = '', authority = '', path = ''] = parsed;
  const known = SCHEMES.get(scheme.toLowerCase());
  if (!known) throw new AddressError(`'${scheme}://' addresses are not supported`);
  if (path !== '') throw new AddressError(`'${maskCredentials(part)}' has a path, which no broker address has`);
  const at = authority.lastIndexOf('@');
  const user = at < 0 ? '' : authority.slice(0, at);
  const { host, port } = hostAndPort(authority.slice(at + 1), part);
  const text = `${scheme}://${authority.slice(at + 1)}`;
  return { broker: { text, ...known, host, port }, credentials: credentialsOf(options) ?? userInfo(user) };
}

function notAnAddress(part: string): AddressError {
  const shown = maskCredentials(part);
  if (/\.properties$/i.test(part) || /^(file:|\.{0,2}\/)/i.test(part) || /[\\/]/.test(part)) {
    return new AddressError(
      `'${shown}' looks like a JNDI properties file, which is not supported: name the broker itself`,
    );
  }
  const missing = /^(fanout|discovery|static|peer|multicast|masterslave|vm):/i.exec(part);
  if (missing) return new AddressError(`'${missing[1]}:' addresses are not supported`);
  return new AddressError(`'${shown}' is not the address of a broker`);
}

function hostAndPort(authority: string, part: string): { host: string; port: number | undefined } {
  const parsed = /^(?:\[([0-9a-f:.]+(?:%\w+)?)\]|([\p{L}\p{N}._-]+))(?::(\d{1,5}))?$/iu.exec(authority);
  const [, v6, name, digits] = parsed ?? [];
  const host = v6 ?? name;
  if (host === undefined) throw new AddressError(`'${maskCredentials(part)}' has no valid host and port`);
  if (digits === undefined) return { host, port: undefined };
  const port = Number(digits);
  if (port < 1 || port > MAX_PORT) throw new AddressError(`${digits} is not a port (1 to ${MAX_PORT})`);
  return { host, port };
}

function credentialsOf(options: string): Credentials | undefined {
  if (options === '') return undefined;
  const found = new URLSearchParams(options);
  const login = found.get('jms.userName');
  const passcode = found.get('jms.password');
  return login === null || passcode === null ? undefined : { login, passcode };
}

function userInfo(text: string): Credentials | undefined {
  const [login, passcode] = splitAt(text, ':');
  if (!login || passcode === undefined) return undefined;
  try {
    return { login: decodeURIComponent(login), passcode: decodeURIComponent(passcode) };
  } catch {
    // Not percent-encoded after all.
    return { login, passcode };
  }
}

function splitAt(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
