import { randomUUID } from 'node:crypto';
import type { Caller, Lineage, Split } from './caller.ts';
import type { Configuration } from './configuration.ts';
import { copyValues } from './copy-value.ts';
import type { Exchange } from './exchange.ts';
import type { FlowSpan, MessagePlace, MessageTrace } from './flow-observer.ts';
import { TransportHeaders } from './headers.ts';
import type { Payload } from './payload.ts';
import type { PropertyValue } from './property-value.ts';

/** The reference's spelling: the id of the message that a copy was made of (spec mediators 2.7). */
export const ORIGINAL_ID = 'aggregateCorelation';

export type Direction = 'request' | 'response';

/** Something that handles a fault of a message; the last one pushed is asked first (spec proxies 4.9). */
export interface FaultHandler {
  /** For the log, for example `onError sequence 'x'`. */
  readonly description: string;
  handleFault(message: MessageContext): Promise<void>;
}

/** What a template is called with, by parameter. A parameter passed as `{{expression}}` is evaluated whenever it is read. */
export interface TemplateFrame {
  readonly template: string;
  readonly parameters: ReadonlyMap<string, TemplateParameterValue>;
}
export type TemplateParameterValue = PropertyValue | ((message: MessageContext) => PropertyValue | null);

/**
 * One message on its way through the server (spec proxies 3.1): payload, addressing, the property scopes, the fault stack, and the
 * configuration snapshot it started with. Parsing nothing and owning nothing that needs closing, it is cheap to make.
 */
export class MessageContext {
  readonly configuration: Configuration;
  /** Made when somebody asks for it: of the parts of a large message most are never called by their names. */
  #messageId: string | undefined;
  direction: Direction = 'request';
  payload: Payload;

  to: string | undefined;
  from: string | undefined;
  replyTo: string | undefined;
  faultTo: string | undefined;
  relatesTo: string | undefined;
  /** WS-Addressing action and SOAPAction are one shared value; the last writer wins (spec proxies 4.2). */
  action: string | undefined;
  /** The client speaks plain XML, JSON or form data instead of SOAP (spec proxies 2.3). */
  doingRest = false;

  /** Default scope. */
  readonly properties = new Map<string, PropertyValue>();
  readonly axis2 = new Map<string, PropertyValue>();
  /** Options for the next outgoing call only. */
  readonly axis2Client = new Map<string, PropertyValue>();
  /** Transport scope. */
  headers = new TransportHeaders();
  /** Operation scope, shared between a request and its responses. */
  operation: Map<string, PropertyValue> = new Map();
  readonly variables = new Map<string, PropertyValue>();

  readonly faultStack: FaultHandler[] = [];
  /** The waiting client; absent for messages that came from a store or a task. */
  exchange: Exchange | undefined;
  /** Fault handlers that were asked so far; bounds fault handling that fails without end. */
  faultsHandled = 0;
  /** Takes responses of this flow back in: the proxy service (or API) that received the request (spec proxies 4.8). */
  responseReceiver: ResponseReceiver | undefined;
  /** Sequences entered and not yet left; bounds recursion (REQ-25). */
  sequenceDepth = 0;
  /** Who entered those sequences, the innermost last; see `src/mediation/continuation.ts`. */
  readonly callers: Caller[] = [];
  /** The answer of a non-blocking call has been taken in: a part of a message that has, goes on after its splitter (spec mediators 2.6). */
  resumed = false;
  /** The innermost splitting that this message is a part of, or the answer to one. */
  split: Split | undefined;
  /** What it was made of by splitting, cloning or branching, and is bounded by. */
  lineage: Lineage | undefined;
  /** The templates entered and not yet left, the innermost last (spec mediators 3.21). */
  readonly templateFrames: TemplateFrame[] = [];
  /** The mediator that runs, or ran last: where log lines about the message say that it is (OP-70). */
  at: MessagePlace | undefined;
  /** Whoever follows it step by step (OP-46). */
  trace: MessageTrace | undefined;
  /** Its OpenTelemetry span (OP-73). */
  span: FlowSpan | undefined;

  constructor(configuration: Configuration, payload: Payload, messageId?: string) {
    this.configuration = configuration;
    this.payload = payload;
    this.#messageId = messageId;
  }

