import type { ArtifactSource } from '../grammar/diagnostic.ts';

/** One version of an artifact file. */
export interface FileVersion {
  /** Which file it is: its path relative to the artifact directory. */
  readonly path: string;
  readonly source: ArtifactSource;
  /** Why its content could not be had, for a file that is there but cannot be read. */
  readonly unreadable?: string;
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
