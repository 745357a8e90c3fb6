import { BUILT_IN_CONNECTORS } from '../../connectors/index.ts';
import { escapeAttribute } from '../../xml/index.ts';
import { deployedArtifact, placeOf } from '../artifact-places.ts';
import { jsonBody } from '../bodies.ts';
import { listing, listOf, SEARCH_KEY } from '../list.ts';
import type { ManagedServer } from '../managed-server.ts';
import { ManagementError, notFound } from '../management-error.ts';
import { resource } from '../resource.ts';
import { BOOLEAN, object, TEXT, TEXTS } from '../schemas.ts';
import { writeChecked } from './artifacts.ts';

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

interface ConnectorStatus {
  readonly name: string;
  readonly status: 'enabled' | 'disabled';
  readonly package?: string;
}

/**
 * `POST /management/connectors` (spec proxies 8.2): lets the operations of a connector be used, or not. That is what its `<import>`
 * says, so this one is written, as the reference does it; where nothing has to be said, nothing is written.
 */
export const changeConnector = resource({
  method: 'POST',
  path: '/management/connectors',
  role: 'operator',
  summary: 'Enables or disables a connector',
  tag: 'connectors',
  body: jsonBody<ConnectorStatus>({
    type: 'object',
    required: ['name', 'status'],
    properties: { name: TEXT, status: { enum: ['enabled', 'disabled'] }, package: TEXT },
  }),
  answers: {
    200: object({ Message: TEXT, name: TEXT, status: TEXT }),
    404: { type: 'object' },
    409: { type: 'object' },
  },
  async answer({ body: { name, status, package: packageName }, audit, signal }, server) {
    audit({ type: 'connector', action: status, name });
    const all = connectors(server);
    const found = all.find((connector) => sameName(connector.name, name));
    if (!found)
      throw notFound(
        `Specified connector ('${name}') not found`,
        name,
        all.map((connector) => connector.name),
      );
    if (packageName !== undefined && !sameName(found.package, packageName))
      throw notFound(`The connector '${found.name}' is of another package`, packageName, [found.package]);
    if (found.status !== status) await writeImport(server, { ...found, status }, signal);
    const reached = connectors(server).find((connector) => connector.name === found.name)?.status ?? found.status;
    const Message = reached === status ? 'Status updated successfully' : 'The import is written, and not deployed yet';
    return { status: 200, body: { Message, name: found.name, status: reached } };
  },
});

/** The reference looks for both in lower case, without blanks around them. */
function sameName(left: string, right: string): boolean {
  return left.trim().toLowerCase() === right.trim().toLowerCase();
}

type Importable = Pick<ReturnType<typeof connectors>[number], 'name' | 'package' | 'status' | 'builtIn'>;

/** @throws ManagementError 409 where the import is not in a file of its own */
async function writeImport(
  server: ManagedServer,
  { name, package: packageName, status, builtIn }: Importable,
  signal: AbortSignal,
) {
  if (builtIn) throw new ManagementError(409, `The connector '${name}' is built in and cannot be disabled`);
  const former = deployedArtifact(server, 'import', name);
  const path = former ? placeOf(former).file : `imports/${name}-import.xml`;
  const shared = server.deployment.snapshot.artifacts.some((other) => other !== former && other.path === former?.path);
  if (shared || path.includes('!/'))
    throw new ManagementError(409, `The import of '${name}' stands in ${path} with others: change it there`);
  const values = { name, package: packageName, status };
  const attributes = Object.entries(values).map(([key, value]) => ` ${key}="${escapeAttribute(value)}"`);
  const text = `<import xmlns="http://ws.apache.org/ns/synapse"${attributes.join('')}/>\n`;
  await writeChecked(server, { path, body: Buffer.from(text), signal });
}

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
    status: snapshot.find('import', name)?.enabled === false ? 'disabled' : 'enabled',
    builtIn: false,
    operations,
    file,
  }));
}
