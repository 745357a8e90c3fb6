import { readEndpoint } from '../endpoints/index.ts';
import { compileExpression } from '../expressions/compile-expression.ts';
import { DESCRIPTION, nonEmptyText, readAttributes, ValueError } from '../grammar/attributes.ts';
import type { ConfigElement } from '../grammar/element.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import { type EventFilter, EventSource, type Subscription, type TopicHeader } from '../mediation/event-source.ts';

const ATTRIBUTES = { name: nonEmptyText({ required: true, doc: 'Its name.' }), description: DESCRIPTION } as const;
const IN_MEMORY = 'org.apache.synapse.eventing.managers.DefaultInMemorySubscriptionManager';
const TOPIC_DIALECT = 'http://synapse.apache.org/eventing/dialect/topicFilter';
const XPATH_DIALECTS = [
  'http://www.w3.org/TR/1999/REC-xpath-19991116',
  'http://synapse.apache.org/eventing/dialect/xpath',
];

/**
 * Reads an `<eventSource>`; undefined after an error. Its subscriptions are those that it is written with: requests to subscribe, of
 * WS-Eventing, are not taken.
 */
export function readEventSource(element: ConfigElement, reader: ArtifactReader): EventSource | undefined {
  const attributes = readAttributes(element, ATTRIBUTES, reader);
  reader.warnUnknownChildren(element, ['subscriptionManager', 'subscription', 'description']);
  const manager = element.child('subscriptionManager');
  if (!manager) {
    reader.error(element, 'an event source needs a subscription manager', {
      expected: `<subscriptionManager class="${IN_MEMORY}">`,
    });
    return undefined;
  }
  if (manager.attribute('class') !== IN_MEMORY) {
    reader.warning(manager, 'subscriptions are not kept outside of the artifact: the manager in memory is used', {
      attribute: 'class',
      expected: IN_MEMORY,
    });
  }
  const inside = [...element.childrenNamed('subscription'), ...manager.childrenNamed('subscription')];
  const read = inside.map((child) => readSubscription(child, reader));
  const subscriptions = read.filter((subscription) => subscription !== undefined);
  if (!attributes || subscriptions.length < read.length) return undefined;
  return new EventSource(attributes.name, subscriptions, topicHeader(manager));
}

function topicHeader(manager: ConfigElement): TopicHeader | undefined {
  const value = (name: string) =>
    manager
      .childrenNamed('property')
      .find((property) => property.attribute('name') === name)
      ?.attribute('value');
  const name = value('topicHeaderName')?.trim();
  return name ? { name, namespace: value('topicHeaderNS')?.trim() ?? '' } : undefined;
}

function readSubscription(element: ConfigElement, reader: ArtifactReader): Subscription | undefined {
  reader.warnUnknownChildren(element, ['filter', 'endpoint', 'expires']);
  const id = element.attribute('id')?.trim();
  if (!id) reader.error(element, 'a subscription needs an id', { expected: 'id="…"' });
  const written = element.child('endpoint');
  if (!written) reader.error(element, 'a subscription needs an endpoint', { expected: '<endpoint>…</endpoint>' });
  const endpoint = written && readEndpoint(written, reader, { named: false });
  const filter = readFilter(element.child('filter'), reader);
  const expiresAt = readExpiry(element.child('expires'), reader);
  if (!id || !endpoint || filter === 'invalid' || expiresAt === 'invalid') return undefined;
  return { id, endpoint, filter, expiresAt };
}

function readFilter(element: ConfigElement | undefined, reader: ArtifactReader): EventFilter | undefined | 'invalid' {
  const source = element?.attribute('source')?.trim();
  if (!element || !source) return undefined;
  const dialect = element.attribute('dialect')?.trim() ?? TOPIC_DIALECT;
  if (dialect === TOPIC_DIALECT) return { kind: 'topic', topic: source };
  if (!XPATH_DIALECTS.includes(dialect)) {
    reader.error(element, `the filter dialect '${dialect}' is not supported`, {
      attribute: 'dialect',
      expected: `one of: ${[TOPIC_DIALECT, ...XPATH_DIALECTS].join(', ')}`,
    });
    return 'invalid';
  }
  try {
    return { kind: 'xpath', expression: compileExpression(source, element.prefixes()) };
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    reader.error(element, error.message, { attribute: 'source', expected: error.expected ?? 'an XPath expression' });
    return 'invalid';
  }
}

function readExpiry(element: ConfigElement | undefined, reader: ArtifactReader): number | undefined | 'invalid' {
  const written = element?.text.trim();
  if (!element || !written || written === '*') return undefined;
  const time = Date.parse(written);
  if (Number.isFinite(time)) return time;
  reader.error(element, `'${written}' is no time`, { expected: 'a time as 2030-12-31T23:59:59Z' });
  return 'invalid';
}
