import type { ServerResponse } from 'node:http';
import { POINTS, reach } from '../fault-points.ts';
import { logger } from '../logging/index.ts';
import { TransportHeaders } from '../message/headers.ts';
import type { StreamedBody } from '../message/streamed-body.ts';
import { STATUS_CODES } from '../node-http.ts';
import { writeStream } from './write-stream.ts';

const log = logger('HttpListener');

/** One complete answer to a client, decided and ready to be written. */
export interface HttpAnswer {
  readonly status: number;
  /** Reason phrase; the standard one when absent. */
  readonly reason?: string;
  readonly headers: TransportHeaders;
  /** Undefined for an answer without entity, and for a {@link stream}. */
  readonly body: Uint8Array | undefined;
  /** Instead of a body: one that still comes. Whoever does not write the answer cancels it. */
  readonly stream?: StreamedBody | undefined;
  /** Ends the connection after this answer. */
  readonly close?: boolean;
}

/** Header values may hold visible Latin-1, space and tab: what node:http accepts, and no way to smuggle in a line. */
const ILLEGAL_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Statuses that never carry an entity (spec proxies 1.9). */
const WITHOUT_ENTITY = new Set([204, 205, 304]);

/** An answer with a short text in the given media type; `charset=UTF-8` is added. */
export function textAnswer(status: number, mediaType: string, text: string): HttpAnswer {
  const headers = TransportHeaders.from([['Content-Type', `${mediaType}; charset=UTF-8`]]);
  return { status, headers, body: Buffer.from(text, 'utf8') };
}

/** An answer with nothing but its status. */
export function emptyAnswer(status: number): HttpAnswer {
  return { status, headers: new TransportHeaders(), body: undefined };
}

/**
 * Writes status line, headers and the announced length. Headers that HTTP cannot carry (a line break in a value) are left out with
 * a WARN: they came from an artifact or a back end, and the client is owed an answer all the same.
 */
export function writeAnswerHead(response: ServerResponse, answer: HttpAnswer): void {
  const { status, headers, close } = answer;
  const length = announcedLength(response, answer);
  // Only of an answer without entity, as to HEAD, does the flow know better than we.
  const measured = length !== undefined || answer.stream !== undefined;
  const written: string[] = [];
  headers.forEach((name, value, key) => {
    if (!HEADER_NAME.test(name) || ILLEGAL_IN_VALUE.test(value))
      log.warn(`The header '${name.slice(0, 64)}' is left out of a response: HTTP cannot carry it`);
    // Ours take the place of what the flow set.
    else if (!(close && key === 'connection') && !(measured && key === 'content-length')) written.push(name, value);
  });
  if (close) written.push('Connection', 'close');
  if (length !== undefined) written.push('Content-Length', `${length}`);
  // One list, as it goes over the wire: headers that are set one by one are kept in a table and looked at twice.
  response.writeHead(status, reasonPhrase(answer), written);
}

/** What node:http would say by itself if it were asked at the end only; undefined: chunks, whose last one tells. */
function announcedLength({ req }: ServerResponse, { status, body, stream }: HttpAnswer): number | undefined {
  if (WITHOUT_ENTITY.has(status)) return status === 205 ? 0 : undefined;
  if (body) return body.byteLength;
  if (stream) return stream.length;
  return req.method === 'HEAD' ? undefined : 0;
}

/**
 * Writes a whole answer. For HEAD requests and statuses without entity, node:http keeps the body back by itself.
 * @param finish ends the response, after what is left to be written
 */
export function writeAnswer(
  response: ServerResponse,
  answer: HttpAnswer,
  finish: (rest?: Uint8Array) => void = (rest) => response.end(rest),
): void {
  writeAnswerHead(response, answer);
  const { body, stream, status } = answer;
  const entity = !WITHOUT_ENTITY.has(status) && response.req.method !== 'HEAD';
  if (stream && entity) {
    writeStream(response, stream, () => {
      finish();
      reach(POINTS.clientAnswered, 'http', status);
    });
    return;
  }
  stream?.cancel();
  finish(WITHOUT_ENTITY.has(status) ? undefined : body);
  reach(POINTS.clientAnswered, 'http', status);
}

function reasonPhrase({ reason, status }: HttpAnswer): string {
  if (reason !== undefined && reason !== '' && !ILLEGAL_IN_VALUE.test(reason)) return reason;
  return STATUS_CODES[status] ?? '';
}
