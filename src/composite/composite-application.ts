import { posix } from 'node:path';
import type { ArtifactSource, Diagnostic } from '../grammar/diagnostic.ts';
import { ConfigElement } from '../grammar/element.ts';
import { decodeXml, parseXml, XmlSyntaxError } from '../xml/index.ts';
import { ARCHIVE_LIMITS, ArchiveError, type ArchiveFiles, unpackArchive } from './car-archive.ts';
import { readConnectorArchive } from './connector-archive.ts';
import { type RegistryResource, readRegistryResources } from './registry-resources.ts';

/** A composite application: the artifacts that a `.car` archive brings, deployed and undeployed as one (spec proxies 7.6). */
export interface CompositeApplication {
  readonly name: string;
  readonly version: string;
  /** The artifact files, in the archive's order; their names are `<archive>!/<path inside>`. */
  readonly sources: readonly ArtifactSource[];
  readonly resources: readonly RegistryResource[];
  /** What is wrong with the application itself. */
  readonly diagnostics: readonly Diagnostic[];
  /** It is a connector by itself. */
  readonly library?: boolean;
}

/** The roles of servers whose artifacts are deployed here (`server.roles`). */
const SERVER_ROLES: readonly string[] = ['EnterpriseIntegrator', 'EnterpriseServiceBus', 'DataServicesServer'];

const SYNAPSE_TYPES: readonly string[] = [
  'synapse/sequence',
  'synapse/endpoint',
  'synapse/proxy-service',
  'synapse/local-entry',
  'synapse/api',
  'synapse/template',
  'synapse/task',
  'synapse/event-source',
  'synapse/message-store',
  'synapse/message-processors',
  'synapse/inbound-endpoint',
];

/** Java code: left out with a warning, since what uses it is refused or mapped to a module by itself. */
const LIBRARIES: readonly string[] = ['lib/synapse/mediator', 'lib/connector/dependency', 'lib/library/bundle'];

/** A connector: an archive in the archive. */
const CONNECTOR = 'synapse/lib';
const MAX_CONNECTORS = 20;

/** What cannot be deployed, and what to do instead. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  'service/dataservice': 'data services are not supported',
  'carbon/application': 'applications inside applications are not supported: deploy them by themselves',
};

/**
 * Reads a composite application; never throws. One that cannot be read at all has nothing but a diagnostic.
 * @param file the archive's name, for messages
 */
export async function readCompositeApplication(file: string, bytes: Buffer): Promise<CompositeApplication> {
  try {
    const files = await unpackArchive(bytes);
    return await new ApplicationReader(file, files).read();
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    const diagnostic = { severity: 'error', position: start(file), message: error.message } as const;
    return { name: posix.basename(file), version: '', sources: [], resources: [], diagnostics: [diagnostic] };
  }
}

interface Part {
  readonly name: string;
  readonly version: string;
  readonly type: string;
  readonly serverRole: string;
  /** The folder of its artifact.xml. */
  readonly folder: string;
  readonly file: string | undefined;
  readonly element: ConfigElement;
}

class ApplicationReader {
  readonly #file: string;
  readonly #files: ArchiveFiles;
  readonly #diagnostics: Diagnostic[] = [];
  readonly #sources: ArtifactSource[] = [];
  readonly #resources: RegistryResource[] = [];
  /** Unpacked bytes that the templates of further connectors may have: archives in an archive must not multiply. */
  #connectorBytes = ARCHIVE_LIMITS.totalBytes;
  readonly #connectors: { readonly path: string; readonly bytes: Buffer }[] = [];

  constructor(file: string, files: ArchiveFiles) {
    this.#file = file;
    this.#files = files;
  }

  async read(): Promise<CompositeApplication> {
    const root = this.#parse('metadata.xml') ?? this.#parse('artifacts.xml');
    const application = root
      ?.childrenNamed('artifact')
      .find((child) => child.attribute('type') === 'carbon/application');
    if (!application) {
      this.#report(start(this.#file), 'it has no artifacts.xml that describes a carbon/application');
      return this.#result('', '');
    }
    const name = application.attribute('name') ?? '';
    const version = application.attribute('version') ?? '';
    this.#readParts(application, `${name}_${version}`);
    for (const { path, bytes } of this.#connectors) await this.#takeConnector(path, bytes);
    return this.#result(name, version);
  }

  #result(name: string, version: string): CompositeApplication {
    const { name: fileName } = posix.parse(this.#file);
    return {
      name: name === '' ? fileName : name,
      version,
      sources: this.#sources,
      resources: this.#resources,
      diagnostics: this.#diagnostics,
    };
  }

  #readParts(application: ConfigElement, title: string): void {
    const parts = this.#parts();
    for (const dependency of application.childrenNamed('dependency')) {
      const [name = '', version = ''] = [dependency.attribute('artifact'), dependency.attribute('version')];
      const role = dependency.attribute('serverRole');
      if (role !== undefined && !SERVER_ROLES.includes(role)) continue;
      const part = parts.find((candidate) => candidate.name === name && candidate.version === version);
      if (part) this.#take(part);
      else {
        const text = `Some dependencies were not satisfied in cApp:${title}Check whether all dependent artifacts are included in cApp file: ${this.#file}`;
        this.#report(dependency.position, text, `an artifact ${name} of version ${version} in the archive`);
      }
    }
  }

