import type { AmqpConnection } from './connection.ts';
import { attempt } from './topology.ts';

/*
 * AMQP does not tell the arguments of a queue. But a broker that is asked to declare a queue which exists with other arguments
 * refuses, and says in its refusal what the present value of the first differing one is. So the question is asked with values that
 * no queue has, and asked again with what was learnt, until the wanted one comes up.
 */

/** What is known of a queue that exists. */
export interface QueueInspection {
  readonly durable: boolean;
  readonly quorum: boolean;
  /** How often a message may be delivered before the broker drops or dead-letters it; undefined: without end. */
  readonly deliveryLimit: number | undefined;
  readonly deadLetterExchange: string | undefined;
}

/** One refusal, understood. */
export interface Difference {
  readonly argument: string;
  /** Undefined: it has none. */
  readonly current: string | undefined;
}

const PRECONDITION_FAILED = 406;
/** A queue has no more arguments that are compared before the delivery limit. */
const MOST_QUESTIONS = 10;
/** From this version on a quorum queue has a limit when it is not given one. */
const VERSION_WITH_DEFAULT_LIMIT = 4;
const DEFAULT_LIMIT = 20;

/** Undefined when it cannot be found out: not allowed, gone, or answered in other words. */
export async function inspectQueue(connection: AmqpConnection, queue: string): Promise<QueueInspection | undefined> {
  // A message TTL below zero: should the queue be gone by now, the question must not make it.
  const asked: Record<string, unknown> = { 'x-queue-type': 'quorum', 'x-delivery-limit': '?', 'x-message-ttl': -1 };
  let deadLetterExchange: string | undefined;
  for (let question = 0; question < MOST_QUESTIONS; question += 1) {
    const { code, reason } = await attempt(connection, (channel) =>
      channel.assertQueue(queue, { durable: true, arguments: asked }),
    );
    const difference = code === PRECONDITION_FAILED ? readDifference(reason) : undefined;
    if (!difference) return undefined;
    const { argument, current } = difference;
    switch (argument) {
      case 'durable':
        return { durable: false, quorum: false, deliveryLimit: undefined, deadLetterExchange };
      case 'x-queue-type':
        return { durable: true, quorum: false, deliveryLimit: undefined, deadLetterExchange };
      case 'x-delivery-limit': {
        const deliveryLimit = limitOf(current, connection.serverVersion);
        return { durable: true, quorum: true, deliveryLimit, deadLetterExchange };
      }
      case 'x-dead-letter-exchange':
        deadLetterExchange = current;
    }
    if (current === undefined) delete asked[argument];
    else asked[argument] = /^-?\d{1,15}$/.test(current) ? Number(current) : current;
  }
  return undefined;
}

/** What a quorum queue has that was declared without arguments. */
export function limitOf(written: string | undefined, serverVersion: string): number | undefined {
  const limit = written === undefined ? undefined : Number(written);
  if (limit !== undefined && Number.isInteger(limit)) return limit < 0 ? undefined : limit;
  return Number.parseInt(serverVersion, 10) >= VERSION_WITH_DEFAULT_LIMIT ? DEFAULT_LIMIT : undefined;
}

/** `inequivalent arg 'x' for queue 'q' in vhost '/': received … but current is none | '3' | the value 'dlx' of type 'longstr'` */
export function readDifference(reason: string): Difference | undefined {
  const [, argument, current = ''] = /inequivalent arg '([^']+)'.* but current is (.+?)"?$/s.exec(reason) ?? [];
  if (argument === undefined) return undefined;
  if (/^none\b/.test(current)) return { argument, current: undefined };
  const value = /'(.*)' of type '\w+'/s.exec(current)?.[1] ?? /^'(.*)'/s.exec(current)?.[1];
  return value === undefined ? undefined : { argument, current: value };
}
