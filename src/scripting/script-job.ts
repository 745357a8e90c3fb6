/** A value on its way into or out of the sandbox; JSON and XML travel as text. */
export type SentValue =
  | { readonly kind: 'text' | 'json' | 'xml'; readonly value: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'boolean'; readonly value: boolean };

export type SentValues = Readonly<Record<string, SentValue>>;

/** What of a message a script may ask for and what is dear to send along. */
export type PayloadPart = 'json' | 'body' | 'envelope';

/** What a script sees of its message. Parts that it needs and that are not there are asked for, see {@link ScriptResult}. */
export interface SentMessage {
  readonly properties: SentValues;
  readonly variables: SentValues;
  readonly addresses: Readonly<Partial<Record<Address, string>>>;
  readonly messageId: string;
  readonly relatesTo: string | undefined;
  readonly isResponse: boolean;
  readonly isRest: boolean;
  readonly isGet: boolean;
  readonly isSoap11: boolean;
  /** Null: the message has none. */
  readonly payload: Readonly<Partial<Record<PayloadPart, string | null>>>;
  /** Texts of local entries and registry resources; null: there is none. */
  readonly entries: Readonly<Record<string, string | null>>;
}

export type Address = 'to' | 'from' | 'replyTo' | 'faultTo' | 'action';

export interface ScriptJob {
  /** Evaluated one after the other in the same global scope. */
  readonly sources: ReadonlyArray<{ readonly name: string; readonly code: string }>;
  /** Called with `mc` and the arguments after all sources; absent: the value of the last source is the result. */
  readonly call: { readonly name: string; readonly args: readonly SentValue[] } | undefined;
  /** `mc.getPayloadXML()` gives an object, not text. */
  readonly xmlObjects: boolean;
  readonly message: SentMessage;
  readonly limitMs: number;
}

/** What a script has done to its message, in order. The message itself is changed only when the script has come to its end. */
export type Effect =
  | { readonly do: 'set-property'; readonly scope: string; readonly name: string; readonly value: SentValue }
  | { readonly do: 'remove-property'; readonly scope: string; readonly name: string }
  | { readonly do: 'set-variable'; readonly name: string; readonly value: SentValue }
  | { readonly do: 'set-json' | 'set-xml' | 'set-envelope' | 'set-message-id'; readonly value: string }
  | { readonly do: 'set-address'; readonly address: Address; readonly value: string }
  | { readonly do: 'add-header'; readonly xml: string; readonly mustUnderstand: boolean }
  | { readonly do: 'set-response'; readonly value: boolean }
  | { readonly do: 'log'; readonly level: 'info' | 'warn' | 'error' | 'debug'; readonly text: string }
  /** The message waits, not the thread. */
  | { readonly do: 'sleep'; readonly ms: number };

export type ScriptResult =
  | { readonly ended: true; readonly value: SentValue | null; readonly effects: readonly Effect[] }
  /** It asked for something that was not sent; it has to be run again from the beginning. */
  | { readonly ended: false; readonly needs: ScriptNeed };

export type ScriptNeed = { readonly payload: PayloadPart } | { readonly entry: string };