  #parts(): Part[] {
    const parts: Part[] = [];
    for (const path of this.#files.keys()) {
      if (posix.basename(path) !== 'artifact.xml') continue;
      const element = this.#parse(path);
      if (!element) continue;
      const file = element.childrenNamed('file');
      const attribute = (name: string) => element.attribute(name) ?? '';
      parts.push({
        name: attribute('name'),
        version: attribute('version'),
        type: attribute('type'),
        serverRole: attribute('serverRole'),
        folder: posix.dirname(path),
        file: file.length === 1 ? file[0]?.text.trim() : undefined,
        element,
      });
    }
    return parts;
  }

  #take(part: Part): void {
    if (part.serverRole !== '' && !SERVER_ROLES.includes(part.serverRole)) return;
    if (LIBRARIES.includes(part.type)) {
      this.#diagnostics.push({
        severity: 'warning',
        position: part.element.position,
        message: `the artifact '${part.name}' of type ${part.type} is left out: Java code is not run`,
        expected: 'its classes mapped to modules in the configuration',
      });
      return;
    }
    const unsupported = UNSUPPORTED[part.type];
    if (unsupported !== undefined) {
      this.#diagnostics.push({
        severity: 'error',
        position: part.element.position,
        message: `the artifact '${part.name}' of type ${part.type} cannot be deployed: ${unsupported}`,
      });
      return;
    }
    if (part.file === undefined) {
      this.#report(part.element.position, `the artifact '${part.name}' must have exactly one file`, '<file>…</file>');
      return;
    }
    if (SYNAPSE_TYPES.includes(part.type)) this.#takeSource(part, part.file);
    else if (part.type === 'registry/resource') this.#takeResources(part, part.file);
    else if (part.type === CONNECTOR) this.#noteConnector(part, part.file);
    else this.#report(part.element.position, `the artifact '${part.name}' has the unknown type '${part.type}'`);
  }

  #takeSource(part: Part, file: string): void {
    const path = posix.join(part.folder, file);
    const text = this.#text(path);
    if (text !== undefined) this.#sources.push({ file: this.#nameOf(path), text });
    else this.#missing(part, path);
  }

  #noteConnector(part: Part, file: string): void {
    const path = posix.join(part.folder, file);
    const bytes = this.#files.get(path);
    if (!bytes) this.#missing(part, path);
    else if (this.#connectors.length < MAX_CONNECTORS) this.#connectors.push({ path, bytes });
    else this.#report(part.element.position, `an application can bring ${MAX_CONNECTORS} connectors at most`);
  }

  async #takeConnector(path: string, bytes: Buffer): Promise<void> {
    const limits = { ...ARCHIVE_LIMITS, totalBytes: this.#connectorBytes };
    const { sources, diagnostics } = await readConnectorArchive(this.#nameOf(path), bytes, limits);
    this.#connectorBytes -= sources.reduce((sum, { text }) => sum + text.length, 0);
    this.#sources.push(...sources);
    this.#diagnostics.push(...diagnostics);
  }

  #takeResources(part: Part, file: string): void {
    const root = this.#parse(posix.join(part.folder, file));
    if (!root) {
      this.#missing(part, posix.join(part.folder, file));
      return;
    }
    const folder = posix.join(part.folder, 'resources');
    const { resources, missing } = readRegistryResources(root, folder, this.#files);
    this.#resources.push(...resources);
    for (const { element, path } of missing) this.#report(element.position, `'${path}' is not in the archive`);
  }

  #missing(part: Part, path: string): void {
    this.#report(part.element.position, `the file of the artifact '${part.name}' is not in the archive`, path);
  }

  #parse(path: string): ConfigElement | undefined {
    const text = this.#text(path);
    if (text === undefined) return undefined;
    const source = { file: this.#nameOf(path), text };
    try {
      const root = parseXml(text).documentElement;
      return root ? new ConfigElement(root, source) : undefined;
    } catch (error) {
      if (!(error instanceof XmlSyntaxError)) throw error;
      const { line, column } = error;
      this.#report({ file: source.file, line, column }, `not well-formed: ${error.message}`);
      return undefined;
    }
  }

  #text(path: string): string | undefined {
    const bytes = this.#files.get(path);
    if (!bytes) return undefined;
    try {
      return decodeXml(bytes);
    } catch (error) {
      if (!(error instanceof XmlSyntaxError)) throw error;
      this.#report(start(this.#nameOf(path)), error.message);
      return undefined;
    }
  }

  #nameOf(path: string): string {
    return `${this.#file}!/${path}`;
  }

  #report(position: Diagnostic['position'], message: string, expected?: string): void {
    this.#diagnostics.push({ severity: 'error', position, message, ...(expected !== undefined && { expected }) });
  }
}

function start(file: string): Diagnostic['position'] {
  return { file, line: 1, column: 1 };
}
