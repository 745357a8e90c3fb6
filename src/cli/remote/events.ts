import type { IncomingMessage } from 'node:http';
import { pause } from '../../scheduling/pause.ts';
import { type ManagementClient, RefusedError, UnreachableError } from './client.ts';

/** One server-sent event. */
export interface ServerEvent {
  readonly name: string;
  readonly data: unknown;
}

interface RawEvent extends ServerEvent {
  readonly id: string | undefined;
}

const MAX_EVENT_CHARACTERS = 16 * 1024 * 1024;
/** The server sends a ping every 15 s. */
const SILENCE_MS = 45_000;
const SHORTEST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;
/** How long a server may be away that was there before, ms. */
const PATIENCE_MS = 60_000;

/**
 * The events of a server, until the signal aborts. Comes back after a lost connection where it was, and gives up when the server
 * stays away for a minute.
 *
 *   connecting ── answer ──► open ── end, silence ──► waiting (500 ms … 5 s) ──► connecting
 *       └── first time, or away for a minute: UnreachableError; refused: RefusedError
 */
export async function* serverEvents(
  client: ManagementClient,
  query: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): AsyncGenerator<ServerEvent> {
  let lastId: string | undefined;
  let awaySince: number | undefined;
  let pauseMs = SHORTEST_PAUSE_MS;
  while (!signal.aborted) {
    try {
      const headers = { Accept: 'text/event-stream', ...(lastId !== undefined && { 'Last-Event-ID': lastId }) };
      const stream = await client.open('GET', '/management/events', { query, headers, signal });
      pauseMs = SHORTEST_PAUSE_MS;
      awaySince = undefined;
      for await (const { id, name, data } of eventsOf(stream)) {
        if (id !== undefined) lastId = id;
        yield { name, data };
      }
    } catch (error) {
      if (signal.aborted) return;
      const mayComeBack = lastId !== undefined || awaySince !== undefined;
      const isBusy = error instanceof RefusedError && error.status === 503;
      if (!isBusy && !(error instanceof UnreachableError && mayComeBack)) throw error;
      if (awaySince !== undefined && performance.now() - awaySince > PATIENCE_MS) throw error;
    }
    awaySince ??= performance.now();
    await pause(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

/** Ends with the stream, also when that is cut off. */
async function* eventsOf(stream: IncomingMessage): AsyncGenerator<RawEvent> {
  stream.setEncoding('utf8');
  stream.setTimeout(SILENCE_MS, () => stream.destroy());
  let buffered = '';
  try {
    for await (const part of stream as AsyncIterable<string>) {
      buffered += part;
      if (buffered.length > MAX_EVENT_CHARACTERS) return;
      const events = buffered.split(/\r?\n\r?\n/);
      buffered = events.pop() ?? '';
      for (const text of events) {
        const event = parseEvent(text);
        if (event) yield event;
      }
    }
  } catch {
    // A connection that was cut off is one that has ended; the caller comes back.
  } finally {
    stream.destroy();
  }
}

/** Undefined for comments and what has no data. */
export function parseEvent(text: string): RawEvent | undefined {
  let name = 'message';
  let id: string | undefined;
  const data: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const [, field, value = ''] = /^(\w+):? ?(.*)$/.exec(line) ?? [];
    if (field === 'event') name = value;
    else if (field === 'id') id = value;
    else if (field === 'data') data.push(value);
  }
  if (data.length === 0) return undefined;
  try {
    return { name, id, data: JSON.parse(data.join('\n')) };
  } catch {
    return { name, id, data: undefined };
  }
}
