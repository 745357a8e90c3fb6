import { type ArtifactSource, type Diagnostic, nearestName, type Position } from '../grammar/diagnostic.ts';
import { ConfigElement, SYNAPSE_NAMESPACE } from '../grammar/element.ts';
import { ArtifactReader } from '../grammar/reader.ts';
import { logger } from '../logging/index.ts';
import { isPolicy } from '../security/assertions.ts';
import { moveToNamespace, NODE_TYPES, parseXml, type XmlElement, type XmlNode, XmlSyntaxError } from '../xml/index.ts';
import { ARTIFACT_KINDS, type Artifact, type ArtifactKind, claimedKeys, describeArtifact } from './artifact.ts';
import { artifactHash } from './artifact-hash.ts';
import { readArtifact, SERVER_SETTINGS } from './kinds.ts';
import { type ArtifactLookup, ENVIRONMENT_ONLY, RecordingLookup } from './lookup.ts';

const log = logger('ArtifactReader');

/** Everything that reading one file found. */
export interface ArtifactFileReading {
  readonly source: ArtifactSource;
  /** The local name of the root element; undefined when the file is not well-formed. */
  readonly root: string | undefined;
  /** The artifacts that are good. */
  readonly artifacts: readonly Artifact[];
  /** All problems of the file. */
  readonly diagnostics: readonly Diagnostic[];
  /** Good as a whole. */
  readonly whole: boolean;
  /** Would the file be read differently now, because something that it looked up has changed? */
  outdated(): boolean;
  /** The text that a diagnostic at this place points into; undefined where there is none to show. */
  sourceAt(position: Position): ArtifactSource | undefined;
}

const EXPECTED_ROOTS = ['definitions', ...ARTIFACT_KINDS].sort();
const KNOWN_ROOTS = [...EXPECTED_ROOTS, ...SERVER_SETTINGS.keys()];
/** Files of an unpacked connector beside its templates. */
const CONNECTOR_ROOTS = ['connector', 'component'];

/**
 * Reads the artifacts of one file: a root element of any kind, or several in `<definitions>` (spec proxies 7.1 to 7.3). Never
 * throws: what is wrong is told in the diagnostics, all of it at once (OP-35).
 */
export function readArtifactFile(
  source: ArtifactSource,
  lookup: ArtifactLookup = ENVIRONMENT_ONLY,
): ArtifactFileReading {
  try {
    const root = parseXml(source.text).documentElement;
    if (!root) throw new XmlSyntaxError('the file has no root element', 1, 1);
    return new FileReader(new ConfigElement(root, source), lookup).read();
  } catch (error) {
    return unreadable(source, error);
  }
}

/** The reading of a file that could not even be parsed. */
function unreadable(source: ArtifactSource, error: unknown): ArtifactFileReading {
  const position =
    error instanceof XmlSyntaxError
      ? { file: source.file, line: error.line, column: error.column }
      : { file: source.file, line: 1, column: 1 };
  return failedReading(source, { severity: 'error', position, message: `not well-formed: ${reason(error)}` });
}

