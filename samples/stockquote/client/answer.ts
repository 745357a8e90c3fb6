/** How the client reads an answer (stockquote-samples 2.5, 2.6). */
import { elementChildren, parseXml, textOf, type XmlElement } from '../../../src/xml/index.ts';
import { parseDouble } from '../wire/java-text.ts';
import { faultReason, NS, openEnvelope, XSD } from '../wire/soap.ts';
import { CallFailure } from './failure.ts';
import type { HttpReply } from './http.ts';

/** An answer that is a result: its text and the element inside the envelope, or the root of plain XML. */
export interface Answer {
  readonly text: string;
  readonly payload: XmlElement;
}

/** An error status other than these is not looked into, as Axis2 does not. */
const STATUS_WITH_FAULT = new Set([400, 500]);

/**
 * Reads the answer to a request that wants one.
 *
 * @throws CallFailure for a fault, an empty answer, an error status, or something that is no XML
 */
export function readAnswer(reply: HttpReply): Answer {
  const { status } = reply;
  const text = new TextDecoder().decode(reply.body);
  if (status === 202 || (isSuccess(reply) && text.trim() === '')) {
    throw new CallFailure('transport', 'The input stream for an incoming message is null.', { status });
  }
  const root = rootOf(text);
  const payload = root && (openEnvelope(root)?.payload ?? root);
  if (!isSuccess(reply)) throw statusFailure(reply, root, payload);
  if (!payload) throw unexpected(text, status);
  const reason = faultReason(payload);
  if (reason !== undefined) throw new CallFailure('fault', reason, { status });
  return { text, payload };
}

/** @throws CallFailure unless the status is 2xx; what the body says does not matter to one who wants no answer */
export function readAcceptance(reply: HttpReply): void {
  if (isSuccess(reply)) return;
  const root = rootOf(new TextDecoder().decode(reply.body));
  throw statusFailure(reply, root, root && (openEnvelope(root)?.payload ?? root));
}

/** The text of the first element called `name`; one in a namespace of the samples goes before any other. */
export function findValue(answer: Answer, name: string): string {
  const found = findAll(answer.payload, name)[0];
  if (!found) throw unexpected(answer.text, 200);
  return textOf(found);
}

/** The mean of all elements called `name`, NaN when there are none. */
export function average(answer: Answer, name: string): number {
  const values = findAll(answer.payload, name).map((element) => parseDouble(textOf(element)) ?? Number.NaN);
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** An answer in which something is missing. */
export function unexpected(text: string, status: number): CallFailure {
  return new CallFailure('unexpected', `Unexpected response : ${text}`, { status });
}

function isSuccess({ status }: HttpReply): boolean {
  return status >= 200 && status < 300;
}

function statusFailure(reply: HttpReply, root: XmlElement | undefined, payload: XmlElement | undefined): CallFailure {
  const { status, statusText } = reply;
  const said = faultReason(payload) ?? (root && payload === root ? plainFaultReason(root) : undefined);
  if (said !== undefined && STATUS_WITH_FAULT.has(status)) return new CallFailure('fault', said, { status });
  return new CallFailure('transport', `Transport error: ${status} Error: ${statusText}`, { status, cause: said });
}

/** Plain XML has no fault element of its own: Axis2 sends the detail's first child, or the bare reason. */
function plainFaultReason(root: XmlElement): string | undefined {
  const found = root.localName === 'faultstring' ? root : descendants(root, 'Message')[0];
  return found && textOf(found);
}

function rootOf(text: string): XmlElement | undefined {
  try {
    return parseXml(text).documentElement ?? undefined;
  } catch {
    // An error page or plain text: the status, or the text itself, is then what is reported.
    return undefined;
  }
}

function findAll(payload: XmlElement, name: string): XmlElement[] {
  const all = descendants(payload, name);
  const ours = all.filter(({ namespaceURI }) => namespaceURI === NS || namespaceURI === XSD);
  return ours.length > 0 ? ours : all;
}

function descendants(element: XmlElement, name: string, found: XmlElement[] = []): XmlElement[] {
  if (element.localName === name) found.push(element);
  for (const child of elementChildren(element)) descendants(child, name, found);
  return found;
}
