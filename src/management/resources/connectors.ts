import { BUILT_IN_CONNECTORS } from '../../connectors/index.ts';
import { listing, listOf, SEARCH_KEY } from '../list.ts';
import type { ManagedServer } from '../managed-server.ts';
import { notFound } from '../management-error.ts';
import { resource } from '../resource.ts';
import { BOOLEAN, object, TEXT, TEXTS } from '../schemas.ts';

const ROW = object(
  { name: TEXT, package: TEXT, description: TEXT, status: { enum: ['enabled', 'disabled'] }, builtIn: BOOLEAN },
  { operations: TEXTS, file: TEXT },
);

/** `GET /management/connectors` (spec proxies 8.2): those that are built in, and those that archives bring. */
export const readConnectors = resource({
  method: 'GET',
  path: '/management/connectors',
  role: 'viewer',
  summary: 'Connectors, or one of them with its operations',
  tag: 'connectors',
  query: { connectorName: { type: 'string' }, searchKey: SEARCH_KEY },
  answers: { 200: { anyOf: [listOf(ROW), ROW] }, 404: { type: 'object' } },
  answer({ query: { connectorName, searchKey } }, server) {
    const all = connectors(server);
    if (connectorName === undefined) {
      const wanted = searchKey?.trim().toLowerCase() ?? '';
      const list = all.filter(({ name }) => name.toLowerCase().includes(wanted));
      return { status: 200, body: listing(list.map(({ operations: _, ...row }) => row)) };
    }
    const found = all.find(({ name }) => name === connectorName);
    const known = all.map(({ name }) => name);
    if (!found) throw notFound(`Specified connector ('${connectorName}') not found`, connectorName, known);
    return { status: 200, body: found };
  },
});

function connectors(server: ManagedServer) {
  const builtIn = [...BUILT_IN_CONNECTORS].map(([name, { operations }]) => ({
    name,
    package: 'org.wso2.carbon.connector',
    description: 'Built into mini-synapse',
    status: 'enabled',
    builtIn: true,
    operations: [...operations.keys()],
  }));
  return [...builtIn, ...archived(server)].sort((left, right) => (left.name < right.name ? -1 : 1));
}

function archived(server: ManagedServer) {
  const { snapshot } = server.deployment;
  const libraries = new Map<string, { package: string; operations: string[]; file: string }>();
  for (const { artifact, path } of snapshot.artifacts) {
    const { library } = artifact.source;
    if (!library || artifact.operation === undefined) continue;
    const known = libraries.get(library.name) ?? { package: library.package, operations: [], file: path };
    known.operations.push(artifact.operation.slice(library.name.length + 1));
    libraries.set(library.name, known);
  }
  return [...libraries].map(([name, { package: packageName, operations, file }]) => ({
    name,
    package: packageName,
    description: '',
    status: 'enabled',
    builtIn: false,
    operations,
    file,
  }));
}
