import { randomUUID } from 'node:crypto';
import type { Configuration } from './configuration.ts';
import type { Exchange } from './exchange.ts';
import { TransportHeaders } from './headers.ts';
import type { Payload } from './payload.ts';
import type { PropertyValue } from './property-value.ts';

export type Direction = 'request' | 'response';

/** Something that handles a fault of a message; the last one pushed is asked first (spec proxies 4.9). */
export interface FaultHandler {
  /** For the log, for example `onError sequence 'x'`. */
  readonly description: string;
  handleFault(message: MessageContext): Promise<void>;
}

/**
 * One message on its way through the server (spec proxies 3.1): payload, addressing, the property scopes, the fault stack, and the
 * configuration snapshot it started with. Parsing nothing and owning nothing that needs closing, it is cheap to make.
 */
export class MessageContext {
  readonly configuration: Configuration;
  /** `urn:uuid:…`; given on receipt, kept by copies only where a spec says so. */
  messageId: string;
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
  /** Takes responses of this flow back in: the proxy service (or API) that received the request (spec proxies 4.8). */
  responseReceiver: ResponseReceiver | undefined;
  /** Sequences entered and not yet left; bounds recursion (REQ-25). */
  sequenceDepth = 0;

  constructor(configuration: Configuration, payload: Payload, messageId: string = newMessageId()) {
    this.configuration = configuration;
    this.payload = payload;
    this.messageId = messageId;
  }

  /** The text of a default-scope property, or undefined. */
  text(name: string): string | undefined {
    const value = this.properties.get(name);
    return typeof value === 'string' ? value : value === undefined ? undefined : String(value);
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
    response.replyTo = this.replyTo;
    response.faultTo = this.faultTo;
    const correlation = this.axis2.get('correlation_id');
    if (correlation !== undefined) response.axis2.set('correlation_id', correlation);
    return response;
  }
}

/** Where the answers to a flow's sends go. */
export interface ResponseReceiver {
  injectResponse(response: MessageContext): Promise<void>;
}

export function newMessageId(): string {
  return `urn:uuid:${randomUUID()}`;
}

function copyInto<V>(from: ReadonlyMap<string, V>, to: Map<string, V>): void {
  for (const [name, value] of from) to.set(name, value);
}