  /** `urn:uuid:…`; given on receipt, kept by copies only where a spec says so. */
  get messageId(): string {
    this.#messageId ??= newMessageId();
    return this.#messageId;
  }
  set messageId(id: string) {
    this.#messageId = id;
  }

  /** The text of a default-scope property, or undefined. */
  text(name: string): string | undefined {
    const value = this.properties.get(name);
    return typeof value === 'string' ? value : value === undefined ? undefined : String(value);
  }

  /**
   * A parameter of the innermost template (`$func:name`); null when it is not set, and outside of templates (MREQ-42).
   * @throws MediationError when the parameter is an expression that fails
   */
  functionParameter(name: string): PropertyValue | null {
    const frame = this.templateFrames.at(-1);
    const value = frame?.parameters.get(name);
    if (!frame || value === undefined) return null;
    if (typeof value !== 'function') return value;
    // What it was called with is an expression of the caller, who may be a template with a parameter of the same name.
    this.templateFrames.pop();
    try {
      return value(this);
    } finally {
      this.templateFrames.push(frame);
    }
  }

  /**
   * A copy that goes its own way (spec mediators 2.7): a new id, the same client, and everything that mediators can see or change of
   * its own. Bytes and text of the payload are shared. Properties `aggregateCorelation` and `correlation_id` say where it comes from.
   * @param payload default: a copy of this message's
   */
  copy(payload: Payload = this.payload.clone()): MessageContext {
    const copy = new MessageContext(this.configuration, payload);
    copy.direction = this.direction;
    copy.to = this.to;
    copy.from = this.from;
    copy.replyTo = this.replyTo;
    copy.faultTo = this.faultTo;
    copy.relatesTo = this.relatesTo;
    copy.action = this.action;
    copy.doingRest = this.doingRest;
    copy.operation = this.operation;
    copy.exchange = this.exchange;
    copy.responseReceiver = this.responseReceiver;
    copy.headers = this.headers.clone();
    copyValues(this.properties, copy.properties);
    copyValues(this.axis2, copy.axis2);
    copyValues(this.axis2Client, copy.axis2Client);
    copyValues(this.variables, copy.variables);
    copy.faultStack.push(...this.faultStack);
    copy.templateFrames.push(...this.templateFrames);
    copy.callers.push(...this.callers);
    copy.sequenceDepth = this.sequenceDepth;
    copy.resumed = this.resumed;
    copy.split = this.split;
    copy.lineage = this.lineage;
    copy.faultsHandled = this.faultsHandled;
    copy.at = this.at;
    copy.trace = this.trace?.fork();
    copy.span = this.span;
    copy.properties.set(ORIGINAL_ID, this.messageId);
    const correlationId = this.axis2.get('correlation_id');
    if (correlationId !== undefined) copy.axis2.set('correlation_id', `${correlationId}_${randomUUID()}`);
    return copy;
  }

  /**
   * The context of the answer to this message: default scope, variables, operation scope, client and direction rules carry over;
   * axis2 scope, headers and fault stack are the answer's own (spec proxies 3.1).
   */
  responseContext(payload: Payload): MessageContext {
    const response = new MessageContext(this.configuration, payload);
    response.direction = 'response';
    response.relatesTo = this.messageId;
    response.doingRest = this.doingRest;
    copyInto(this.properties, response.properties);
    copyInto(this.variables, response.variables);
    response.operation = this.operation;
    response.exchange = this.exchange;
    response.responseReceiver = this.responseReceiver;
    response.split = this.split;
    response.lineage = this.lineage;
    response.faultsHandled = this.faultsHandled;
    response.replyTo = this.replyTo;
    response.faultTo = this.faultTo;
    response.at = this.at;
    response.trace = this.trace?.fork();
    response.span = this.span;
    const correlation = this.axis2.get('correlation_id');
    if (correlation !== undefined) response.axis2.set('correlation_id', correlation);
    return response;
  }
}

/** Where the answers to a flow's sends go. */
export interface ResponseReceiver {
  /** True when nobody on the way of the answer to this request reads its body; absent: somebody may. */
  passesAnswer?(request: MessageContext): boolean;
  injectResponse(response: MessageContext): Promise<void>;
}

function newMessageId(): string {
  return `urn:uuid:${randomUUID()}`;
}

function copyInto<V>(from: ReadonlyMap<string, V>, to: Map<string, V>): void {
  for (const [name, value] of from) to.set(name, value);
}
