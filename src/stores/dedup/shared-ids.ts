import { join } from 'node:path';
import type { Logger } from '../../logging/index.ts';
import { fileNameOf } from '../../processors/durable-file.ts';
import type { DedupRules } from './parameters.ts';
import { RememberedIds } from './remembered-ids.ts';

/** Below the data folder: one folder for each store. */
const FOLDER = 'dedup';

export interface SharedIdsOptions {
  readonly store: string;
  readonly dataDirectory: string;
  readonly durable: boolean;
  readonly rules: DedupRules;
  readonly deadlineMs: number;
  readonly log: Logger;
}

/** What is open, by its place. */
const open = new Map<string, RememberedIds>();

/** The ids of a store: those of the store that it replaces, if that is open. To be given back with {@link releaseIds}. */
export function borrowIds({ store, dataDirectory, durable, rules, deadlineMs, log }: SharedIdsOptions): RememberedIds {
  const folder = join(dataDirectory, FOLDER, fileNameOf(store));
  const place = `${durable ? 'disk' : 'memory'} ${folder}`;
  const { windowMs, maxIds } = rules;
  let ids = open.get(place);
  if (!ids) {
    ids = new RememberedIds({ store, folder: durable ? folder : undefined, windowMs, maxIds, deadlineMs, log });
    open.set(place, ids);
  }
  ids.windowMs = windowMs;
  ids.maxIds = maxIds;
  ids.owners += 1;
  return ids;
}

/** The last store to release them closes them. */
export async function releaseIds(ids: RememberedIds): Promise<void> {
  ids.owners -= 1;
  if (ids.owners > 0) return;
  for (const [place, each] of open) if (each === ids) open.delete(place);
  await ids.close();
}
