import { nearestName } from '../grammar/diagnostic.ts';
import { OPTIONS } from './options.ts';
import { ConfigurationError, type TomlReader } from './toml-reader.ts';

/** Tables whose readers say themselves what they do not know, or take any name. */
const READ_ELSEWHERE = ['mini_synapse', 'management', 'console', 'alerts', 'synapse_properties', 'internal_apis'];
/** Tables that are ours alone, so that nothing in them can be meant for another server. */
const OURS = ['observability', 'observability.otlp'];
/** Tables and keys that are read and are no options of a single value. */
const OTHERS: ReadonlyArray<readonly string[]> = [
  ...READ_ELSEWHERE.map((name) => [name]),
  ...['id', 'url', 'username', 'password', 'driver'].map((key) => ['datasource', key]),
  ...['file_name', 'password', 'alias', 'key_password'].map((key) => ['keystore', 'primary', key]),
  ...['file_name', 'password', 'alias', 'key_password'].map((key) => ['truststore', key]),
];
/** The reference's, which nothing here reads, and nearly names of what is read. */
const REFERENCES: readonly string[] = ['management_api.cors', 'transport.https', 'transport.tcp'];
/** A name that is as near as that, in its length, too, is misspelt; what is further away may be another of the reference's. */
const NEAR_CHARS = 2;

/** What may stand in a table: names, and the tables that they name; a name without one is a value. */
interface Known extends ReadonlyMap<string, Known> {}

/**
 * The keys of a configuration that mean nothing here. The reference's files hold many, and are to be usable as they are: those are told
 * of, not refused. One that is nearly the name of something that is read is refused, and any in a table that is ours.
 * @returns a sentence; undefined where all is known
 * @throws ConfigurationError with the line, the key and the nearest name
 */
export function unknownKeys(toml: TomlReader): string | undefined {
  const unknown: string[] = [];
  look(toml, [], knownKeys(), unknown);
  return unknown.length === 0 ? undefined : `${toml.file} says what has no effect here: ${unknown.join(', ')}`;
}

function look(toml: TomlReader, path: readonly string[], known: Known, unknown: string[]): void {
  const table = path.length === 0 ? toml.all() : toml.raw(path);
  for (const entry of Array.isArray(table) ? table : [table]) {
    if (typeof entry !== 'object' || entry === null) continue;
    for (const name of Object.keys(entry)) {
      const own = [...path, name];
      const inside = known.get(name) ?? undotted(known, name);
      if (inside === undefined) unknown.push(unknownKey(toml, own, known));
      else if (inside.size > 0) look(toml, own, inside, unknown);
    }
  }
}

/** What is known inside a table that is none but for names with dots, such as `synapse.…`, that are written without quotes. */
function undotted(known: Known, table: string): Known | undefined {
  const within = [...known].filter(([name]) => name.startsWith(`${table}.`));
  return within.length === 0
    ? undefined
    : new Map(within.map(([name, inside]) => [name.slice(table.length + 1), inside]));
}

/** @throws ConfigurationError for what cannot be meant for another server */
function unknownKey(toml: TomlReader, path: readonly string[], known: Known): string {
  const [name = '', table] = [path.at(-1), path.slice(0, -1).join('.')];
  if (REFERENCES.includes(path.join('.'))) return path.join('.');
  const ours = OURS.includes(table);
  const fitting = [...known.keys()].filter((one) => ours || Math.abs(one.length - name.length) <= NEAR_CHARS);
  const nearest = nearestName(name, fitting);
  if (nearest === undefined && !ours) return path.join('.');
  const hint = nearest === undefined ? `expected one of: ${fitting.join(', ')}` : `did you mean '${nearest}'?`;
  throw new ConfigurationError(`${toml.whereIs(path)}: unknown key '${path.join('.')}', ${hint}`);
}

let cached: Known | undefined;

function knownKeys(): Known {
  cached ??= treeOf([
    ...Object.entries(OPTIONS).map(([key, option]) => ('path' in option ? option.path : key.split('.'))),
    ...OTHERS,
  ]);
  return cached;
}

function treeOf(paths: ReadonlyArray<readonly string[]>): Known {
  const byName = Map.groupBy(
    paths.filter(([first]) => first !== undefined),
    ([first = '']) => first,
  );
  return new Map(
    [...byName].map(([name, all]) => [name, isOpen(name) ? new Map() : treeOf(all.map(([, ...rest]) => rest))]),
  );
}

function isOpen(name: string): boolean {
  return READ_ELSEWHERE.includes(name);
}
