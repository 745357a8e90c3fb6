import { OPTIONS, type Option, type OptionKey, variableOf } from '../config/options.ts';

const HEAD = `# The configuration of mini-synapse. What is commented out is the default; names are those of WSO2 Micro Integrator where it has them.
# Flags of 'mini-synapse start' and variables such as ${variableOf('mini_synapse.log.level')} win over this file; 'mini-synapse config' shows what is in effect.
`;

const TAIL = `
# Users of the management API and the console; 'mini-synapse hash-password' makes the hash.
# [[management.users]]
# name = "alice"
# role = "operator"
# password_hash = "scrypt$..."

# Whom to tell when a processor stops or is stuck, a store goes down, or an artifact is faulty; chat systems understand it.
# events (processor, stuck, store, artifact) says of what, header and header_secret what proves who calls; url_secret may stand for url.
# [[alerts.webhook]]
# url = "https://chat.example.org/hooks/operations"

# A database, for JDBC message stores and database mediators, which name it by its id.
# [[datasource]]
# id = "Orders"
# url = "jdbc:sqlite:orders.db"
# username = "..."
# password = "..."
`;

/** A `deployment.toml` with every setting of one value as a comment, table by table, out of the one schema of the configuration. */
export function commentedConfiguration(): string {
  const keys = Object.keys(OPTIONS) as OptionKey[];
  const places = keys.map((key) => ({
    option: OPTIONS[key] as Option,
    path: (OPTIONS[key] as Option).path ?? key.split('.'),
  }));
  const tables = Map.groupBy(places, ({ path }) => path.slice(0, -1).map(quoted).join('.'));
  const parts = [...tables].map(([table, settings]) => {
    const lines = settings.map(
      ({ option, path }) => `# ${option.description}\n${settingText(path.at(-1) ?? '', option)}\n`,
    );
    return `\n[${table}]\n${lines.join('')}`;
  });
  return `${HEAD}${parts.join('')}${TAIL}`;
}

function settingText(name: string, option: Option): string {
  const why = option.defaultText === undefined ? '' : `   # ${option.defaultText}`;
  return `# ${quoted(name)} = ${exampleOf(option)}${why}`;
}

/** The default, or what a value looks like. */
function exampleOf(option: Option): string {
  if (option.default !== undefined) return JSON.stringify(option.default);
  switch (option.type) {
    case 'texts':
    case 'paths':
      return '[]';
    case 'integer':
      return /^\d+/.exec(option.defaultText ?? '')?.[0] ?? String(option.minimum ?? 0);
    case 'boolean':
      return 'false';
    default:
      return '""';
  }
}

function quoted(part: string): string {
  return /^[\w-]+$/.test(part) ? part : JSON.stringify(part);
}