/** The reading of a file of which nothing can be used. */
export function failedReading(source: ArtifactSource, diagnostic: Diagnostic): ArtifactFileReading {
  return {
    source,
    root: undefined,
    artifacts: [],
    diagnostics: [diagnostic],
    whole: false,
    outdated: () => false,
    sourceAt: () => source,
  };
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

class FileReader {
  readonly #root: ConfigElement;
  readonly #lookup: ArtifactLookup;
  readonly #recorded: RecordingLookup[] = [];
  readonly #artifacts: Artifact[] = [];
  readonly #diagnostics: Diagnostic[] = [];
  readonly #places = new Map<string, Position>();
  readonly #outdated: Array<() => boolean> = [];
  #remote: ArtifactSource | undefined;
  #whole = true;

  constructor(root: ConfigElement, lookup: ArtifactLookup) {
    this.#root = root;
    this.#lookup = lookup;
  }

  read(): ArtifactFileReading {
    this.#readRoot();
    return {
      source: this.#root.source,
      root: this.#root.name,
      artifacts: this.#artifacts,
      diagnostics: this.#diagnostics.sort(byPosition),
      whole: this.#whole,
      outdated: outdatedBy(this.#recorded, this.#outdated),
      sourceAt: sourceAmong(this.#root.source, this.#remote),
    };
  }

  #readRoot(): void {
    const root = this.#root;
    if (root.namespace === '' && CONNECTOR_ROOTS.includes(root.name)) return;
    // Local entries refer to files of policies (`src`), which may stand beside the artifacts.
    if (isPolicy(root.node)) return;
    if (root.namespace === '' && KNOWN_ROOTS.includes(root.name)) this.#adoptUnqualified();
    else if (root.namespace !== SYNAPSE_NAMESPACE) {
      this.#refuseNamespace();
      return;
    }
    if (root.name === 'definitions') {
      for (const child of root.children) this.#readChild(child);
      this.#readRemote();
    } else if (isArtifactKind(root.name)) this.#readArtifact(root, root.name);
    else this.#refuseRoot();
  }

  /** Where there is nothing but a registry, its `synapse.xml` is the configuration (sample 11). */
  #readRemote(): void {
    const [registry, ...others] = this.#artifacts;
    if (registry?.kind !== 'registry' || others.length > 0 || registry.content.root === undefined) return;
    const file = `${registry.content.root.replace(/\/?$/, '/')}synapse.xml`;
    const lookup = new RecordingLookup(this.#lookup);
    this.#recorded.push(lookup);
    const answer = lookup.resource(file);
    if (!('text' in answer)) return;
    const remote = { file, text: answer.text };
    const reading = readArtifactFile(remote, this.#lookup);
    this.#remote = remote;
    this.#artifacts.push(...reading.artifacts.filter(({ kind }) => kind !== 'registry'));
    this.#diagnostics.push(...reading.diagnostics);
    if (!reading.whole) this.#whole = false;
    this.#outdated.push(() => reading.outdated());
  }

  /** A root in no namespace: its unqualified elements are taken for Synapse's (spec mediators 2.1). */
  #adoptUnqualified(): void {
    const root = this.#root;
    this.#report('warning', root, `<${root.name}> is in no namespace and is read as a Synapse element`, {
      expected: `xmlns="${SYNAPSE_NAMESPACE}"`,
    });
    adopt(root.node);
  }

  #refuseNamespace(): void {
    const root = this.#root;
    const nearest = nearestName(root.name, KNOWN_ROOTS);
    this.#whole = false;
    const element = `{${root.namespace}}${root.name}`;
    this.#report('error', root, `Invalid root element : ${element} is not in the Synapse namespace`, {
      expected: `<${nearest ?? 'definitions'} xmlns="${SYNAPSE_NAMESPACE}">`,
      ...(nearest && nearest !== root.name && { nearest }),
    });
  }

  #refuseRoot(): void {
    const root = this.#root;
    if (this.#readSetting(root)) return;
    const nearest = nearestName(root.name, KNOWN_ROOTS);
    this.#whole = false;
    this.#report('error', root, `Invalid root element : <${root.name}> is no Synapse artifact`, {
      expected: `one of: ${EXPECTED_ROOTS.join(', ')}`,
      ...(nearest && { nearest }),
    });
  }

  /** A child of `<definitions>`: what is wrong with it does not keep the others from being read. */
  #readChild(child: ConfigElement): void {
    if (child.namespace !== SYNAPSE_NAMESPACE) {
      this.#refuseChild(child);
      return;
    }
    if (isArtifactKind(child.name)) this.#readArtifact(child, child.name);
    else if (!this.#readSetting(child) && child.name !== 'description') this.#refuseChild(child);
  }

  /** What says something about the server is looked at, and is no artifact. */
  #readSetting(element: ConfigElement): boolean {
    const read = SERVER_SETTINGS.get(element.name);
    if (!read) return false;
    const reader = new ArtifactReader(this.#lookup);
    read(element, reader);
    this.#diagnostics.push(...reader.diagnostics);
    if (reader.failed) this.#whole = false;
    return true;
  }

  #refuseChild(child: ConfigElement): void {
    const nearest = nearestName(child.name, KNOWN_ROOTS);
    this.#whole = false;
    this.#report(
      'error',
      child,
      "Invalid configuration element at the top level, one of 'sequence', 'endpoint', 'proxy', 'eventSource', " +
        "'localEntry', 'priorityExecutor', 'registry' or 'inboundEndpoint' is expected",
      {
        expected: `an artifact in the namespace ${SYNAPSE_NAMESPACE}; mediators belong into <sequence name="main">`,
        ...(nearest && { nearest }),
      },
    );
  }

  #readArtifact(element: ConfigElement, kind: ArtifactKind): void {
    const lookup = new RecordingLookup(this.#lookup);
    const reader = new ArtifactReader(lookup);
    this.#recorded.push(lookup);
    const read = this.#guarded(element, reader, () => readArtifact(kind, element, reader, lookup));
    if (read && !reader.failed) {
      const names = this.#namesOf(kind, read.name);
      const hash = artifactHash(element, lookup.transcript + (names.operation ?? ''));
      const { references } = reader;
      const { position, source } = element;
      const artifact = { ...read, kind, position, source, hash, references, ...names } as Artifact;
      if (this.#isNew(element, reader, artifact)) this.#artifacts.push(artifact);
    }
    if (reader.failed) this.#whole = false;
    this.#diagnostics.push(...reader.diagnostics);
  }

  /** The templates of a connector are named after it (spec mediators 3.22). */
  #namesOf(kind: ArtifactKind, name: string): { readonly name: string; readonly operation?: string } {
    const { library } = this.#root.source;
    if (kind !== 'template' || !library) return { name };
    const operation = `${library.name}.${name}`;
    return { name: library.package === '' ? operation : `${library.package}.${operation}`, operation };
  }

  /** A mistake of ours in reading one artifact must cost no more than that artifact. */
  #guarded<T>(element: ConfigElement, reader: ArtifactReader, read: () => T | undefined): T | undefined {
    try {
      const outcome = read();
      if (outcome === undefined && !reader.failed) reader.error(element, `<${element.name}> cannot be read`);
      return outcome;
    } catch (error) {
      log.error(
        `Reading <${element.name}> of ${element.source.file} broke off: ${error instanceof Error ? error.stack : error}`,
      );
      reader.error(element, `<${element.name}> cannot be read: ${reason(error)}`);
      return undefined;
    }
  }

  #isNew(element: ConfigElement, reader: ArtifactReader, artifact: Artifact): boolean {
    const keys = claimedKeys(artifact);
    const first = keys.map((key) => this.#places.get(key)).find((place) => place !== undefined);
    if (!first) {
      for (const key of keys) this.#places.set(key, artifact.position);
      return true;
    }
    reader.error(element, `${describeArtifact(artifact)} is defined twice in this file, first in line ${first.line}`, {
      expected: 'a name of its own; sequences, endpoints, templates and local entries share one space of names',
    });
    return false;
  }

  #report(
    severity: Diagnostic['severity'],
    element: ConfigElement,
    message: string,
    details: { expected?: string; nearest?: string } = {},
  ): void {
    this.#diagnostics.push({ severity, position: element.position, message, path: element.path, ...details });
  }
}

// What a reading can still be asked is made here, not inside the reader: it would keep the reader, and with it the XML of the whole file.

function outdatedBy(
  recorded: readonly RecordingLookup[],
  others: ReadonlyArray<() => boolean>,
): ArtifactFileReading['outdated'] {
  return () => recorded.some((lookup) => lookup.outdated) || others.some((ask) => ask());
}

function sourceAmong(own: ArtifactSource, remote: ArtifactSource | undefined): ArtifactFileReading['sourceAt'] {
  return ({ file }) => (file === remote?.file ? remote : own);
}

function isArtifactKind(name: string): name is ArtifactKind {
  return (ARTIFACT_KINDS as readonly string[]).includes(name);
}

/** Gives all elements in no namespace the Synapse namespace, as a default declaration on the root would. */
function adopt(element: XmlElement): void {
  if (!element.namespaceURI) moveToNamespace(element, SYNAPSE_NAMESPACE);
  for (let node: XmlNode | null = element.firstChild; node; node = node.nextSibling) {
    if (node.nodeType === NODE_TYPES.element) adopt(node as XmlElement);
  }
}

function byPosition(left: Diagnostic, right: Diagnostic): number {
  return left.position.line - right.position.line || left.position.column - right.position.column;
}
