/**
 * LBService1 and LBService2, the back ends of the load-balancing and failover samples (stockquote-samples 1.13). They take raw XML:
 * the operation receives the first body element, replaces a text in it, and the same element is the answer.
 */

import { elementChildren, serializeXml, textOf, type XmlElement } from '../../../src/xml/index.ts';
import { parseInteger } from '../wire/java-text.ts';
import { invocationFault, ServiceFault } from './fault.ts';
import { type Operation, operationsByName, type SampleService, type World } from './operation.ts';
import type { Message } from './request.ts';

/** Longest sleep that a request may ask for, milliseconds. */
const MAX_SLEEP_MS = 600_000;
/** Most `Iteration` lines that a request may ask for. */
const MAX_ITERATIONS = 100_000;
/** Sessions remembered; the one that was started first goes first. */
const MAX_SESSIONS = 10_000;

/** The stateless service. */
export function loadBalanceService1(): SampleService {
  const answer = (world: World) =>
    world.serverName === undefined ? 'Response from anonymous server' : `Response from server: ${world.serverName}`;
  return {
    name: 'LBService1',
    operations: operationsByName([
      textOperation('sampleOperation', (_message, world) => answer(world)),
      textOperation('setClientName', () => 'Sessions are not supported in this service.'),
      loadedOperation('sleepOperation', sleep, (_message, world) => ({ text: answer(world) })),
      loadedOperation('loadOperation', iterate, (_message, world) => ({ text: answer(world) })),
    ]),
  };
}

interface Session {
  readonly id: string;
  client: string;
  requests: number;
}

/** The stateful twin: one session per HTTP cookie. */
export function loadBalanceService2(): SampleService {
  const sessions = new Map<string, Session>();
  const sessionOf = (message: Message): Session => {
    const known = message.sessionId === undefined ? undefined : sessions.get(message.sessionId);
    if (known) return known;
    const session: Session = { id: crypto.randomUUID(), client: 'anonymous', requests: 0 };
    if (sessions.size >= MAX_SESSIONS) sessions.delete(sessions.keys().next().value ?? '');
    sessions.set(session.id, session);
    return session;
  };
  const count = (message: Message, world: World) => {
    const session = sessionOf(message);
    session.requests += 1;
    const server = world.serverName ?? 'anonymous';
    const text = `Server: ${server} processed the request ${session.requests} from client: ${session.client}`;
    world.print(text);
    return { text, sessionId: session.id };
  };
  return {
    name: 'LBService2',
    operations: operationsByName([
      {
        name: 'setClientName',
        oneWay: false,
        run(message, world) {
          const element = payloadOf(message, 'setClientName');
          const session = sessionOf(message);
          session.client = textOf(element);
          element.textContent = `Server ${world.serverName ?? 'anonymous'} started a session with client ${session.client}`;
          return { body: serializeXml(element), sessionId: session.id };
        },
      },
      loadedOperation('sleepOperation', sleep, count),
      loadedOperation('loadOperation', iterate, count),
    ]),
  };
}

function textOperation(name: string, answer: (message: Message, world: World) => string): Operation {
  return {
    name,
    oneWay: false,
    run(message, world) {
      const element = payloadOf(message, name);
      element.textContent = answer(message, world);
      return { body: serializeXml(element) };
    },
  };
}

function loadedOperation(
  name: string,
  work: (load: number, world: World) => Promise<void>,
  answer: (message: Message, world: World) => { text: string; sessionId?: string },
): Operation {
  return {
    name,
    oneWay: false,
    async run(message, world) {
      const element = payloadOf(message, name);
      const loadElement = elementChildren(element).find((child) => child.localName === 'load');
      if (!loadElement) throw invocationFault(name);
      const load = parseInteger(textOf(loadElement));
      if (load === undefined) throw new ServiceFault(`For input string: "${textOf(loadElement)}"`);
      await work(load, world);
      const { text, ...session } = answer(message, world);
      loadElement.textContent = text;
      return { body: serializeXml(element), ...session };
    },
  };
}

async function sleep(milliseconds: number, world: World): Promise<void> {
  if (milliseconds > MAX_SLEEP_MS) throw new ServiceFault(`A load of ${milliseconds} ms is more than ${MAX_SLEEP_MS}`);
  await world.sleep(Math.max(0, milliseconds));
}

async function iterate(iterations: number, world: World): Promise<void> {
  if (iterations > MAX_ITERATIONS) throw new ServiceFault(`A load of ${iterations} is more than ${MAX_ITERATIONS}`);
  for (let i = 0; i < iterations; i += 1) world.print(`Iteration: ${i}`);
}

function payloadOf(message: Message, operation: string): XmlElement {
  if (!message.payload) throw invocationFault(operation);
  return message.payload;
}
