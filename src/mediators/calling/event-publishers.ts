import { nonEmptyText } from '../../grammar/attributes.ts';
import { logger } from '../../logging/index.ts';
import { aboutMessage } from '../../mediation/about-message.ts';
import { mediator } from '../../mediation/component.ts';

/** Publishes the message: each subscriber of an event source gets a copy (spec mediators 3.41). */
export const eventPublisher = mediator({
  element: 'eventPublisher',
  doc: 'Sends a copy of the message to each subscriber of an event source.',
  attributes: {
    eventSourceName: nonEmptyText({
      required: true,
      missing: "The 'eventSourceName' attribute is required for the EventPublisher mediator",
      doc: 'The event source.',
    }),
  },
  compile({ attributes: { eventSourceName }, element, reader }) {
    reader.refer('eventSource', eventSourceName, element, 'eventSourceName');
    return (message) => {
      const source = message.configuration.find('eventSource', eventSourceName);
      if (source) source.publish(message);
      else publisherLog.warn(`The event source '${eventSourceName}' cannot be found`, aboutMessage(message));
      return true;
    };
  },
});

const publisherLog = logger('EventPublisherMediator');
const analyticsLog = logger('PublishEventMediator');

/** Sends a record to an analytics server of WSO2. There is none here; as in the reference, the flow goes on (spec mediators 3.41). */
export const publishEvent = mediator({
  element: 'publishEvent',
  doc: 'Accepted: there is no analytics server, so the record is only mentioned in the log.',
  attributes: {},
  children: ['streamName', 'streamVersion', 'eventSink', 'async', 'attributes'],
  compile({ element, reader }) {
    for (const name of ['streamName', 'streamVersion', 'eventSink', 'attributes']) {
      if (!element.child(name))
        reader.error(element, `<${name}> is required in <publishEvent>`, { expected: `<${name}>` });
    }
    const stream = element.child('streamName')?.text.trim() ?? '';
    reader.warning(element, 'there is no analytics server: events are not delivered');
    return (message) => {
      analyticsLog.info(`An event of the stream '${stream}' is not sent`, aboutMessage(message));
      return true;
    };
  },
});
