import type { Channel } from 'amqplib';
import { within } from '../broker/deadline.ts';
import { type AmqpConnection, messageOf } from './connection.ts';

/** Where a store's messages go and lie (spec stores 2.5). */
export interface Topology {
  readonly queue: string;
  /** Undefined: what the broker makes of a queue without arguments. */
  readonly queueType: 'classic' | 'quorum' | undefined;
  /** Undefined: the default exchange, which leads to the queue that the routing key names. */
  readonly exchange: string | undefined;
  readonly routingKey: string;
}

/** What was there and what had to be made. */
export interface Preparation {
  readonly queue: 'found' | 'declared';
  /** Why the queue could not be bound; what is bound already is used all the same. */
  readonly notBound: string | undefined;
}

/** The broker does not let us have the queue or the exchange. */
export class TopologyError extends Error {
  override readonly name = 'TopologyError';
}

const STEP_DEADLINE_MS = 4_000;
const ACCESS_REFUSED = 403;
const NOT_FOUND = 404;
const PRECONDITION_FAILED = 406;

/**
 * Makes sure that the queue, the exchange and the binding are there. What exists is used as it is, whatever its arguments: only
 * what is missing is declared, durable.
 * @throws TopologyError, AmqpLostError
 */
export async function prepareTopology(connection: AmqpConnection, topology: Topology): Promise<Preparation> {
  const queue = await prepareQueue(connection, topology);
  const { exchange } = topology;
  if (exchange === undefined) return { queue, notBound: undefined };
  if (!exchange.startsWith('amq.')) await prepareExchange(connection, exchange);
  return { queue, notBound: await bind(connection, topology, exchange) };
}

async function prepareQueue(connection: AmqpConnection, { queue, queueType }: Topology): Promise<'found' | 'declared'> {
  const found = await attempt(connection, (channel) => channel.checkQueue(queue));
  if (found.code === undefined) return 'found';
  if (found.code !== NOT_FOUND) throw refused('queue', queue, found);
  const options = { durable: true, ...(queueType && { arguments: { 'x-queue-type': queueType } }) };
  const declared = await attempt(connection, (channel) => channel.assertQueue(queue, options));
  if (declared.code === undefined) return 'declared';
  // Somebody else has declared it in between, with other arguments.
  if (declared.code === PRECONDITION_FAILED) {
    const again = await attempt(connection, (channel) => channel.checkQueue(queue));
    if (again.code === undefined) return 'found';
  }
  throw refused('queue', queue, declared);
}

async function prepareExchange(connection: AmqpConnection, exchange: string): Promise<void> {
  const found = await attempt(connection, (channel) => channel.checkExchange(exchange));
  if (found.code === undefined) return;
  if (found.code !== NOT_FOUND) throw refused('exchange', exchange, found);
  const declared = await attempt(connection, (channel) =>
    channel.assertExchange(exchange, 'direct', { durable: true }),
  );
  if (declared.code !== undefined && declared.code !== PRECONDITION_FAILED)
    throw refused('exchange', exchange, declared);
}

async function bind(connection: AmqpConnection, topology: Topology, exchange: string): Promise<string | undefined> {
  const bound = await attempt(connection, (channel) =>
    channel.bindQueue(topology.queue, exchange, topology.routingKey),
  );
  if (bound.code === undefined) return undefined;
  if (bound.code === ACCESS_REFUSED) return bound.reason;
  throw refused('exchange', exchange, bound);
}

function refused(what: string, name: string, { reason }: Answer): TopologyError {
  return new TopologyError(`${what} '${name}': ${reason}`);
}

/** What the broker answered: nothing to complain about, or a code that has closed the channel. */
export interface Answer {
  readonly code: number | undefined;
  readonly reason: string;
}

/** Asks on a channel of its own, as every refusal closes the channel. @throws AmqpLostError, DeadlineError */
export async function attempt(
  connection: AmqpConnection,
  ask: (channel: Channel) => Promise<unknown>,
): Promise<Answer> {
  const channel = await within(connection.channel(), STEP_DEADLINE_MS, 'a channel');
  try {
    await within(ask(channel), STEP_DEADLINE_MS, 'an answer of the broker');
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (typeof code === 'number') return { code, reason: messageOf(error) };
    throw connection.lost ?? error;
  }
  await within(channel.close(), STEP_DEADLINE_MS, 'the end of a channel');
  return { code: undefined, reason: '' };
}
