import { JSON_SETTINGS, readJsonSettings } from '../compat/json-settings.ts';
import { nearestName } from '../grammar/diagnostic.ts';
import { DEFAULT_JSON_CONVERSION, type JsonConversion } from '../message/json-conversion.ts';
import { OPTIONS } from './options.ts';
import { ConfigurationError, type TomlReader } from './toml-reader.ts';

/** What `[synapse_properties]` says of conversions, and what it says in vain. */
export interface SynapseProperties {
  readonly jsonConversion: JsonConversion;
  /** One sentence for each property that has no effect here. */
  readonly ignored: readonly string[];
}

const TABLE = 'synapse_properties';

/**
 * The global properties of the reference (its `synapse.properties`, MI's `[synapse_properties]`): how JSON and XML are converted (spec
 * mediators 5.3, 5.4). MI's files hold many that mean nothing here: those are told, not refused.
 * @throws ConfigurationError for a value that is wrong
 */
export function readSynapseProperties(toml: TomlReader): SynapseProperties {
  const written = toml.table(TABLE).texts();
  const read = Object.keys(OPTIONS).filter((key) => key.startsWith(`${TABLE}.`));
  const known = [...read.map((key) => key.slice(TABLE.length + 1)), ...JSON_SETTINGS];
  const ignored = [...written.keys()]
    .filter((name) => !known.includes(name))
    .map((name) => {
      const nearest = nearestName(name, known);
      const hint = nearest === undefined ? '' : `, did you mean '${nearest}'?`;
      return `${toml.whereIs([TABLE, name])}: '${name}' in [${TABLE}] has no effect here${hint}`;
    });
  const jsonConversion = readJsonSettings(
    written,
    (name, problem) => {
      throw new ConfigurationError(`${toml.whereIs([TABLE, name])}: '${name}' in [${TABLE}]: ${problem}`);
    },
    DEFAULT_JSON_CONVERSION,
  );
  return { jsonConversion, ignored };
}
