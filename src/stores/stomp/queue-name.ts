import { AddressError } from './address.ts';

const MAX_LENGTH = 1_000;

/**
 * The queue that a `store.jms.destination` means: the one that a `queue.<destination>` parameter names (JNDI of ActiveMQ and
 * Artemis), else the destination itself, without the prefixes `dynamicQueues/` and `queue://`.
 * @throws AddressError for topics, and for names that a broker reads as something else
 */
export function queueName(destination: string, parameters: ReadonlyMap<string, string>): string {
  if (parameters.has(`topic.${destination}`) || /^(dynamicTopics\/|topic:\/\/)/.test(destination)) {
    throw new AddressError(`'${destination}' is a topic; message stores need a queue`);
  }
  const mapped = parameters.get(`queue.${destination}`);
  const name = (mapped === undefined || mapped === '' ? destination : mapped).replace(
    /^(dynamicQueues\/|queue:\/\/)/,
    '',
  );
  const problem = problemOf(name);
  if (problem !== undefined) throw new AddressError(`'${name}' is not usable as the name of a queue: ${problem}`);
  return name;
}

/** ActiveMQ answers none of these with an error: it makes several queues, or another one, of them. */
function problemOf(name: string): string | undefined {
  if (name.trim() === '') return 'it is empty';
  if (name.length > MAX_LENGTH) return `it is longer than ${MAX_LENGTH} characters`;
  if (/[\u0000-\u001f\u007f]/.test(name)) return 'it contains control characters';
  if (name.includes(',')) return "',' separates several destinations";
  if (name.includes('?')) return "what follows '?' is cut off as options";
  if (/[*>]/.test(name)) return "'*' and '>' stand for many queues";
  return undefined;
}

/** By the `server` header of CONNECTED. */
export function isArtemis(server: string): boolean {
  return /artemis/i.test(server);
}

/** How a broker wants queues to be named over STOMP; one of the types is Artemis'. */
export interface QueueHeaders {
  readonly destination: string;
  readonly 'destination-type'?: string;
  readonly 'subscription-type'?: string;
}

/**
 * To send to a queue. `server` is the header of CONNECTED. Artemis takes the name alone and makes a topic of it unless it is told
 * otherwise, everybody else takes `/queue/NAME`.
 */
export function queueHeaders(queue: string, server: string): QueueHeaders {
  return isArtemis(server) ? { destination: queue, 'destination-type': 'ANYCAST' } : { destination: `/queue/${queue}` };
}

/** The same to subscribe to it. */
export function subscribedQueue(queue: string, server: string): QueueHeaders {
  return isArtemis(server)
    ? { destination: queue, 'subscription-type': 'ANYCAST' }
    : { destination: `/queue/${queue}` };
}
