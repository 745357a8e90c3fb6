import { resolve } from 'node:path';
import { nearestName } from '../grammar/diagnostic.ts';

/** The configuration is wrong; the message names file, key, value and what was expected (exit code 1). */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

type Table = Readonly<Record<string, unknown>>;
/** `a.b.c`, or the parts themselves where a part contains a dot. */
type Key = string | readonly string[];

/** Typed look-ups in a parsed TOML document; a value of the wrong type is an error that names its key. */
export class TomlReader {
  readonly file: string;
  readonly #table: Table;
  readonly #directory: string;
  readonly #path: string;
  readonly #text: string;

  /** @param text of the document, to tell the lines of keys */
  constructor(table: Table, file: string, directory: string, path = '', text = '') {
    this.#table = table;
    this.file = file;
    this.#directory = directory;
    this.#path = path;
    this.#text = text;
  }

  /** The name of this table in the document, as `management.users[0]`; empty for the document itself. */
  get tablePath(): string {
    return this.#path;
  }

  has(key: Key): boolean {
    return this.#value(key) !== undefined;
  }

  /** Everything as parsed. */
  all(): Table {
    return this.#table;
  }

  /** A value as parsed. */
  raw(key: Key): unknown {
    return this.#value(key);
  }

  /** `deployment.toml:12` for a key of the document; without the line where that cannot be told. */
  whereIs(key: Key): string {
    const line = lineOf(this.#text, typeof key === 'string' ? key.split('.') : key);
    return line === undefined ? this.file : `${this.file}:${line}`;
  }

  text(key: Key): string | undefined {
    return this.#typed(key, 'a text', (value) => typeof value === 'string');
  }

  boolean(key: Key): boolean | undefined {
    // MI writes them as texts in places.
    const value = this.#value(key);
    if (value === 'true' || value === 'false') return value === 'true';
    return this.#typed(key, 'true or false', (found) => typeof found === 'boolean');
  }

  integer(key: Key, range: { minimum: number; maximum: number }): number | undefined {
    const expected = `an integer from ${range.minimum} to ${range.maximum}`;
    const fits = (value: unknown) =>
      Number.isInteger(value) && Number(value) >= range.minimum && Number(value) <= range.maximum;
    // MI writes numbers as texts in places.
    const value = this.#value(key);
    if (typeof value === 'string' && /^\d+$/.test(value) && fits(Number(value))) return Number(value);
    return this.#typed(key, expected, fits);
  }

  oneOf<const W extends readonly string[]>(key: Key, words: W): W[number] | undefined {
    return this.#typed(key, `one of: ${words.join(', ')}`, (value) => words.includes(value as string));
  }

  /** A file or directory, relative to the configuration file. */
  path(key: Key): string | undefined {
    const written = this.text(key);
    return written === undefined ? undefined : resolve(this.#directory, written);
  }

  /** Files or directories, relative to the configuration file; none if absent. */
  paths(key: Key): readonly string[] {
    const isList = (value: unknown) => Array.isArray(value) && value.every((item) => typeof item === 'string');
    const written = this.#typed<readonly string[]>(key, 'a list of paths', isList) ?? [];
    return written.map((path) => resolve(this.#directory, path));
  }

  /** Texts of a list; undefined if absent. */
  list(key: Key): readonly string[] | undefined {
    const isList = (value: unknown) => Array.isArray(value) && value.every((item) => typeof item === 'string');
    return this.#typed<readonly string[]>(key, 'a list of texts', isList);
  }

  /** A table, empty if absent. */
  table(key: string): TomlReader {
    const value = this.#typed<Table>(key, 'a table', isTable) ?? {};
    return new TomlReader(value, this.file, this.#directory, this.#named(key));
  }

  /** An array of tables, empty if absent. */
  tables(key: string): TomlReader[] {
    const value =
      this.#typed<Table[]>(key, 'an array of tables', (found) => Array.isArray(found) && found.every(isTable)) ?? [];
    return value.map(
      (table, index) => new TomlReader(table, this.file, this.#directory, `${this.#named(key)}[${index}]`),
    );
  }

  /** All entries of this table as texts; numbers and truth values are written as in TOML. */
  texts(): Map<string, string> {
    const found = new Map<string, string>();
    for (const [key, value] of Object.entries(this.#table)) {
      if (!['string', 'number', 'boolean'].includes(typeof value)) {
        throw new ConfigurationError(
          `${this.file}: '${this.#named([key])}' is ${JSON.stringify(value)}, expected a text`,
        );
      }
      found.set(key, String(value));
    }
    return found;
  }

  /** @throws ConfigurationError for a key that is none of these, with the nearest one */
  refuseUnknown(known: readonly string[]): void {
    for (const key of Object.keys(this.#table)) {
      if (known.includes(key)) continue;
      const nearest = nearestName(key, known);
      throw new ConfigurationError(
        `${this.file}: unknown key '${this.#named(key)}'${nearest ? `, did you mean '${nearest}'?` : `, expected one of: ${known.join(', ')}`}`,
      );
    }
  }

  #typed<T>(key: Key, expected: string, fits: (value: unknown) => boolean): T | undefined {
    const value = this.#value(key);
    if (value === undefined) return undefined;
    if (fits(value)) return value as T;
    throw new ConfigurationError(
      `${this.file}: '${this.#named(key)}' is ${JSON.stringify(value)}, expected ${expected}`,
    );
  }

  #value(key: Key): unknown {
    const parts = typeof key === 'string' ? key.split('.') : key;
    let value: unknown = this.#table;
    for (const part of parts) value = isTable(value) ? member(value, part) : undefined;
    return value;
  }

  #named(key: Key): string {
    const name = typeof key === 'string' ? key : key.join('.');
    return this.#path ? `${this.#path}.${name}` : name;
  }
}

/** The line of a key: the last one that begins with all of its parts, or with the table that they name. */
function lineOf(text: string, parts: readonly string[]): number | undefined {
  const wanted = parts.join('.');
  let table: string[] = [];
  let found: number | undefined;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const [, header] = /^\s*\[\[?([^\]]+)\]/.exec(line) ?? [];
    if (header !== undefined) table = partsOf(header);
    const [, key] = header === undefined ? (/^\s*([^=#]+?)\s*=/.exec(line) ?? []) : [];
    const named = key === undefined ? table : [...table, ...partsOf(key)];
    if ((header !== undefined || key !== undefined) && named.join('.') === wanted) found = index + 1;
  }
  return found;
}

function partsOf(key: string): string[] {
  return [...key.matchAll(/"([^"]*)"|'([^']*)'|([^\s."']+)/g)].map(
    ([, double, single, bare]) => double ?? single ?? bare ?? '',
  );
}

/** MI's files write names with dots, such as `synapse.global_timeout_interval`, without quotes, too, which makes tables of them. */
function member(table: Table, name: string): unknown {
  if (!name.includes('.') || table[name] !== undefined) return table[name];
  return name.split('.').reduce<unknown>((value, part) => (isTable(value) ? value[part] : undefined), table);
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
