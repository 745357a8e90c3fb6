import type { DataSource } from '../component.ts';
import { ConnectParameterError } from './data-source.ts';

const SECRET = /^\$secret\{([^{}]+)\}$/;

/**
 * Data sources whose passwords may be written as `$secret{alias}`, as MI has it: looked up whenever a connection is about to be opened
 * (OP-84). Looking up the password of one whose secret nobody knows throws a ConnectParameterError.
 */
export function withSecretPasswords(
  sources: ReadonlyMap<string, DataSource>,
  lookup: (alias: string) => string | undefined,
): ReadonlyMap<string, DataSource> {
  return new Map([...sources].map(([id, source]) => [id, revealing(id, source, lookup)]));
}

function revealing(id: string, source: DataSource, lookup: (alias: string) => string | undefined): DataSource {
  const [, alias] = (typeof source.password === 'string' && SECRET.exec(source.password)) || [];
  if (alias === undefined) return source;
  const password = () => {
    const secret = lookup(alias);
    if (secret !== undefined) return secret;
    throw new ConnectParameterError(`the password of the data source '${id}': there is no secret '${alias}'`);
  };
  return { ...source, password };
}
