import { isSecret, LONGEST_RECOGNISED, maskSecrets } from '../logging/secrets.ts';
import type { TransportHeaders } from '../message/headers.ts';
import type { MessageContext } from '../message/message-context.ts';
import type { PropertyValue } from '../message/property-value.ts';
import { detached, type PayloadPreview, previewPayload } from './payload-preview.ts';

/** Of a value this much is kept, in characters. */
const VALUE_CHARACTERS = 1024;
const MAX_CHANGES = 100;
const MASK = '*****';
/** Headers that are secrets though their names do not say so. */
const SECRET_HEADERS = /^(?:cookie|set-cookie|proxy-authorization|x-auth\b.*|x-csrf.*)$/i;

export interface ValueChange {
  readonly scope: string;
  readonly name: string;
  /** Absent: it was not there. */
  readonly before?: string;
  /** Absent: it is gone. */
  readonly after?: string;
}

export interface BodyChange {
  readonly before: string;
  readonly after: string;
  readonly language: PayloadPreview['language'];
  readonly truncated: boolean;
}

/** What one mediator changed. */
export interface StepChanges {
  readonly properties: readonly ValueChange[];
  readonly headers: readonly ValueChange[];
  /** Whether it is another body now; how it looks is told by {@link body}, where bodies are kept. */
  readonly bodyChanged: boolean;
  readonly body?: BodyChange;
}

type Values = ReadonlyMap<string, PropertyValue>;

/**
 * A message as it was when it was looked at last. Each look tells what has changed since, in one pass over what there is, and takes
 * no copy: following a message costs little, however many properties it has.
 */
export class MessageWatch {
  readonly #bodies: boolean;
  /** Scope -> the values as they were. */
  readonly #scopes: ReadonlyArray<readonly [scope: string, known: Map<string, PropertyValue>]>;
  #headers: ReadonlyMap<string, string>;
  #transport: TransportHeaders;
  #headersRevision: number;
  #revision: object;
  #preview: PayloadPreview | undefined;

  /** @param bodies keeps the beginning of the body, too */
  constructor(message: MessageContext, bodies: boolean) {
    this.#bodies = bodies;
    this.#scopes = SCOPES.map(([scope, read]) => [scope, new Map(read(message))]);
    this.#transport = message.headers;
    this.#headersRevision = message.headers.revision;
    this.#headers = headersOf(message);
    this.#revision = message.payload.revision;
    this.#preview = bodies ? previewPayload(message.payload) : undefined;
  }

  /** What has changed since the last look; undefined when nothing has. */
  look(message: MessageContext): StepChanges | undefined {
    const properties: ValueChange[] = [];
    for (const [index, [scope, known]] of this.#scopes.entries()) {
      const read = SCOPES[index]?.[1];
      if (read) catchUp(known, read(message), scope, properties);
    }
    const headers = this.#headerChanges(message);
    const bodyChanged = this.#revision !== message.payload.revision;
    if (!bodyChanged && properties.length === 0 && headers.length === 0) return undefined;
    const body = bodyChanged ? this.#bodyChange(message) : undefined;
    return { properties, headers, bodyChanged, ...(body && { body }) };
  }

  #headerChanges(message: MessageContext): readonly ValueChange[] {
    const { headers } = message;
    if (this.#transport === headers && this.#headersRevision === headers.revision) return NONE;
    const changes: ValueChange[] = [];
    const now = headersOf(message);
    catchUp(new Map(this.#headers), now, 'transport', changes);
    this.#headers = now;
    this.#transport = headers;
    this.#headersRevision = headers.revision;
    return changes;
  }

  #bodyChange({ payload }: MessageContext): BodyChange | undefined {
    const before = this.#preview;
    this.#revision = payload.revision;
    if (!this.#bodies) return undefined;
    this.#preview = previewPayload(payload);
    return bodyChange(before, this.#preview);
  }
}

const NONE: readonly ValueChange[] = [];

const SCOPES: ReadonlyArray<readonly [scope: string, read: (message: MessageContext) => Values]> = [
  ['default', ({ properties }) => properties],
  ['axis2', ({ axis2 }) => axis2],
  ['axis2-client', ({ axis2Client }) => axis2Client],
  ['operation', ({ operation }) => operation],
  ['variable', ({ variables }) => variables],
];

/** Makes what is known equal to what there is, and notes the differences. */
function catchUp(known: Map<string, PropertyValue>, now: Values, scope: string, changes: ValueChange[]): void {
  for (const [name, value] of now) {
    const before = known.get(name);
    if (before === value) continue;
    known.set(name, value);
    note(changes, scope, name, before, value);
  }
  if (known.size === now.size) return;
  for (const [name, before] of known) {
    if (now.has(name)) continue;
    known.delete(name);
    note(changes, scope, name, before, undefined);
  }
}

function note(
  changes: ValueChange[],
  scope: string,
  name: string,
  before: PropertyValue | undefined,
  after: PropertyValue | undefined,
): void {
  if (changes.length >= MAX_CHANGES) return;
  const was = before === undefined ? undefined : shownValue(name, before);
  const is = after === undefined ? undefined : shownValue(name, after);
  // Equal texts of other objects are no news, unless they are hidden.
  if (was === is && is !== MASK) return;
  changes.push({ scope, name, ...(was !== undefined && { before: was }), ...(is !== undefined && { after: is }) });
}

/** Characters that a change holds on to. */
export function weightOf({ properties, headers, body }: StepChanges): number {
  let weight = (body?.before.length ?? 0) + (body?.after.length ?? 0);
  for (const { name, before, after } of [...properties, ...headers])
    weight += name.length + (before?.length ?? 0) + (after?.length ?? 0) + 64;
  return weight;
}

function bodyChange(before: PayloadPreview | undefined, after: PayloadPreview | undefined): BodyChange | undefined {
  if (!before || !after || before.text === after.text) return undefined;
  return {
    before: maskSecrets(before.text),
    after: maskSecrets(after.text),
    language: after.language === 'none' ? before.language : after.language,
    truncated: before.truncated || after.truncated,
  };
}

function headersOf({ headers }: MessageContext): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of headers.pairs()) {
    const earlier = found.get(name);
    found.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
  }
  return found;
}

/** As people may see it: masked, cut, and holding on to nothing larger than itself. */
function shownValue(name: string, value: PropertyValue): string {
  const isTree = typeof value === 'object' && ('nodeType' in value || Array.isArray(value));
  const text = isTree ? '(XML)' : String(value);
  if (isSecret(name, text) || SECRET_HEADERS.test(name)) return MASK;
  if (text.length <= VALUE_CHARACTERS) return maskSecrets(text);
  const masked = maskSecrets(text.slice(0, VALUE_CHARACTERS + LONGEST_RECOGNISED));
  return `${detached(masked.slice(0, VALUE_CHARACTERS))}…`;
}
