import { isSecretName } from '../logging/secrets.ts';
import type { ConfigElement } from './element.ts';
import type { ArtifactReader, PlaceholderValues } from './reader.ts';
import { hashicorpAlias, isHashicorpArity } from './secret-alias.ts';

const PLACEHOLDER = /\$(SYSTEM|FILE|CUSTOM_\w+):(\w+)|\$\{configs\.([\w.]+)\}/g;
const VAULT_LOOKUP = /\{([\w-]+):vault-lookup\(([^)]*)\)\}/g;
/** An argument of a look-up, in either kind of quotes. */
const ARGUMENT = /\s*(?:'([^']*)'|"([^"]*)")\s*(?:,|$)/y;

/**
 * Replaces `$SYSTEM:NAME`, `$FILE:KEY` and `${configs.name}` in a value (spec proxies 7.7, spec stores 1.1). Unlike the reference it
 * does so anywhere in the text and keeps what follows, with a warning where the reference would have dropped it (REQ-10).
 *
 * Look-ups `{wso2:vault-lookup('alias')}` and `{hashicorp:vault-lookup('path', 'field')}` are replaced by the secret (spec proxies 7.8).
 *
 * Undefined after an error: a missing variable or secret is one, since neither must ever be taken for its value.
 */
export function resolvePlaceholders(text: string, element: ConfigElement, reader: ArtifactReader): string | undefined {
  const revealed = text.includes('vault-lookup(') ? resolveSecrets(text, element, reader) : text;
  if (revealed === undefined) return undefined;
  // A secret may hold anything: what looks like a placeholder in it is none.
  return revealed === text ? resolveVariables(text, element, reader) : revealed;
}

function resolveSecrets(text: string, element: ConfigElement, reader: ArtifactReader): string | undefined {
  let complete = true;
  const fail = (message: string, expected: string) => {
    reader.error(element, message, { expected });
    complete = false;
    return '';
  };
  const revealed = text.replace(VAULT_LOOKUP, (_, prefix: string, argument: string) => {
    const alias = aliasOf(prefix, argument);
    if (alias === undefined)
      return fail(
        `${prefix}:vault-lookup(${argument}) cannot be read`,
        "wso2:vault-lookup('alias') or hashicorp:vault-lookup('path', 'field')",
      );
    const secret = reader.values.secret?.(alias);
    if (secret !== undefined) reader.conceal(secret);
    return secret ?? fail(`there is no secret '${alias}'`, `a file of that name in the folder of secrets`);
  });
  return complete ? revealed : undefined;
}

/** Undefined for what is no look-up. */
function aliasOf(prefix: string, written: string): string | undefined {
  const parts: string[] = [];
  ARGUMENT.lastIndex = 0;
  while (ARGUMENT.lastIndex < written.length) {
    const [, single, double] = ARGUMENT.exec(written) ?? [];
    const part = single ?? double;
    if (part === undefined) return undefined;
    parts.push(part);
  }
  if (prefix === 'hashicorp') return isHashicorpArity(parts.length) ? hashicorpAlias(parts) : undefined;
  return parts.length === 1 ? parts[0] : undefined;
}

function resolveVariables(text: string, element: ConfigElement, reader: ArtifactReader): string | undefined {
  if (!text.includes('$')) return text;
  let complete = true;
  const resolved = text.replace(
    PLACEHOLDER,
    (written: string, form: string | undefined, name: string | undefined, config: string) => {
      const answer = ask(form, name ?? '', config, reader.values);
      if (answer.value === undefined) {
        reader.error(element, answer.missing, { expected: `a value for ${written}` });
        complete = false;
      } else if (isSecretName(name ?? config)) reader.conceal(answer.value);
      return answer.value ?? written;
    },
  );
  if (complete && resolved !== text) warnAboutSuffix(text, element, reader);
  return complete ? resolved : undefined;
}

interface Answer {
  readonly value: string | undefined;
  /** The reference's words for a missing value. */
  readonly missing: string;
}

function ask(form: string | undefined, name: string, config: string, values: PlaceholderValues): Answer {
  if (form === 'SYSTEM') return { value: values.environment(name), missing: 'Environment variable could not be found' };
  if (form === 'FILE') {
    return { value: values.fileProperty(name), missing: `File parameter key: ${name} could not be found` };
  }
  if (form === undefined) {
    return { value: values.configuration(config), missing: `Parameter key: ${config} could not be found` };
  }
  return { value: undefined, missing: `custom resolvers such as $${form} are known, not supported yet` };
}

function warnAboutSuffix(text: string, element: ConfigElement, reader: ArtifactReader): void {
  const first = new RegExp(PLACEHOLDER.source).exec(text);
  if (first?.index === 0 && first[0].length < text.length) {
    reader.warning(element, `the text after ${first[0]} is kept; the reference implementation drops it`);
  }
}
