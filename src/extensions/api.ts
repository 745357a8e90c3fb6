/*
 * What an extension module sees of mini-synapse: types only, so a module needs nothing at run time. A module is mapped to a class
 * name in `deployment.toml`; see `samples/custom-store`.
 */
import type { StoreDepth } from '../stores/message-store.ts';
import type { StoredMessage } from '../stores/stored-message.ts';

export type { PoisonMessage, StoreDepth } from '../stores/message-store.ts';
export type { DeliveryFailure, StoredBody, StoredMessage } from '../stores/stored-message.ts';

/** Writes to the server's log, in a category of the module's name. Never give it secrets. */
export interface ExtensionLog {
  debug(text: string): void;
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
}

/** What every extension is told about itself. */
export interface ExtensionContext {
  /** Of the artifact; of a class mediator its place, for example `proxy/Orders/in/2`. */
  readonly name: string;
  /** The `class` that was written in the artifact. */
  readonly className: string;
  readonly log: ExtensionLog;
}

/** A message at rest as bytes: one line of readable JSON in ASCII, and the body byte for byte; the same in every store. */
export interface StoredMessageFormat {
  encode(message: StoredMessage): { readonly head: string; readonly body: Uint8Array };
  /** @throws an error for what is no stored message; give that out as `poison` */
  decode(encoded: { readonly head: string; readonly body: Uint8Array }): StoredMessage;
}

export interface StoreContext extends ExtensionContext {
  /** As written, trimmed. */
  readonly parameters: ReadonlyMap<string, string>;
  /** The server's folder for what survives a restart. */
  readonly dataDirectory: string;
  readonly format: StoredMessageFormat;
  /**
   * The store that this one replaces, if it has the same class: take over what it holds in memory. Both are open for a moment. It may
   * come from an earlier version of the module.
   */
  readonly previous: Store | undefined;
}

/** `export const openStore: OpenStore`. It must not wait: a store connects in the background. What it throws refuses the artifact. */
export type OpenStore = (context: StoreContext) => Store;

/** The delivery contract. Whatever a store throws is a failure of that one operation; each of them has a deadline. */
export interface Store {
  /** False: it keeps messages only while the process lives. */
  readonly durable: boolean;
  /** Appends a message; resolves only when the medium has it. May be called concurrently. Throws when it is not stored. */
  put(message: StoredMessage): Promise<void>;
  /** Someone who takes messages. Several may compete; a message is with one of them at a time. */
  consumer(): StoreConsumer;
  depth(): Promise<StoreDepth>;
  /** `DOWN`: it is known to be out of reach, and nothing is tried. Default: READY, or DEGRADED after a failure. */
  status?(): { readonly state: 'CONNECTING' | 'READY' | 'DEGRADED' | 'DOWN'; readonly lastError?: string | undefined };
  /** Lets the medium go; all consumers were closed before. */
  close(): Promise<void>;
}

export interface StoreConsumer {
  /**
   * The oldest message that nobody has. Waits for one, at most `waitMs` (for ever if absent) or until the signal is aborted, then
   * resolves undefined. It is called again only when the last delivery is settled.
   */
  receive(options: { readonly signal: AbortSignal; readonly waitMs?: number }): Promise<StoreDelivery | undefined>;
  close(): Promise<void>;
}

/** One message in one consumer's hands, settled once: by `done` or `release`. `done` is called again when it has thrown. */
export interface StoreDelivery {
  /** Undefined when what the medium holds cannot be decoded. */
  readonly message: StoredMessage | undefined;
  /** Why it cannot, and its bytes; it goes to the fail store or into the dead-letter area. */
  readonly poison?: { readonly id: string; readonly reason: string; readonly bytes: Uint8Array } | undefined;
  /** True when it may have been delivered before. */
  readonly redelivered: boolean;
  /** Removes the message; resolves when the medium confirmed it. */
  done(): Promise<void>;
  /** Gives it back to its place, to be delivered again at once. */
  release(): Promise<void>;
}

