import { expect, test } from 'vitest';
import { REFUSED_MEDIATORS } from '../../src/mediators/refused.ts';
import { logged, message, problemLines, problems, sequence } from '../mediation/harness.ts';

test.each(REFUSED_MEDIATORS.map(({ element }) => element))(
  '<%s> is one error that says what to do instead (MREQ-45)',
  (element) => {
    const found = problems(`<log/>\n<${element} any="1"><child/></${element}>`);
    expect(found).toHaveLength(1);
    expect(found[0]?.message).toMatch(new RegExp(`^mediator <${element}> is not supported: .{20}`));
    expect(found[0]?.position).toMatchObject({ file: 'test.xml', line: 2, column: 1 });
  },
);

test('publishEvent is accepted, says that nobody listens, and goes on', async () => {
  const event =
    '<publishEvent><streamName>s</streamName><streamVersion>1</streamVersion><eventSink>e</eventSink><attributes/></publishEvent>';
  expect(problemLines(event)).toEqual(['warning: there is no analytics server: events are not delivered']);
  const records = await logged(async () => {
    expect(await sequence(event).mediate(message())).toBe(true);
  });
  expect(records.map(({ message }) => message)).toContain("An event of the stream 's' is not sent");
  expect(problemLines('<publishEvent/>')).toContain('error: <streamName> is required in <publishEvent>');
});

test('eventPublisher needs the name of an event source', () => {
  expect(problemLines('<eventPublisher/>')).toContain(
    "error: The 'eventSourceName' attribute is required for the EventPublisher mediator",
  );
});
