import { access, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type CompositeApplication, readCompositeApplication } from '../composite/composite-application.ts';
import { libraryOf, readConnectorApplication } from '../composite/connector-archive.ts';
import type { ArtifactSource, LibraryName } from '../grammar/diagnostic.ts';
import { ConfigElement } from '../grammar/element.ts';
import { decodeXml, parseXml, XmlSyntaxError } from '../xml/index.ts';
import { isArchive } from './artifact-files.ts';

/** One version of an artifact file. */
export interface FileVersion {
  /** Which file it is: its path relative to the artifact directory. */
  readonly path: string;
  readonly source: ArtifactSource;
  /** Why its content could not be had, for a file that is there but cannot be read. */
  readonly unreadable?: string;
  /** What a `.car` archive holds; its source has no text then. */
  readonly application?: CompositeApplication;
}

/** The version that some bytes are: of a `.car` archive what it holds, of everything else XML text in its own encoding. */
export async function fileVersion(path: string, file: string, bytes: Buffer): Promise<FileVersion> {
  if (isArchive(path)) {
    const read = /\.zip$/i.test(path) ? readConnectorApplication : readCompositeApplication;
    return { path, source: { file, text: '' }, application: await read(file, bytes) };
  }
  try {
    const text = decodeXml(bytes);
    const library = /<template[\s>]/.test(text) ? await unpackedLibrary(file) : undefined;
    return { path, source: { file, text, ...(library && { library }) } };
  } catch (error) {
    if (!(error instanceof XmlSyntaxError)) throw error;
    return { path, source: { file, text: '' }, unreadable: error.message };
  }
}

/** The connector that a template belongs to: beside it is a component.xml, and in the folder above a connector.xml. */
async function unpackedLibrary(file: string): Promise<LibraryName | undefined> {
  const folder = dirname(file);
  try {
    await access(join(folder, 'component.xml'));
    const description = join(dirname(folder), 'connector.xml');
    const text = decodeXml(await readFile(description));
    const root = parseXml(text).documentElement;
    return root ? libraryOf(new ConfigElement(root, { file: description, text })) : undefined;
  } catch (error) {
    // A template by itself; or what is wrong with connector.xml is told with that.
    if (error instanceof XmlSyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** What has changed in the artifact directory since the last batch. */
export interface FileBatch {
  /** Files that are new or have another content. */
  readonly changed: readonly FileVersion[];
  /** Files that are gone. */
  readonly removed: readonly string[];
  /** Files that are not there at the moment, perhaps only for that moment: they still count, but give way to others. */
  readonly leaving: readonly string[];
}

export const EMPTY_BATCH: FileBatch = { changed: [], removed: [], leaving: [] };

export function isEmpty(batch: FileBatch): boolean {
  return batch.changed.length === 0 && batch.removed.length === 0;
}