export interface ProcessorContext extends ExtensionContext {
  readonly parameters: ReadonlyMap<string, string>;
  readonly storeName: string;
  /** The `targetEndpoint` attribute. */
  readonly targetEndpoint: string | undefined;
  readonly dataDirectory: string;
}

/** `export const openProcessor: OpenProcessor`. It must not wait. What it throws refuses the artifact. */
export type OpenProcessor = (context: ProcessorContext) => Processor;

/**
 * What becomes of a message. Receiving, schedule, attempts, pauses, fail store, dead letters and activation are those of every
 * processor, with the same parameters.
 */
export interface Processor {
  /**
   * One attempt. The message leaves its store when it resolves (to nothing); what it throws is a failed attempt. An error with
   * `dead: true` says that no other attempt can help. It has a deadline and must be prepared to get the same message again.
   */
  process(attempt: Attempt): Promise<void> | void;
  /** The processor has ended: stopped, replaced or undeployed. */
  close?(): Promise<void> | void;
}

export interface Attempt {
  /** Made afresh for every attempt. */
  readonly message: Message;
  /** As it is in its store. */
  readonly stored: StoredMessage;
  /** Counts from 1. */
  readonly number: number;
  /** Aborted at the deadline and when the server ends. */
  readonly signal: AbortSignal;
  /** Puts a message (default: this one, as it was stored) into another message store. Throws when it was not stored. */
  store(name: string, message?: StoredMessage): Promise<void>;
  /** Runs a sequence to the end of all that it starts. Throws when it fails and nobody handles that. */
  runSequence(name: string): Promise<void>;
  /** Sends the message to an endpoint (default: `targetEndpoint`); the answer. Throws when there is none. */
  send(endpoint?: string): Promise<Message>;
}

export interface MediatorContext extends ExtensionContext {
  /** The properties with a fixed `value`. */
  readonly properties: ReadonlyMap<string, string>;
}

/**
 * `export const openMediator: OpenMediator`. Called when the artifact is read, perhaps more than once; it must not wait and should
 * open nothing that needs closing. What it throws refuses the artifact.
 */
export type OpenMediator = (context: MediatorContext) => Mediator;

export interface Mediator {
  /**
   * Nothing or true: the flow goes on. False: it stops here. What it throws runs the fault sequence. It has a deadline. Shared by
   * all messages.
   * @param properties all of them; those with an `expression` evaluated on this message, '' when that finds nothing
   */
  mediate(
    message: Message,
    properties: ReadonlyMap<string, string>,
  ): boolean | undefined | Promise<boolean | undefined>;
}

/** A property's value: numbers and truth values as such; JSON and XML as their text. */
export type Value = string | number | bigint | boolean;
export type Scope = 'default' | 'axis2' | 'axis2-client' | 'transport' | 'operation';

/** One message on its way. */
export interface Message {
  readonly id: string;
  readonly direction: 'request' | 'response';
  to: string | undefined;
  action: string | undefined;
  property(name: string, scope?: Scope): Value | undefined;
  setProperty(name: string, value: Value, scope?: Scope): void;
  removeProperty(name: string, scope?: Scope): void;
  variable(name: string): Value | undefined;
  setVariable(name: string, value: Value): void;
  header(name: string): string | undefined;
  setHeader(name: string, value: string): void;
  removeHeader(name: string): void;
  readonly contentType: string | undefined;
  /** The body as it would be sent or stored now; untouched ones byte for byte. */
  bytes(): Uint8Array;
  /** The text of a text payload; undefined for others. */
  text(): string | undefined;
  /** The payload as JSON; XML is converted. Throws when it cannot be read. */
  json(): unknown;
  /** The payload (in SOAP: the first element in the Body) as XML; JSON is converted. Undefined when there is none. */
  xml(): string | undefined;
  setText(text: string): void;
  setJson(value: unknown): void;
  /** Replaces what stands in the Body. Throws for what is no XML. */
  setXml(xml: string): void;
  setBytes(bytes: Uint8Array, contentType: string): void;
}
