import { posix } from 'node:path';
import type { ArtifactSource, Diagnostic, LibraryName } from '../grammar/diagnostic.ts';
import { ConfigElement } from '../grammar/element.ts';
import { decodeXml, parseXml, XmlSyntaxError } from '../xml/index.ts';
import { ARCHIVE_LIMITS, ArchiveError, type ArchiveFiles, type ArchiveLimits, unpackArchive } from './car-archive.ts';
import type { CompositeApplication } from './composite-application.ts';

/** What a connector brings: the templates of its operations. */
export interface ConnectorReading {
  readonly library: LibraryName | undefined;
  readonly sources: readonly ArtifactSource[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Connectors whose operations are built in: what their archives bring is Java code around the same. */
const BUILT_IN: readonly string[] = ['http', 'file', 'fileconnector'];
const DESCRIPTION = 'connector.xml';

/**
 * Reads a connector that was dropped into the artifact folder as a `.zip`; never throws. An archive that is no connector is left alone
 * with a warning.
 * @param file the archive's name, for messages
 */
export async function readConnectorApplication(file: string, bytes: Buffer): Promise<CompositeApplication> {
  const { library, sources, diagnostics } = await readConnectorArchive(file, bytes);
  return {
    name: library?.name ?? posix.basename(file),
    version: '',
    sources,
    resources: [],
    diagnostics,
    library: true,
  };
}

/**
 * {@link readConnectorApplication}, of an archive that is inside another one, too.
 * @param limits what is left for this one when several share them
 */
export async function readConnectorArchive(
  file: string,
  bytes: Buffer,
  limits: ArchiveLimits = ARCHIVE_LIMITS,
): Promise<ConnectorReading> {
  try {
    return new ConnectorReader(file, await unpackArchive(bytes, limits)).read();
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    const diagnostic = { severity: 'error', position: { file, line: 1, column: 1 }, message: error.message } as const;
    return { library: undefined, sources: [], diagnostics: [diagnostic] };
  }
}

/** The library that a `connector.xml` describes; undefined when it describes none. */
export function libraryOf(root: ConfigElement): LibraryName | undefined {
  const component = root.name === 'connector' ? root.childrenNamed('component')[0] : undefined;
  const name = component?.attribute('name')?.trim();
  return name ? { name, package: component?.attribute('package')?.trim() ?? '' } : undefined;
}

class ConnectorReader {
  readonly #file: string;
  readonly #files: ArchiveFiles;
  readonly #sources: ArtifactSource[] = [];
  readonly #diagnostics: Diagnostic[] = [];

  constructor(file: string, files: ArchiveFiles) {
    this.#file = file;
    this.#files = files;
  }

  read(): ConnectorReading {
    const path = [...this.#files.keys()].find((name) => posix.basename(name) === DESCRIPTION);
    const root = path === undefined ? undefined : this.#parse(path);
    const library = root && libraryOf(root);
    if (path === undefined || !root || !library) {
      this.#report(
        'warning',
        this.#file,
        'the archive is no connector: it has no connector.xml that names a component',
      );
      return { library: undefined, sources: [], diagnostics: this.#diagnostics };
    }
    if (BUILT_IN.includes(library.name)) {
      this.#report(
        'warning',
        this.#file,
        `the connector '${library.name}' is built in; what the archive brings is left out`,
      );
    } else this.#readComponents(posix.dirname(path), library);
    return { library, sources: this.#sources, diagnostics: this.#diagnostics };
  }

  #readComponents(folder: string, library: LibraryName): void {
    for (const path of this.#files.keys()) {
      if (posix.basename(path) !== 'component.xml' || !path.startsWith(folder === '.' ? '' : `${folder}/`)) continue;
      const operations = this.#parse(path)
        ?.childrenNamed('subComponents')
        .flatMap((list) => list.childrenNamed('component'));
      for (const operation of operations ?? []) this.#takeTemplate(operation, posix.dirname(path), library);
    }
    if (this.#sources.length === 0)
      this.#report('warning', this.#file, `the connector '${library.name}' has no operations`);
  }

  #takeTemplate(operation: ConfigElement, folder: string, library: LibraryName): void {
    const file = operation.childrenNamed('file')[0]?.text.trim() ?? '';
    const path = posix.join(folder, file);
    const text = this.#text(path);
    const name = `${library.name}.${operation.attribute('name') ?? ''}`;
    if (text === undefined)
      this.#report('warning', path, `the template of the operation '${name}' is not in the archive`);
    else this.#sources.push({ file: this.#nameOf(path), text, library });
  }

  #parse(path: string): ConfigElement | undefined {
    const text = this.#text(path);
    if (text === undefined) return undefined;
    try {
      const root = parseXml(text).documentElement;
      return root ? new ConfigElement(root, { file: this.#nameOf(path), text }) : undefined;
    } catch (error) {
      if (!(error instanceof XmlSyntaxError)) throw error;
      this.#report('error', path, `not well-formed: ${error.message}`);
      return undefined;
    }
  }

  #text(path: string): string | undefined {
    const bytes = this.#files.get(path);
    try {
      return bytes && decodeXml(bytes);
    } catch (error) {
      if (!(error instanceof XmlSyntaxError)) throw error;
      this.#report('error', path, error.message);
      return undefined;
    }
  }

  #nameOf(path: string): string {
    return `${this.#file}!/${path}`;
  }

  #report(severity: Diagnostic['severity'], path: string, message: string): void {
    const file = path === this.#file ? path : this.#nameOf(path);
    this.#diagnostics.push({ severity, position: { file, line: 1, column: 1 }, message });
  }
}
