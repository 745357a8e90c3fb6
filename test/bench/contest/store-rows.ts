import type { StoreArtifact } from '../backlog-artifacts.ts';
import type { Row } from './contestant.ts';
import { type HttpClients, type HttpRowLoad, runtimeContestant } from './http-contestants.ts';
import { jmsProducer } from './jms-producer.ts';
import { puttingBaseline } from './store-contestants.ts';

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

/** A store on ActiveMQ behind a proxy against clients that do nothing but send. */
export function activemqRows(clients: HttpClients, broker: BrokerAddress): Row[] {
  return [
    activemqRow(clients, broker, 1, 0.8),
    activemqRow(clients, broker, 16, 0.85),
    activemqRow(clients, broker, 64, 0.85),
  ];
}

function activemqRow(clients: HttpClients, broker: BrokerAddress, connections: number, goal: number): Row {
  return {
    id: `activemq-${connections}`,
    path: `store on ActiveMQ (persistent, receipt), 0.6 KB, ${clientsText(connections)}`,
    goal,
    baseline: puttingBaseline('stomp-producer.ts', {
      name: 'bare pipelined stompit',
      args: ['--port', `${broker.stompPort}`, '--queue', freshName(), '--bytes', `${BYTES}`],
      lanes: connections,
    }),
    ours: storing(clients, jmsStore(broker, freshName()), connections),
  };
}

/** The same against Java. */
export function javaRows(clients: HttpClients, broker: BrokerAddress): Row[] {
  return [1, 16, 64].map((threads) => ({
    id: `java-${threads}`,
    path: `store on ActiveMQ, 0.6 KB, ${clientsText(threads)}, against as many Java threads`,
    goal: 0.8,
    baseline: jmsProducer({ url: broker.openwireUrl, queue: freshName(), bytes: BYTES, threads }),
    ours: storing(clients, jmsStore(broker, freshName()), threads),
  }));
}

function clientsText(count: number): string {
  return count === 1 ? '1 client' : `${count} clients`;
}

/** mini-synapse with a proxy that stores and answers 202. */
export function storing(clients: HttpClients, store: StoreArtifact, connections: number) {
  const load: HttpRowLoad = { bytes: BYTES, connections, status: 202, echoed: false };
  return runtimeContestant({
    name: 'mini-synapse',
    artifacts: { Storing: storingProxy(), Kept: storeXml(store) },
    path: '/services/Storing',
    clients,
    load,
  });
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
