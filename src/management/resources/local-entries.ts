import { ConfigElement } from '../../grammar/element.ts';
import { maskedSource } from '../../grammar/masked-source.ts';
import { isSecretName } from '../../logging/secrets.ts';
import type { LocalEntry } from '../../message/local-entry.ts';
import { parseXml } from '../../xml/index.ts';
import { configurationNamed, configurationOf, deployedArtifact, placeNamed } from '../artifact-places.ts';
import { LIST_QUERY, listing, named, partOf, partsOf, searched } from '../list.ts';
import type { ManagedServer } from '../managed-server.ts';
import { resource } from '../resource.ts';
import { COUNT, object, TEXT } from '../schemas.ts';

/** Characters of a value that a detail shows. */
const MAX_VALUE = 64 * 1024;

const ROW = object(
  { name: TEXT, type: { enum: ['Inline Text', 'Inline XML', 'Source URL'] } },
  { value: TEXT, description: TEXT, configuration: TEXT, file: TEXT, line: COUNT },
);

/** `GET /management/local-entries` (spec proxies 8.2, 8.3); values of secrets are masked. */
export const readLocalEntries = resource({
  method: 'GET',
  path: '/management/local-entries',
  role: 'viewer',
  summary: 'Local entries, or one of them in detail',
  tag: 'local-entries',
  query: { name: { type: 'string' }, ...LIST_QUERY },
  answers: { 200: { anyOf: [partsOf(ROW), ROW] }, 404: { type: 'object' } },
  answer({ query: { name, searchKey, ...wanted } }, server) {
    const configuration = server.configuration();
    if (name === undefined) {
      const { part, beside } = partOf(searched(configuration, 'localEntry', searchKey), wanted);
      return {
        status: 200,
        body: listing(
          part.map((entry) => listed(entry, server)),
          beside,
        ),
      };
    }
    const entry = named(configuration, 'localEntry', name, `Specified local entry ('${name}') not found`);
    return { status: 200, body: { ...listed(entry, server), ...detailed(entry, server) } };
  },
});

function listed({ key, xml }: LocalEntry, server: ManagedServer) {
  const type = sourceOf(key, server) === undefined ? (xml ? 'Inline XML' : 'Inline Text') : 'Source URL';
  return { name: key, type, ...placeNamed(server, 'localEntry', key) };
}

function detailed({ key, text }: LocalEntry, server: ManagedServer) {
  const element = elementOf(key, server);
  const description = element?.child('description')?.text.trim();
  const value = isSecretName(key) ? '*****' : maskedSource(text.slice(0, MAX_VALUE));
  return { value, description: description ?? '', ...configurationNamed(server, 'localEntry', key) };
}

function sourceOf(key: string, server: ManagedServer): string | undefined {
  return elementOf(key, server)?.attribute('src');
}

function elementOf(key: string, server: ManagedServer): ConfigElement | undefined {
  const deployed = deployedArtifact(server, 'localEntry', key);
  const root = deployed && parseXml(configurationOf(deployed.artifact)).documentElement;
  return root && deployed ? new ConfigElement(root, deployed.artifact.source) : undefined;
}
