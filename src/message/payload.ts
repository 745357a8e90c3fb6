import { firstElement, type XmlElement } from '../xml/index.ts';
import {
  type BodyFormat,
  type BuiltBody,
  buildBody,
  envelopeOf,
  formatOf,
  formatOfBody,
  isSoapFormat,
  type UnreadBody,
  versionOfFormat,
} from './builder.ts';
import { decodeContent } from './content-encoding.ts';
import { appendBlocks, cloneEnvelope } from './envelope-copy.ts';
import { ERROR_CODES, MediationError } from './errors.ts';
import { cloneWithOrigins, xmlToJson } from './json-xml.ts';
import { isPlainlyNoFault, looksLikeSoap, mayHoldFault } from './look-at-bytes.ts';
import { mediaTypeOf } from './media-type.ts';
import {
  bodyOf,
  createEnvelope,
  documentOf,
  ensureHeader,
  envelopeAround,
  headerOf,
  isFault,
  type SoapVersion,
  soapVersionOf,
} from './soap.ts';
import type { StreamedBody } from './streamed-body.ts';

export type { SoapVersion } from './soap.ts';

/** What decides how an unread body is read. */
export interface UnreadOptions {
  /**
   * SOAP style: `text/xml` is read as an envelope, else as a plain document. For requests: there is a SOAPAction header; for
   * responses: the request was SOAP. When absent, the beginning of the body tells.
   */
  readonly soapAction?: boolean;
  /** The request's method; leave it out for responses. */
  readonly method?: string | undefined;
  /** The request's query string, without `?`. */
  readonly query?: string | undefined;
  /** The Content-Encoding header. */
  readonly contentEncoding?: string | undefined;
  /** The largest decoded size of a compressed body, bytes; 16 MiB if absent (OP-91). */
  readonly maxBytes?: number;
  /** The bytes are only the first of this body, which is passed on while it still comes. */
  readonly stream?: StreamedBody | undefined;
}

const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;

type Content = { readonly kind: 'unread'; readonly body: UnreadBody } | BuiltBody;

/**
 * The payload of one message: a single tagged value (MREQ-25) with views derived from it.
 *
 *     unread ──look──▶ envelope | json | text | binary | empty     the bytes stay authoritative: `untouched`
 *     any    ──set──▶  the kind that was set                       the bytes are forgotten
 *     any    ──changed()──▶ envelope                               the XML view becomes the value
 *
 * Lazy: bytes until someone looks, parsed once, serialised again only after a change. Whoever edits the tree behind
 * {@link envelope}, {@link body}, {@link header} or {@link firstBodyChild} in place must call {@link changed} afterwards.
 */
export class Payload {
  #content: Content;
  /** The bytes as received, for as long as nothing was changed. */
  #original: UnreadBody | undefined;
  #contentType: string | undefined;
  /** The message with attachments that the content was made of by changing the envelope: what was beside that still belongs to it. */
  #attached: UnreadBody | undefined;
  /** The SOAP envelope that mediators see; the content itself when that is an envelope. */
  #view: XmlElement | undefined;
  /** Header blocks of an envelope whose Body was replaced by JSON, text or bytes. */
  #header: XmlElement | undefined;
  /** Of the view of content that is no envelope, where it is not the usual one. */
  #version: SoapVersion | undefined;
  #plain = false;

  private constructor(content: Content, contentType: string | undefined, version?: SoapVersion) {
    this.#content = content;
    this.#contentType = contentType;
    this.#version = version;
    if (content.kind !== 'unread') return;
    this.#original = content.body;
    this.#plain = !isSoapFormat(formatOfBody(content.body));
  }

  /** No content: an empty SOAP 1.1 envelope to those who look. */
  static empty(version: SoapVersion = '1.1'): Payload {
    return new Payload({ kind: 'empty' }, undefined, version);
  }

  /** A body from the wire. Nothing is parsed; the bytes must not be changed by the caller any more. */
  static unread(bytes: Uint8Array, contentType: string | undefined, options: UnreadOptions = {}): Payload {
    const body: UnreadBody = {
      bytes,
      contentType,
      soapAction: options.soapAction ?? looksLikeSoap(bytes, contentType),
      method: options.method,
      query: options.query,
      contentEncoding: options.contentEncoding,
      maxBytes: options.maxBytes ?? DEFAULT_MAX_BYTES,
      stream: options.stream,
    };
    return new Payload({ kind: 'unread', body }, contentType);
  }

