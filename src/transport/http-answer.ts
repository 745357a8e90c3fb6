import { type ServerResponse, STATUS_CODES } from 'node:http';
import { POINTS, reach } from '../fault-points.ts';
import { logger } from '../logging/index.ts';
import { TransportHeaders } from '../message/headers.ts';

const log = logger('HttpListener');

/** One complete answer to a client, decided and ready to be written. */
export interface HttpAnswer {
  readonly status: number;
  /** Reason phrase; the standard one when absent. */
  readonly reason?: string;
  readonly headers: TransportHeaders;
  /** Undefined for an answer without entity. */
  readonly body: Uint8Array | undefined;
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
  response.statusCode = answer.status;
  response.statusMessage = reasonPhrase(answer);
  const written = new Map<string, string[]>();
  for (const [name, value] of answer.headers.pairs()) {
    if (!HEADER_NAME.test(name) || ILLEGAL_IN_VALUE.test(value)) {
      log.warn(`The header '${name.slice(0, 64)}' is left out of a response: HTTP cannot carry it`);
      continue;
    }
    const values = written.get(name);
    if (values) values.push(value);
    else written.set(name, [value]);
  }
  for (const [name, values] of written) response.setHeader(name, values.length === 1 ? (values[0] ?? '') : values);
  if (answer.close) response.setHeader('Connection', 'close');
  if (answer.body && !WITHOUT_ENTITY.has(answer.status)) response.setHeader('Content-Length', answer.body.byteLength);
}

/** Writes a whole answer. For HEAD requests and statuses without entity, node:http keeps the body back by itself. */
export function writeAnswer(response: ServerResponse, answer: HttpAnswer): void {
  writeAnswerHead(response, answer);
  if (answer.body && !WITHOUT_ENTITY.has(answer.status)) response.end(answer.body);
  else response.end();
  reach(POINTS.clientAnswered, 'http', answer.status);
}

function reasonPhrase({ reason, status }: HttpAnswer): string {
  if (reason !== undefined && reason !== '' && !ILLEGAL_IN_VALUE.test(reason)) return reason;
  return STATUS_CODES[status] ?? '';
}
