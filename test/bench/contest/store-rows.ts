import type { StoreArtifact } from '../backlog-artifacts.ts';
import type { Row } from './contestant.ts';
import { type HttpClients, type HttpUse, runtimeContestant, startRuntime, underLoad } from './http-contestants.ts';
import { startJmsProducer } from './jms-producer.ts';
import { shared } from './shared.ts';
import { putting, startPutting } from './store-contestants.ts';

const SYNAPSE = 'xmlns="http://ws.apache.org/ns/synapse"';
/** Of a message. */
export const BYTES = 600;

/** A broker that is running. */
export interface BrokerAddress {
  readonly stompPort: number;
  readonly openwireUrl: string;
}

const JMS_STORE = 'org.apache.synapse.message.store.impl.jms.JmsStore';

let names = 0;
/** A name that no other queue or table of this run has. */
export function freshName(): string {
  names += 1;
  return `contest_${process.pid}_${names}`;
}

/** A JMS store on that broker. */
export function jmsStore({ stompPort, openwireUrl }: BrokerAddress, queue: string): StoreArtifact {
  const parameters = {
    'java.naming.factory.initial': 'org.apache.activemq.jndi.ActiveMQInitialContextFactory',
    'java.naming.provider.url': openwireUrl,
    'x.stomp.url': `stomp://127.0.0.1:${stompPort}`,
    'store.jms.destination': queue,
  };
  return { class: JMS_STORE, parameters };
}

/** Rows that share their contestants. */
export interface SharedRows {
  readonly rows: readonly Row[];
  /** Ends what they share. */
  close(): Promise<void>;
}

/** Many first: a few hundred messages a second, which is all that one client sends, would leave the first row to the compiler. */
const CLIENTS = [
  { count: 64, goal: 0.85 },
  { count: 16, goal: 0.85 },
  { count: 1, goal: 0.8 },
] as const;
const JAVA_GOAL = 0.8;

/**
 * A store on ActiveMQ behind a proxy, by 1, 16 and 64 clients, against clients that do nothing but send: stompit, and Java unless it is
 * missing. Each is one process for all numbers of clients, ours for both baselines.
 */
export function activemqRows(clients: HttpClients, broker: BrokerAddress, withJava: boolean): SharedRows {
  const store = jmsStore(broker, freshName());
  const ours = shared(() => startRuntime(storingArtifacts(store)));
  const to = ['--port', `${broker.stompPort}`, '--queue', freshName(), '--bytes', `${BYTES}`];
  const bare = shared(() => startPutting('stomp-producer.ts', to));
  const java = shared(() => startJmsProducer({ url: broker.openwireUrl, queue: freshName(), bytes: BYTES }));
  const storing = (count: number) =>
    ours.contestant('mini-synapse', (program) => underLoad(program, storingUse(clients, count)));
  const stompRows = CLIENTS.map(({ count, goal }) => ({
    id: `activemq-${count}`,
    path: `store on ActiveMQ (persistent, receipt), 0.6 KB, ${clientsText(count)}`,
    goal,
    baseline: bare.contestant('bare pipelined stompit', (program) => putting(program, count)),
    ours: storing(count),
  }));
  const javaRows = CLIENTS.map(({ count }) => ({
    id: `java-${count}`,
    path: `store on ActiveMQ, 0.6 KB, ${clientsText(count)}, against as many Java threads`,
    goal: JAVA_GOAL,
    baseline: java.contestant('Java JMS, OpenWire, sync send', (program) => putting(program, count)),
    ours: storing(count),
  }));
  return {
    rows: withJava ? [...stompRows, ...javaRows] : stompRows,
    close: async () => void (await Promise.all([ours.close(), bare.close(), java.close()])),
  };
}

function clientsText(count: number): string {
  return count === 1 ? '1 client' : `${count} clients`;
}

/** mini-synapse with a proxy that stores and answers 202. */
export function storing(clients: HttpClients, store: StoreArtifact, connections: number) {
  return runtimeContestant({
    name: 'mini-synapse',
    ...storingArtifacts(store),
    ...storingUse(clients, connections),
  });
}

/** The proxy that stores there, and the store. */
export function storingArtifacts(store: StoreArtifact) {
  return { artifacts: { Storing: storingProxy(), Kept: storeXml(store) } };
}

function storingUse(clients: HttpClients, connections: number): HttpUse {
  return { clients, load: { bytes: BYTES, connections, status: 202, echoed: false }, path: '/services/Storing' };
}

function storingProxy(): string {
  return (
    `<proxy ${SYNAPSE} name="Storing" transports="http"><target><inSequence>` +
    '<property name="FORCE_SC_ACCEPTED" value="true" scope="axis2"/><property name="OUT_ONLY" value="true"/>' +
    '<store messageStore="Kept"/></inSequence></target></proxy>'
  );
}

function storeXml({ class: className, parameters }: StoreArtifact): string {
  const written = Object.entries(parameters)
    .map(([name, value]) => `<parameter name="${name}">${value.replaceAll('&', '&amp;')}</parameter>`)
    .join('');
  return `<messageStore ${SYNAPSE} name="Kept" class="${className}">${written}</messageStore>`;
}