  /** A SOAP envelope, which the payload owns from now on. */
  static ofEnvelope(envelope: XmlElement): Payload {
    const payload = new Payload({ kind: 'envelope', envelope }, undefined);
    payload.#view = envelope;
    return payload;
  }

  static ofJson(text: string): Payload {
    return new Payload({ kind: 'json', text }, 'application/json');
  }

  static ofText(text: string): Payload {
    return new Payload({ kind: 'text', text }, 'text/plain');
  }

  static ofBinary(bytes: Uint8Array, contentType = 'application/octet-stream'): Payload {
    return new Payload({ kind: 'binary', bytes }, contentType);
  }

  /** An envelope around a copy of an element. */
  static ofBodyChild(element: XmlElement, soapVersion: SoapVersion = '1.1'): Payload {
    return Payload.ofEnvelope(envelopeAround(element, soapVersion));
  }

  /** The Content-Type of what the payload holds; undefined when it was made here as XML. */
  get contentType(): string | undefined {
    return this.#contentType;
  }

  /** True while the bytes as received are what should be sent or stored. */
  get untouched(): boolean {
    return this.#original !== undefined;
  }

  /** Another object after every change; looking into the payload is none. For those who compare what it was with what it is. */
  get revision(): object {
    return this.#original ?? this.#content;
  }

  /** The tag, without looking into an unread body. */
  get kind(): Content['kind'] {
    return this.#content.kind;
  }

