import { OPTIONS, type Option } from '../../config/options.ts';
import { CLOSED_TABLES, CONFIGURATION_TABLES, integer } from './configuration-tables.ts';

type Schema = Readonly<Record<string, unknown>>;

interface Table {
  readonly type: 'object';
  readonly properties: Record<string, Table | Schema>;
  additionalProperties?: false;
}

/**
 * The JSON schema (draft 2020-12) of `deployment.toml`, for editors that complete and check TOML by one (OP-127): out of the one table
 * of the settings. Other tables of the reference are allowed, as they are by the server.
 */
export function configurationSchema(): Schema {
  const root: Table = { type: 'object', properties: {} };
  for (const [key, option] of Object.entries(OPTIONS)) place(root, pathOf(key, option), settingSchema(option));
  for (const { path, schema } of CONFIGURATION_TABLES) place(root, path, schema);
  for (const path of CLOSED_TABLES) tableAt(root, path).additionalProperties = false;
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'deployment.toml of mini-synapse',
    ...root,
  };
}

function pathOf(key: string, { path }: Option): readonly string[] {
  return path ?? key.split('.');
}

function place(root: Table, path: readonly string[], schema: Schema): void {
  tableAt(root, path.slice(0, -1)).properties[path.at(-1) ?? ''] = schema;
}

function tableAt(root: Table, path: readonly string[]): Table {
  let table = root;
  for (const name of path) {
    const known = table.properties[name];
    const next: Table = isTable(known) ? known : { type: 'object', properties: {} };
    table.properties[name] = next;
    table = next;
  }
  return table;
}

function isTable(found: Table | Schema | undefined): found is Table {
  return found !== undefined && 'properties' in found;
}

function settingSchema(option: Option): Schema {
  const { description, defaultText } = option;
  const told = defaultText === undefined ? description : `${description}; default ${defaultText}`;
  return {
    ...valueSchema(option),
    description: told,
    ...(option.default !== undefined && { default: option.default }),
  };
}

function valueSchema({ type, words = [], minimum, maximum }: Option): Schema {
  switch (type) {
    case 'integer':
      return integer(minimum, maximum);
    case 'boolean':
      return { type: 'boolean' };
    case 'word':
      return { enum: [...words] };
    case 'texts':
    case 'paths':
      return { type: 'array', items: { type: 'string' } };
    default:
      return { type: 'string' };
  }
}
