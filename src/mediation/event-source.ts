import type { Endpoint } from '../endpoints/endpoint.ts';
import type { Expression } from '../expressions/expression.ts';
import { logger } from '../logging/index.ts';
import { MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';
import { elementChildren } from '../xml/index.ts';
import { aboutMessage } from './about-message.ts';
import { startSend } from './send.ts';

declare module '../message/configuration.ts' {
  interface ArtifactKinds {
    eventSource: EventSource;
  }
}

const log = logger('EventSource');

/** Which events a subscriber gets. */
export type EventFilter =
  /** Those of a topic and of the topics below it, `a/b` being below `a`. */
  { readonly kind: 'topic'; readonly topic: string } | { readonly kind: 'xpath'; readonly expression: Expression };

/** A subscription that is written in the artifact. */
export interface Subscription {
  readonly id: string;
  /** Undefined: all events. */
  readonly filter: EventFilter | undefined;
  readonly endpoint: Endpoint;
  /** Epoch ms; undefined: never. */
  readonly expiresAt: number | undefined;
}

/** Where the topic of an event stands: a block of the SOAP header. */
export interface TopicHeader {
  readonly name: string;
  readonly namespace: string;
}

/** An `<eventSource>`: whoever has subscribed gets a copy of every message that is published there (spec mediators 3.41). */
export class EventSource {
  readonly name: string;
  readonly subscriptions: readonly Subscription[];
  readonly #topicHeader: TopicHeader | undefined;

  constructor(name: string, subscriptions: readonly Subscription[], topicHeader: TopicHeader | undefined) {
    this.name = name;
    this.subscriptions = subscriptions;
    this.#topicHeader = topicHeader;
  }

  /** Sends a copy to each subscriber; does not wait for them. A failure is one of the copy's flow. */
  publish(message: MessageContext): void {
    const now = Date.now();
    const topic = this.#topicOf(message);
    for (const { id, filter, endpoint, expiresAt } of this.subscriptions) {
      if (expiresAt !== undefined && expiresAt <= now) continue;
      if (!matches(filter, topic, message, id)) continue;
      const copy = message.copy();
      // Nobody waits for what a subscriber answers.
      copy.exchange = undefined;
      copy.faultStack.length = 0;
      copy.properties.set('OUT_ONLY', 'true');
      startSend(copy, endpoint);
    }
  }

  #topicOf({ payload }: MessageContext): string | undefined {
    const header = this.#topicHeader;
    if (!header) return undefined;
    const blocks = payload.header();
    const block = blocks && elementChildren(blocks).find((child) => isHeader(child, header));
    return block?.textContent?.trim();
  }
}

function isHeader(child: { localName: string | null; namespaceURI: string | null }, { name, namespace }: TopicHeader) {
  return child.localName === name && (child.namespaceURI ?? '') === namespace;
}

function matches(
  filter: EventFilter | undefined,
  topic: string | undefined,
  message: MessageContext,
  id: string,
): boolean {
  if (!filter) return true;
  if (filter.kind === 'topic') return topic === filter.topic || topic?.startsWith(`${filter.topic}/`) === true;
  try {
    return filter.expression.booleanValue(message);
  } catch (error) {
    if (!(error instanceof MediationError)) throw error;
    log.warn(`The filter of subscription '${id}' failed: ${error.message}`, aboutMessage(message));
    return false;
  }
}
