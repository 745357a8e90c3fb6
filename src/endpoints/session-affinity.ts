import { MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';
import type { Payload } from '../message/payload.ts';
import { elementChildren, type XmlElement } from '../xml/index.ts';
import { GROUP_ERROR_CODES } from './group.ts';

/** Sessions of one group that are remembered; the one that was longest without a message is forgotten first. */
const MAX_SESSIONS = 50_000;
/** Longer ids are nobody's. */
const MAX_ID_LENGTH = 512;
/** The cookies that stand for a session (spec proxies 5.6). */
const SESSION_COOKIES: ReadonlySet<string> = new Set([
  'JSESSIONID',
  'PHPSESSID',
  'phpMyAdmin',
  'wordpress_test_cookie',
]);
const SYNAPSE_NAMESPACE = 'http://ws.apache.org/ns/synapse';
const AXIS2_NAMESPACE = 'http://ws.apache.org/namespaces/axis2';

/** Where one kind of session shows. */
interface SessionKind {
  /** The sessions that a request belongs to. */
  ofRequest(message: MessageContext): string[];
  /** The sessions that an answer starts. */
  ofAnswer(answer: MessageContext): string[];
  /** They show in the body of an answer, which has to be there as a whole. */
  readonly readsAnswer: boolean;
  /** The client makes up the id: it holds from the first message on, not only from its answer. */
  readonly startedByClient: boolean;
}

/** The types of `<session>` (spec proxies 5.6). */
export const SESSION_KINDS = {
  /** A cookie of the back end. */
  http: {
    ofRequest: ({ headers }) => cookiesIn(valuesOf(headers, 'cookie').flatMap((value) => value.split(';'))),
    ofAnswer: ({ headers }) => cookiesIn(valuesOf(headers, 'set-cookie').map((value) => value.split(';', 1)[0] ?? '')),
    readsAnswer: false,
    startedByClient: false,
  },
  /** Axis2's service group: a header block that the back end's answers give the client to send back. */
  soap: {
    ofRequest: ({ payload }) => serviceGroups(headerIn(payload)),
    ofAnswer: ({ payload }) => serviceGroups(headerInAnswer(payload)),
    readsAnswer: true,
    startedByClient: false,
  },
  /** A header block that the client makes up. */
  simpleClientSession: {
    ofRequest: ({ payload }) => blockTexts(headerIn(payload), SYNAPSE_NAMESPACE, 'ClientID'),
    ofAnswer: () => [],
    readsAnswer: false,
    startedByClient: true,
  },
} as const satisfies Record<string, SessionKind>;

export type SessionType = keyof typeof SESSION_KINDS;

/** Keeps the messages of one session with one child of a group (spec proxies 5.6). */
export class SessionAffinity {
  readonly #kind: SessionKind;
  /** Undefined: the global timeout of endpoints. */
  readonly #timeoutMs: number | undefined;
  readonly #now: () => number;
  /** Session → child, the one without a message for longest first: the order of use is the order of expiry, too. */
  readonly #bound = new Map<string, { readonly child: number; readonly until: number }>();

  constructor(type: SessionType, timeoutMs: number | undefined, now: () => number = Date.now) {
    this.#kind = SESSION_KINDS[type];
    this.#timeoutMs = timeoutMs;
    this.#now = now;
  }

  /** Sessions that are remembered. */
  get size(): number {
    return this.#bound.size;
  }

  /** The sessions that an answer starts are in its body. */
  get readsAnswers(): boolean {
    return this.#kind.readsAnswer;
  }

  /**
   * The sessions that a request belongs to.
   * @throws MediationError 601000 when they stand in a body that cannot be read
   */
  sessionsOf(message: MessageContext): string[] {
    return this.#kind.ofRequest(message);
  }

  /** The index of the child that has one of these sessions. */
  childOf(sessions: readonly string[]): number | undefined {
    const now = this.#now();
    for (const id of sessions) {
      const bound = this.#bound.get(id);
      if (bound && bound.until > now) return bound.child;
    }
    return undefined;
  }

  /** A child is about to be sent a message of sessions that were nobody's, or whose child cannot be tried. */
  chosen(child: number, sessions: readonly string[], request: MessageContext): void {
    if (this.#kind.startedByClient) this.#bind(sessions, child, request);
  }

  /** An answer of the child: the sessions that it starts, and those of its request, are the child's from now on. */
  answered(child: number, sessions: readonly string[], answer: MessageContext): void {
    this.#bind([...sessions, ...this.#kind.ofAnswer(answer)], child, answer);
  }

  #bind(sessions: readonly string[], child: number, { configuration }: MessageContext): void {
    const now = this.#now();
    const until = now + (this.#timeoutMs ?? configuration.services.globalTimeoutMs);
    for (const id of sessions) {
      if (id.length > MAX_ID_LENGTH) continue;
      this.#bound.delete(id);
      this.#bound.set(id, { child, until });
    }
    for (const [id, oldest] of this.#bound) {
      if (oldest.until > now && this.#bound.size <= MAX_SESSIONS) return;
      this.#bound.delete(id);
    }
  }
}

/** The child of the session cannot be tried, and no other one may take over (spec proxies 5.6). */
export function sessionFailed(groupName: string): MediationError {
  return new MediationError(`SALoadbalance endpoint : ${groupName} - the child endpoint of the session is not ready`, {
    code: GROUP_ERROR_CODES.sessionFailed,
    status: 503,
  });
}

function valuesOf(headers: MessageContext['headers'], wanted: string): string[] {
  if (!headers.has(wanted)) return [];
  return [...headers.pairs()].filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);
}

/** `name=value` of the cookies that stand for sessions. */
function cookiesIn(pairs: readonly string[]): string[] {
  const found: string[] = [];
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    const name = pair.slice(0, Math.max(equals, 0)).trim();
    const value = pair.slice(equals + 1).trim();
    if (SESSION_COOKIES.has(name) && value !== '') found.push(`${name}=${value}`);
  }
  return found;
}

/** The SOAP Header; a payload that is no SOAP message is not read for it. */
function headerIn(payload: Payload): XmlElement | undefined {
  const soap = payload.kind === 'envelope' || payload.format === 'soap11' || payload.format === 'soap12';
  return soap ? payload.header() : payload.soapHeader();
}

/** An answer that cannot be read starts no session, and is passed on as it is. */
function headerInAnswer(payload: Payload): XmlElement | undefined {
  try {
    return headerIn(payload.clone());
  } catch (error) {
    if (error instanceof MediationError) return undefined;
    throw error;
  }
}

/** As a header block, and as a reference parameter of the ReplyTo with which Axis2 hands it out. */
function serviceGroups(header: XmlElement | undefined): string[] {
  if (!header) return [];
  const replyTo = elementChildren(header).filter(({ localName }) => localName === 'ReplyTo');
  const parameters = replyTo.flatMap(elementChildren).filter(({ localName }) => localName === 'ReferenceParameters');
  return [header, ...parameters].flatMap((parent) => blockTexts(parent, AXIS2_NAMESPACE, 'ServiceGroupId'));
}

function blockTexts(parent: XmlElement | undefined, namespace: string, name: string): string[] {
  if (!parent) return [];
  const blocks = elementChildren(parent).filter(
    (child) => child.localName === name && child.namespaceURI === namespace,
  );
  return blocks.map((block) => (block.textContent ?? '').trim()).filter((text) => text !== '');
}
