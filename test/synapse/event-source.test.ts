import { describe, expect, test } from 'vitest';
import { ArtifactReader } from '../../src/grammar/reader.ts';
import type { EventSource } from '../../src/mediation/event-source.ts';
import { readEventSource } from '../../src/synapse/event-source.ts';
import { element, FakeConfiguration, logged, message, problemLines, sequence } from '../mediation/harness.ts';

const MANAGER = `<subscriptionManager class="org.apache.synapse.eventing.managers.DefaultInMemorySubscriptionManager">
  <property name="topicHeaderName" value="Topic"/><property name="topicHeaderNS" value="urn:t"/></subscriptionManager>`;
const TOPIC = 'dialect="http://synapse.apache.org/eventing/dialect/topicFilter"';

function subscription(id: string, filter = '', more = ''): string {
  return `<subscription id="${id}">${filter}<endpoint><address uri="http://${id}/s"/></endpoint>${more}</subscription>`;
}

function read(inside: string): { readonly source: EventSource | undefined; readonly problems: readonly string[] } {
  const reader = new ArtifactReader();
  const source = readEventSource(element(`<eventSource name="S">${inside}</eventSource>`), reader);
  return { source, problems: reader.diagnostics.map(({ severity, message: text }) => `${severity}: ${text}`) };
}

async function publish(inside: string, body: string): Promise<readonly string[]> {
  const { source, problems } = read(inside);
  expect(problems).toEqual([]);
  const configuration = new FakeConfiguration(source ? { eventSource: { S: source } } : {});
  const context = message({ configuration, body, contentType: 'text/xml' });
  expect(await sequence('<eventPublisher eventSourceName="S"/>').mediate(context)).toBe(true);
  expect(await configuration.flows.idle(5_000)).toBe(true);
  return configuration.sender.requests.map(({ url }) => new URL(url).hostname).sort();
}

const soap = (topic: string, content: string) =>
  `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header><t:Topic xmlns:t="urn:t">${topic}</t:Topic></s:Header><s:Body>${content}</s:Body></s:Envelope>`;

describe('event sources', () => {
  test('whoever has subscribed gets a copy, by topic or expression, until the subscription ends', async () => {
    const xpath = 'dialect="http://www.w3.org/TR/1999/REC-xpath-19991116"';
    const source =
      MANAGER +
      subscription('all') +
      subscription('news', `<filter source="news" ${TOPIC}/>`) +
      subscription('other', `<filter source="new" ${TOPIC}/>`) +
      subscription('big', `<filter source="//size &gt; 5" ${xpath}/>`) +
      subscription('small', `<filter source="//size &lt; 5" ${xpath}/>`) +
      subscription('past', '', '<expires>2001-01-01T00:00:00Z</expires>') +
      subscription('future', '', '<expires>2901-01-01T00:00:00Z</expires>');
    expect(await publish(source, soap('news/sport', '<size>7</size>'))).toEqual(['all', 'big', 'future', 'news']);
    expect(await publish(source, soap('news', '<size>1</size>'))).toEqual(['all', 'future', 'news', 'small']);
  });

  test('one without subscribers, and one that is not there', async () => {
    expect(await publish(MANAGER, soap('a', ''))).toEqual([]);
    const records = await logged(() => sequence('<eventPublisher eventSourceName="Nope"/>').mediate(message()));
    expect(records.map(({ message: text }) => text)).toContain("The event source 'Nope' cannot be found");
    expect(problemLines('<eventPublisher/>')).toContain(
      "error: The 'eventSourceName' attribute is required for the EventPublisher mediator",
    );
  });

  test.each([
    ['', ['error: an event source needs a subscription manager']],
    [`${MANAGER}<subscription id="a"/>`, ['error: a subscription needs an endpoint']],
    [`${MANAGER}${subscription('')}`, ['error: a subscription needs an id']],
    [
      MANAGER + subscription('a', '<filter source="x" dialect="urn:odd"/>'),
      ["error: the filter dialect 'urn:odd' is not supported"],
    ],
    [MANAGER + subscription('a', '', '<expires>soon</expires>'), ["error: 'soon' is no time"]],
    [
      '<subscriptionManager class="org.example.Registry"/>',
      ['warning: subscriptions are not kept outside of the artifact: the manager in memory is used'],
    ],
  ])('%s', (inside, problems) => {
    expect(read(inside).problems).toEqual(problems);
  });
});
