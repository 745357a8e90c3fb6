import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { POINTS, reach } from '../fault-points.ts';
import type { DeliveryFailure, StoredMessage } from '../stores/stored-message.ts';
import { fileNameOf, writeAtomically } from './durable-file.ts';

/** A message without a place to go. */
export interface DeadLetter {
  readonly id: string;
  readonly store: string;
  readonly processor: string;
  readonly reason: string;
  readonly contentType: string | undefined;
  readonly headers: ReadonlyArray<readonly [string, string]>;
  readonly history: readonly DeliveryFailure[];
  /** How often operators had sent it again (OP-62). */
  readonly replays?: number;
  /** Its store could not decode it: the bytes are what lay in the store, not a body. */
  readonly undecoded?: true;
  readonly bytes: Uint8Array;
}

/** What a store could not decode, as a message of raw bytes. Stores do not keep the mark. */
export interface UndecodedMessage extends StoredMessage {
  readonly undecoded: true;
}

/**
 * Puts a message aside as two files under `<dataDirectory>/dead-letter/<store>/` (REQ-26): `<id>.body` with its bytes as they
 * were, `<id>.json` with where it comes from and why. The second one is written last, so a pair is whole. Putting the same message aside
 * again replaces it; another one of the same id, as other applications may make them, gets a name of its own. So does a message that an
 * operator has sent again (`<id>~<replays>`): whoever removes the letter it was sent from cannot remove the new one.
 * @throws what the file system says; the message must then stay in its store
 * @returns the path of the JSON file
 */
export async function putAside(dataDirectory: string, letter: DeadLetter): Promise<string> {
  const { bytes, ...about } = letter;
  const { id, store, replays = 0 } = letter;
  const file = replays === 0 ? fileNameOf(id) : `${fileNameOf(id)}~${replays}`;
  const name = join(dataDirectory, 'dead-letter', fileNameOf(store), file);
  const base = (await isFree(name, bytes)) ? name : `${name}~${digestOf(bytes)}`;
  await writeAtomically(`${base}.body`, bytes);
  reach(POINTS.deadLetterBody, store, id);
  const description = { ...about, bytes: bytes.byteLength, at: new Date().toISOString() };
  await writeAtomically(`${base}.json`, `${JSON.stringify(description, null, 2)}\n`);
  reach(POINTS.deadLetterWritten, store, id);
  return `${base}.json`;
}

/** Whether nobody has the name, or a message with the same bytes has it. */
async function isFree(name: string, bytes: Uint8Array): Promise<boolean> {
  try {
    return (await readFile(`${name}.body`)).equals(bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}

/** A message that could not be delivered, as a dead letter. */
export function deadLetterOf(
  stored: StoredMessage | UndecodedMessage,
  store: string,
  processor: string,
  reason: string,
): DeadLetter {
  const { id, body, headers, history, replays } = stored;
  const more = {
    ...(replays !== undefined && { replays }),
    ...('undecoded' in stored && { undecoded: stored.undecoded }),
  };
  return { id, store, processor, reason, contentType: body.contentType, headers, history, ...more, bytes: body.bytes };
}
