import { readFileSync, statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AddressError, type Credentials, type ProviderUrl, parseProviderUrl } from './address.ts';

/*
 * `java.naming.provider.url` may name a properties file instead of a broker, usually `conf/jndi.properties`, relative to the home of
 * the runtime (spec stores 2.3). What it says is then part of the JNDI environment:
 *
 *     connectionfactory.QueueConnectionFactory = tcp://localhost:61616      the broker, by the name of the connection factory;
 *     java.naming.provider.url = tcp://localhost:61616                      else for all of them
 *     java.naming.security.principal, java.naming.security.credentials      the credentials, unless others are given
 *     queue.orders = Orders.Incoming                                        the queue that is meant by a destination
 *     topic.news = News
 *
 * It is read when the store opens. Its values are never shown: URLs in it may have passwords.
 */

const MAX_BYTES = 1024 * 1024;
const LINE = /^\s*(?<key>(?:\\.|[^\s=:\\])+)\s*[=:\s]\s*(?<value>.*)$/;

/** A provider URL that names a file with the real one. */
export interface JndiFileName {
  /** As written. */
  readonly text: string;
  readonly file: string;
}

/** What a JNDI properties file says. */
export interface JndiFile {
  readonly path: string;
  readonly properties: ReadonlyMap<string, string>;
}

/** Whether a provider URL names a properties file. */
export function isJndiFile(text: string): boolean {
  return /\.properties$/i.test(text.trim());
}

/**
 * Reads a JNDI properties file: an absolute path or a `file:` URL, else the first that is there below one of the folders, with its
 * path or directly.
 * @throws AddressError when there is none, or it cannot be read
 */
export function readJndiFile(name: string, folders: readonly string[]): JndiFile {
  const candidates = candidatesOf(name.trim(), folders);
  const path = candidates.find((candidate) => statSync(candidate, { throwIfNoEntry: false })?.isFile());
  if (path === undefined) {
    throw new AddressError(`there is no JNDI properties file '${name}': looked for ${candidates.join(', ')}`);
  }
  try {
    const { size } = statSync(path);
    if (size > MAX_BYTES) throw new Error(`it has ${size} bytes, which is too much`);
    return { path, properties: parseProperties(readFileSync(path, 'utf8')) };
  } catch (cause) {
    throw new AddressError(`the JNDI properties file '${path}' cannot be read: ${(cause as Error).message}`, { cause });
  }
}

/**
 * The broker that a JNDI properties file names.
 * @throws AddressError when it names none, or none that can be used; without what it says
 */
export function jndiProvider({ path, properties }: JndiFile, connectionFactory: string): ProviderUrl {
  const wanted = `connectionfactory.${connectionFactory}`.toLowerCase();
  const factory = [...properties.keys()].find((key) => key.toLowerCase() === wanted);
  const key = factory ?? 'java.naming.provider.url';
  const url = properties.get(key);
  if (!url) {
    throw new AddressError(`'${path}' has neither connectionfactory.${connectionFactory} nor java.naming.provider.url`);
  }
  try {
    if (isJndiFile(url)) throw new AddressError('it names another file instead of a broker');
    const provider = parseProviderUrl(url);
    return { ...provider, credentials: provider.credentials ?? principal(properties) };
  } catch (cause) {
    if (!(cause instanceof AddressError)) throw cause;
    throw new AddressError(`${key} of '${path}': ${cause.message}`, { cause });
  }
}

function principal(properties: ReadonlyMap<string, string>): Credentials | undefined {
  const login = properties.get('java.naming.security.principal');
  const passcode = properties.get('java.naming.security.credentials');
  return login && passcode !== undefined ? { login, passcode } : undefined;
}

function candidatesOf(name: string, folders: readonly string[]): string[] {
  if (/^file:\/\//i.test(name)) return [pathOf(name)];
  const path = name.replace(/^file:/i, '');
  if (isAbsolute(path)) return [path];
  const base = path.replace(/^.*\//, '');
  return [...new Set(folders.flatMap((folder) => [resolve(folder, path), resolve(folder, base)]))];
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new AddressError(`'${url}' is not the URL of a file: ${(cause as Error).message}`, { cause });
  }
}

/** Java's format: comments with # and !, `=`, `:` or blanks between key and value, lines that go on, escapes. */
export function parseProperties(text: string): ReadonlyMap<string, string> {
  const properties = new Map<string, string>();
  let carried = '';
  for (const line of text.split(/\r\n|\r|\n/)) {
    const content = line.trimStart();
    if (carried === '' && /^[#!]/.test(content)) continue;
    carried += content;
    if (/(?<!\\)(?:\\\\)*\\$/.test(carried)) {
      carried = carried.slice(0, -1);
      continue;
    }
    const { key, value } = LINE.exec(carried)?.groups ?? {};
    carried = '';
    if (key !== undefined) properties.set(unescaped(key), unescaped(value ?? '').trimEnd());
  }
  return properties;
}

function unescaped(text: string): string {
  return text.replace(/\\(?:u([0-9a-f]{4})|(.))/gi, (_, code: string | undefined, character: string | undefined) => {
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
    return { t: '\t', n: '\n', r: '\r', f: '\f' }[character ?? ''] ?? character ?? '';
  });
}
