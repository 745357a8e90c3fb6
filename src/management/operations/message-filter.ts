import type { BrowsedMessage } from '../../stores/store-browser.ts';
import { maskedHeader } from './message-rows.ts';

/** Which messages are meant (OP-42); what is not given does not matter. Texts are parts, in any case of letters. */
export interface MessageFilter {
  readonly id?: string | undefined;
  /** In the first 64 KiB of the body. */
  readonly text?: string | undefined;
  /** In a header, as `name: value`, as it is shown: a secret is not found piece by piece. */
  readonly header?: string | undefined;
  /** In the cause of the last failure, or in why it cannot be decoded. */
  readonly cause?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly status?: number | undefined;
  /** Stored then or later, before then: epoch ms. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** How much of a body a filter looks at, bytes. */
const SEARCHED_BYTES = 64 * 1024;

/** How much of each body is needed to tell; undefined: as much as pages show anyway. */
export function neededBody({ text }: MessageFilter): number | undefined {
  return text === undefined ? undefined : SEARCHED_BYTES;
}

export function isEmptyFilter(filter: MessageFilter): boolean {
  return Object.values(filter).every((value) => value === undefined);
}

export function matches({ id, message, poison }: BrowsedMessage, filter: MessageFilter): boolean {
  const failure = message?.history.at(-1);
  const headers = message?.headers ?? poison?.headers ?? [];
  return (
    contains(id, filter.id) &&
    contains(failure?.cause ?? poison?.reason, filter.cause) &&
    (filter.endpoint === undefined || failure?.endpoint === filter.endpoint) &&
    (filter.status === undefined || failure?.status === filter.status) &&
    isWithin(message?.storedAt, filter) &&
    (filter.header === undefined || headers.some(([name, value]) => hasHeader(name, value, filter.header))) &&
    (filter.text === undefined || contains(textOf(message?.body.bytes ?? poison?.bytes), filter.text))
  );
}

function isWithin(storedAt: number | undefined, { from, to }: MessageFilter): boolean {
  if (from === undefined && to === undefined) return true;
  if (storedAt === undefined) return false;
  return storedAt >= (from ?? Number.NEGATIVE_INFINITY) && storedAt < (to ?? Number.POSITIVE_INFINITY);
}

function hasHeader(name: string, value: string, part: string | undefined): boolean {
  return contains(`${name}: ${value}`, part) && contains(`${name}: ${maskedHeader(name, value)}`, part);
}

function contains(text: string | undefined, part: string | undefined): boolean {
  if (part === undefined) return true;
  return text?.toLowerCase().includes(part.toLowerCase()) ?? false;
}

function textOf(bytes: Uint8Array | undefined): string {
  return bytes ? new TextDecoder().decode(bytes.subarray(0, SEARCHED_BYTES)) : '';
}