  /** True when there is nothing to send: no bytes received, or no content set. An envelope with an empty Body is not empty. */
  get isEmpty(): boolean {
    if (this.#original) return this.#original.bytes.length === 0;
    return this.#content.kind === 'empty';
  }

  /** True for an XML document by itself (`application/xml`, POX), which only here stands in an envelope. */
  get plain(): boolean {
    return this.#plain;
  }

  /** The format in which the payload came or was set; undefined for XML that was made here. */
  get format(): BodyFormat | undefined {
    if (this.#original) return formatOfBody(this.#original);
    if (this.#contentType === undefined) return undefined;
    const format = formatOf(mediaTypeOf(this.#contentType));
    if (format !== 'soap11' && format !== 'other') return format;
    return this.#plain ? 'xml' : 'soap11';
  }

  /** The Content-Encoding of {@link originalBytes}. */
  get contentEncoding(): string | undefined {
    return this.#original?.contentEncoding;
  }

  /**
   * The body exactly as received; undefined after a change and for payloads made here.
   * @throws MediationError for a {@link stream}, whose bytes are somewhere else already
   */
  originalBytes(): Uint8Array | undefined {
    if (this.#original?.stream) throw passedOn();
    return this.#original?.bytes;
  }

  /** The first of the {@link originalBytes}, or all: for those who only show what they see. */
  firstBytes(): Uint8Array | undefined {
    return this.#original?.bytes;
  }

  /**
   * The body, where it is passed on while it still comes: only for flows in which nobody reads it (`mediation/body-passing.ts`). Whoever
   * reads it all the same gets a MediationError.
   */
  get stream(): StreamedBody | undefined {
    return this.#original?.stream;
  }

  /**
   * Waits for the rest of a {@link stream}; afterwards the payload is one like any other.
   * @throws whatever the body broke off with
   */
  async hold(): Promise<void> {
    const streamed = this.#original;
    if (!streamed?.stream) return;
    const body: UnreadBody = { ...streamed, bytes: await streamed.stream.whole(), stream: undefined };
    if (this.#original !== streamed) return;
    this.#original = body;
    this.#content = { kind: 'unread', body };
  }

  /**
   * The message that an envelope came in, when it had attachments (MTOM, SOAP with Attachments): they go on with it.
   * @throws MediationError when it cannot be unpacked any more
   */
  attachments(): { readonly bytes: Uint8Array; readonly contentType: string } | undefined {
    if (this.#content.kind !== 'envelope') return undefined;
    const attached = this.#attached ?? this.#relatedOriginal();
    if (!attached) return undefined;
    const { bytes, contentType = '', contentEncoding, maxBytes } = attached;
    return { bytes: decodeContent(bytes, contentEncoding, maxBytes), contentType };
  }

  #keepAttachments(): void {
    this.#attached = this.#relatedOriginal() ?? this.#attached;
  }

  #relatedOriginal(): UnreadBody | undefined {
    return this.#original && formatOfBody(this.#original) === 'related' ? this.#original : undefined;
  }

  /**
   * The SOAP envelope, built on first use.
   * @throws MediationError 601000 when the body cannot be read; the payload is empty from then on (spec mediators 2.3)
   */
  envelope(): XmlElement {
    if (this.#view) return this.#view;
    this.#view = this.#guarded(() => this.#derive());
    return this.#view;
  }

  /** The Body; as {@link envelope}. */
  body(): XmlElement {
    return bodyOf(this.envelope());
  }

  /** The Header if there is one; as {@link envelope}. */
  header(): XmlElement | undefined {
    return headerOf(this.envelope());
  }

  /** What mediators call the payload; as {@link envelope}. */
  firstBodyChild(): XmlElement | undefined {
    return firstElement(this.body());
  }

  /** Of the envelope; told from the Content-Type as long as nobody looked. */
  get soapVersion(): SoapVersion {
    if (this.#view) return soapVersionOf(this.#view) ?? '1.1';
    if (this.#version === undefined && this.#content.kind === 'unread') {
      return versionOfFormat(formatOfBody(this.#content.body));
    }
    return this.#versionOfView();
  }

  /**
   * The raw JSON text if this is a JSON payload.
   * @throws MediationError 601000 when the body claims to be JSON and is not
   */
  json(): string | undefined {
    if (this.#content.kind === 'unread' && formatOfBody(this.#content.body) !== 'json') return undefined;
    const content = this.#guarded(() => this.#built());
    return content.kind === 'json' ? content.text : undefined;
  }

  /**
   * The payload as JSON text: its own, or the first Body child converted (spec mediators 5.2).
   * @throws MediationError when there is nothing or it cannot be converted
   */
  jsonText(): string {
    const text = this.json();
    if (text !== undefined) return text;
    const child = this.firstBodyChild();
    if (!child) throw new MediationError('Payload could not be written as JSON.');
    try {
      return xmlToJson(child);
    } catch (cause) {
      throw new MediationError(messageOf(cause), { cause });
    }
  }

  /** The characters of a text payload, or the text of a `text` wrapper; undefined for anything else. */
  text(): string | undefined {
    const content = this.#guarded(() => this.#built());
    return content.kind === 'text' ? content.text : undefined;
  }

  /** The bytes of a binary payload; undefined for anything else. */
  binary(): Uint8Array | undefined {
    const content = this.#guarded(() => this.#built());
    return content.kind === 'binary' ? content.bytes : undefined;
  }

  /**
   * True when the Body holds a SOAP fault. Does not parse a body in which the word does not occur, and leaves one that cannot be
   * parsed alone: that is no fault.
   */
  hasFault(): boolean {
    if (this.#view) return isFault(firstElement(bodyOf(this.#view)));
    try {
      if (this.#content.kind === 'unread' && !mayHoldFault(this.#content.body)) return false;
      if (this.#built().kind !== 'envelope') return false;
      this.#view = this.#derive();
      return isFault(firstElement(bodyOf(this.#view)));
    } catch {
      // Whoever needs the content will be told; a passing message is not stopped for it.
      return false;
    }
  }

  /** True when a look at the first bytes as received shows that there is no SOAP fault; for those who cannot have all of them. */
  get isPlainlyNoFault(): boolean {
    return this.#original !== undefined && isPlainlyNoFault(this.#original);
  }

  /** Says that the tree behind the XML views was edited in place: it is the payload now. */
  changed(): void {
    const view = this.envelope();
    this.#keepAttachments();
    this.#content = { kind: 'envelope', envelope: view };
    this.#original = undefined;
    this.#header = undefined;
  }

  /**
   * Edits the SOAP Header, which is made if there is none. The Body is left alone: JSON, text and bytes stay what they are.
   * @throws MediationError as {@link envelope}
   */
  editHeader(edit: (header: XmlElement) => void): void {
    const header = ensureHeader(this.envelope());
    edit(header);
    const { kind } = this.#content;
    if (kind === 'envelope' || kind === 'empty') this.changed();
    else this.#header = firstElement(header) ? header : undefined;
  }

  /** Makes an envelope the payload; it belongs to the payload from now on. */
  replaceEnvelope(envelope: XmlElement): void {
    this.#keepAttachments();
    this.#content = { kind: 'envelope', envelope };
    this.#view = envelope;
    this.#original = undefined;
    this.#header = undefined;
  }

  /** Replaces everything in the Body by a copy of an element; the header blocks stay. */
  replaceBody(child: XmlElement): void {
    if (this.#content.kind === 'unread' && this.#plain) this.#view = this.#emptyView();
    const body = this.body();
    const copy = cloneWithOrigins(documentOf(body), child);
    while (body.firstChild) body.removeChild(body.firstChild);
    body.appendChild(copy);
    this.changed();
  }

  /** Makes JSON text the payload; the header blocks stay. Objects and arrays are checked only by those who read them. */
  setJson(text: string): void {
    this.#set({ kind: 'json', text }, 'application/json');
  }

  /** Makes text the payload; the header blocks stay. */
  setText(text: string): void {
    this.#set({ kind: 'text', text }, 'text/plain');
  }

  /** Makes bytes the payload; the header blocks stay. */
  setBinary(bytes: Uint8Array, contentType = 'application/octet-stream'): void {
    this.#set({ kind: 'binary', bytes }, contentType);
  }

  /** Leaves an empty envelope of the same version, without header blocks. */
  clear(): void {
    const version = this.soapVersion;
    this.#content = { kind: 'empty' };
    this.#attached = undefined;
    this.#original = undefined;
    this.#view = undefined;
    this.#header = undefined;
    this.#version = version;
  }

  /** An independent copy. Bytes and text are shared; only a tree that is the payload is copied. */
  clone(): Payload {
    const content = this.#original ? ({ kind: 'unread', body: this.#original } as const) : this.#content;
    const copied = content.kind === 'envelope' ? { ...content, envelope: cloneEnvelope(content.envelope) } : content;
    const copy = new Payload(copied, this.#contentType, this.#version);
    copy.#plain = this.#plain;
    copy.#attached = this.#attached;
    if (copied.kind === 'envelope') copy.#view = copied.envelope;
    if (this.#header) copy.#header = cloneEnvelope(this.#header);
    return copy;
  }

  /** Header blocks that go with a payload which is no envelope; undefined when there are none. */
  soapHeader(): XmlElement | undefined {
    if (this.#content.kind === 'envelope') return undefined;
    const header = this.#view ? headerOf(this.#view) : this.#header;
    return header && firstElement(header) ? header : undefined;
  }

  /** Gives header blocks (copied from a Header element) to a payload that is no envelope. */
  setSoapHeader(header: XmlElement): void {
    this.#header = header;
    this.#version = soapVersionOf(header) ?? this.#version;
    if (this.#view) appendBlocks(header, this.#view);
  }

  #set(content: BuiltBody, contentType: string): void {
    const header = this.#keptHeader();
    this.#version = header ? this.soapVersion : undefined;
    this.#header = header;
    this.#attached = undefined;
    this.#content = content;
    this.#contentType = mediaTypeOf(this.#contentType) === mediaTypeOf(contentType) ? this.#contentType : contentType;
    this.#original = undefined;
    this.#view = undefined;
    this.#plain = false;
  }

  /** The Header with blocks in it, without reading a body for it that cannot have one. */
  #keptHeader(): XmlElement | undefined {
    const { kind } = this.#content;
    const mayBeSoap = kind === 'envelope' || (kind === 'unread' && !this.#plain);
    if (!this.#view && !mayBeSoap) return this.#header;
    const header = this.header();
    return header && firstElement(header) ? header : undefined;
  }

  /** Reads the body if nobody did yet. */
  #built(): BuiltBody {
    const content = this.#content;
    if (content.kind !== 'unread') return content;
    if (content.body.stream) throw passedOn();
    const built = buildBody(content.body);
    this.#version ??= versionOfFormat(formatOfBody(content.body));
    this.#content = built;
    return built;
  }

  #derive(): XmlElement {
    const content = this.#built();
    if (content.kind === 'envelope') return content.envelope;
    const view = envelopeOf(content, this.#versionOfView());
    if (this.#header) appendBlocks(this.#header, view);
    return view;
  }

  /** The view without content: what stands in a Body of our making need not be read to be replaced. */
  #emptyView(): XmlElement {
    const view = createEnvelope(this.soapVersion);
    if (this.#header) appendBlocks(this.#header, view);
    return view;
  }

  #versionOfView(): SoapVersion {
    if (this.#version) return this.#version;
    const { kind } = this.#content;
    return kind === 'json' || kind === 'text' || kind === 'binary' ? '1.2' : '1.1';
  }

  /** Runs a build step; what cannot be read is given up, so that the fault flow meets an empty envelope. */
  #guarded<T>(build: () => T): T {
    try {
      return build();
    } catch (cause) {
      if (cause instanceof MediationError) throw cause;
      const fromRequest = this.#original?.method !== undefined;
      this.clear();
      throw new MediationError(`Error while building message. ${messageOf(cause)}`, {
        code: ERROR_CODES.payloadParseFailed,
        detail: cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause),
        ...(fromRequest && { status: 400 }),
        cause,
      });
    }
  }
}

function passedOn(): MediationError {
  return new MediationError('The body is passed on while it comes and cannot be read');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
