import { within } from '../broker/deadline.ts';
import type { StompConnection } from './connection.ts';

const DEADLINE_MS = 1_000;
const MAX_ANSWER_BYTES = 64 * 1024;
const QUESTIONS = '/queue/ActiveMQ.Statistics.Destination.';
const ANSWERS = '/temp-queue/statistics';
/** The plug-in answers with a map message; the broker writes it as JSON of XStream. */
const SIZE = /\{"string":"size","long":(\d+)\}|\{"long":(\d+),"string":"size"\}/;

/**
 * The number of messages on a queue as ActiveMQ's StatisticsBrokerPlugin tells it: exact, those in others' hands included, at no cost
 * however long the queue is. Undefined when nobody answers: the broker has no such plug-in. The question is gone after a second then.
 */
export async function queueStatistics(connection: StompConnection, queue: string): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  const answers = connection.subscribe(
    { destination: ANSWERS, ack: 'auto', transformation: 'jms-map-json' },
    ({ body }) => resolve(sizeIn(body.toString('utf8'))),
    { maxBodyBytes: MAX_ANSWER_BYTES },
  );
  void connection.ended.then(() => resolve(undefined));
  const question = {
    destination: `${QUESTIONS}${queue}`,
    'reply-to': ANSWERS,
    persistent: 'false',
    expires: String(Date.now() + DEADLINE_MS),
  };
  const asked = answers.confirmed.then(() => connection.request('SEND', question));
  asked.catch(() => resolve(undefined));
  return within(promise, DEADLINE_MS, 'the statistics').catch(() => undefined);
}

function sizeIn(answer: string): number | undefined {
  const [, first, second] = SIZE.exec(answer) ?? [];
  const size = first ?? second;
  return size === undefined ? undefined : Number(size);
}
