import { type CompositeApplication, readCompositeApplication } from '../composite/composite-application.ts';
import type { ArtifactSource } from '../grammar/diagnostic.ts';
import { decodeXml, XmlSyntaxError } from '../xml/index.ts';
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
    return { path, source: { file, text: '' }, application: await readCompositeApplication(file, bytes) };
  }
  try {
    return { path, source: { file, text: decodeXml(bytes) } };
  } catch (error) {
    if (!(error instanceof XmlSyntaxError)) throw error;
    return { path, source: { file, text: '' }, unreadable: error.message };
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
