import type { Dirent } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseMediaType } from '../message/media-type.ts';
import { bodyKind } from '../stores/broker/foreign-body.ts';
import { foreignMessage, soapActionIn } from '../stores/foreign-message.ts';
import type { DeliveryFailure, StoredBody, StoredMessage } from '../stores/stored-message.ts';

/** What stands in the dead-letter area about one message; `putAside` writes it. */
export interface LetterDescription {
  readonly id: string;
  readonly store: string;
  readonly processor: string;
  readonly reason: string;
  readonly contentType?: string;
  readonly headers: ReadonlyArray<readonly [string, string]>;
  readonly history: readonly DeliveryFailure[];
  /** How often operators had sent it again. */
  readonly replays?: number;
  /** Its store could not decode it: the bytes are what lay in the store, not a body. */
  readonly undecoded?: true;
  /** Of its body. */
  readonly bytes: number;
  /** ISO 8601. */
  readonly at: string;
}

export interface FoundLetter extends LetterDescription {
  /** Its files without `.json` and `.body`. */
  readonly base: string;
}

export interface DeadLetterArea {
  /** The oldest first. */
  readonly letters: readonly FoundLetter[];
  /** Files that cannot be read, and why. */
  readonly damaged: ReadonlyArray<{ readonly file: string; readonly problem: string }>;
}

/**
 * Everything that was put aside (REQ-26). An area that is not there is empty.
 * @throws what the file system says of the folder
 */
export async function readDeadLetters(dataDirectory: string): Promise<DeadLetterArea> {
  const top = join(dataDirectory, 'dead-letter');
  const letters: FoundLetter[] = [];
  const damaged: Array<{ file: string; problem: string }> = [];
  for (const store of await entriesOf(top)) {
    if (!store.isDirectory()) continue;
    for (const { name } of await entriesOf(join(top, store.name))) {
      if (!name.endsWith('.json')) continue;
      const file = join(top, store.name, name);
      try {
        letters.push({ ...description(await readFile(file, 'utf8')), base: file.slice(0, -'.json'.length) });
      } catch (error) {
        damaged.push({ file, problem: (error as Error).message });
      }
    }
  }
  return { letters: letters.sort((left, right) => left.at.localeCompare(right.at)), damaged };
}

/** @throws what the file system says */
export function letterBytes({ base }: FoundLetter): Promise<Buffer> {
  return readFile(`${base}.body`);
}

/** The description goes first: a body alone is no letter. One that is gone is gone. @throws what the file system says */
export async function removeLetter({ base }: FoundLetter): Promise<void> {
  await rm(`${base}.json`, { force: true });
  await rm(`${base}.body`, { force: true });
}

/** The message as its store had it, once more replayed (OP-62). Properties are not kept in the area; headers and body are, byte for byte. */
export function letterAsStored(letter: FoundLetter, bytes: Buffer): StoredMessage {
  const { id, headers, history, contentType, replays = 0 } = letter;
  const kind = bytes.length === 0 ? 'none' : bodyKind(contentType, bytes);
  const action = actionOf(letter);
  return foreignMessage({
    id,
    body: { kind, bytes, contentType },
    addressing: action === undefined ? {} : { action },
    doingRest: !isSoap(kind, letter),
    headers,
    history,
    replays: replays + 1,
  });
}

/** What SOAPAction says, or the `action` parameter of a SOAP 1.2 Content-Type (spec proxies 1.6, 1.7). */
function actionOf({ headers, contentType }: FoundLetter): string | undefined {
  return parseMediaType(contentType).parameters.get('action') || soapActionIn(headers) || undefined;
}

/** Also what is compressed or has attachments, when its sender said that it is SOAP. */
function isSoap(kind: StoredBody['kind'], { headers }: FoundLetter): boolean {
  return kind === 'soap11' || kind === 'soap12' || (kind === 'binary' && soapActionIn(headers) !== undefined);
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** @throws SyntaxError, TypeError */
function description(text: string): LetterDescription {
  const read = JSON.parse(text) as Partial<LetterDescription>;
  const { id, store, at, headers, history } = read;
  const whole = typeof id === 'string' && typeof store === 'string' && typeof at === 'string';
  if (!whole || !Array.isArray(headers) || !Array.isArray(history)) throw new TypeError('it describes no message');
  return read as LetterDescription;
}
