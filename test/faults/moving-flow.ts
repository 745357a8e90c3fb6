import { endpointXml, forwarderXml, PROXY, proxyXml } from '../support/flow-artifacts.ts';
import { type FaultyFlow, type FaultyFlowOptions, ORDERS, storeXml } from './faulty-flow.ts';
import { JMS, SQLITE } from './stores.ts';

const FAILOVER = 'org.apache.synapse.message.processor.impl.failover.FailoverScheduledMessageForwardingProcessor';
const SYNAPSE = 'xmlns="http://ws.apache.org/ns/synapse"';

/** Processors that have a message in hand on its way into another store. */
export const MOVERS = 2;

/**
 * Artifacts with which every order goes through three stores: refused by its first back end it is moved to the fail store, from
 * there by a failover processor to a third store, and then delivered.
 *
 * @param refusingPort where a back end refuses everything
 * @param across the fail store is in a database of its own, so that moves are a copy and a removal; otherwise the medium may hold
 * both stores and move within one transaction
 */
export function movingFlow(refusingPort: number, across: boolean): Required<Pick<FaultyFlowOptions, 'artifacts'>> {
  return {
    artifacts: (flow: FaultyFlow) => {
      const files: Record<string, string> = {
        Proxy: proxyXml(PROXY, ORDERS),
        Orders: flow.storeXml(ORDERS),
        Failed: across ? inSqlite(flow, 'Failed') : flow.storeXml('Failed'),
        Again: flow.storeXml('Again'),
        Endpoint0: endpointXml(0, refusingPort),
        Forwarder0: forwarderXml(0, REFUSED, ORDERS),
        Failover: failoverXml('Failover', 'Failed', 'Again'),
      };
      for (const [index, { port }] of flow.backEnds.entries()) {
        files[`Endpoint${index + 1}`] = endpointXml(index + 1, port);
        files[`Forwarder${index + 1}`] = forwarderXml(index + 1, flow.forwarderParameters(), 'Again');
      }
      return { files, stores: [ORDERS, 'Failed', 'Again'] };
    },
  };
}

/**
 * Artifacts with which every order is taken by the failover store, as the broker of its own store is never there.
 *
 * @param port where nobody listens
 */
export function failingOver(port: number): Required<Pick<FaultyFlowOptions, 'artifacts'>> {
  const away = {
    'java.naming.factory.initial': 'org.apache.activemq.jndi.ActiveMQInitialContextFactory',
    'java.naming.provider.url': `tcp://127.0.0.1:${port}`,
    'x.stomp.url': `stomp://127.0.0.1:${port}`,
    'store.jms.destination': ORDERS,
    'store.producer.guaranteed.delivery.enable': 'true',
    'store.failover.message.store.name': 'Again',
  };
  return {
    artifacts: (flow: FaultyFlow) => {
      const files: Record<string, string> = {
        Proxy: proxyXml(PROXY, ORDERS),
        Orders: storeXml(ORDERS, JMS, away),
        Again: flow.storeXml('Again'),
      };
      for (const [index, { port: backEnd }] of flow.backEnds.entries()) {
        files[`Endpoint${index + 1}`] = endpointXml(index + 1, backEnd);
        files[`Forwarder${index + 1}`] = forwarderXml(index + 1, flow.forwarderParameters(), 'Again');
      }
      return { files, stores: ['Again'] };
    },
  };
}

/** The failover store of {@link failoverPair}. */
export const FAILOVER_STORE = 'Spare';

/** A store, its failover store in a database of its own, and the processor that brings back what that has taken. */
export function failoverPair(): Required<Pick<FaultyFlowOptions, 'artifacts' | 'configuration'>> {
  const pair = {
    'store.producer.guaranteed.delivery.enable': 'true',
    'store.failover.message.store.name': FAILOVER_STORE,
    'x.failover.order': 'true',
  };
  return {
    // Long enough for SQLite to be opened by a runtime that starts on a busy machine.
    configuration: '[mini_synapse]\nstore_deadline_ms = 5000\n',
    artifacts: (flow: FaultyFlow) => {
      const files: Record<string, string> = {
        Proxy: proxyXml(PROXY, ORDERS),
        Orders: flow.storeXml(ORDERS, pair),
        [FAILOVER_STORE]: inSqlite(flow, FAILOVER_STORE),
        Failover: failoverXml('Failover', FAILOVER_STORE, ORDERS),
      };
      for (const [index, { port }] of flow.backEnds.entries()) {
        files[`Endpoint${index + 1}`] = endpointXml(index + 1, port);
        files[`Forwarder${index + 1}`] = forwarderXml(index + 1, flow.forwarderParameters(), ORDERS);
      }
      return { files, stores: [ORDERS, FAILOVER_STORE] };
    },
  };
}

/** One attempt, then the fail store; the pause after it is as short as can be. */
const REFUSED = {
  'max.delivery.attempts': '1',
  'client.retry.interval': '1',
  'message.processor.failMessagesStore': 'Failed',
};

function inSqlite(flow: FaultyFlow, name: string): string {
  const parameters = {
    'store.jdbc.driver': 'org.sqlite.JDBC',
    'store.jdbc.connection.url': `jdbc:sqlite:${flow.folder.path}/across-${name}.db`,
    'store.jdbc.table': name.toLowerCase(),
    'x.create.table': 'true',
  };
  return storeXml(name, SQLITE.storeClass, parameters);
}

/** The failover processor. */
export function failoverXml(name: string, from: string, to: string, active = true): string {
  const parameters = {
    interval: '0',
    'client.retry.interval': '50',
    'message.target.store.name': to,
    'is.active': `${active}`,
  };
  const lines = Object.entries(parameters).map(([key, value]) => `  <parameter name="${key}">${value}</parameter>\n`);
  return `<messageProcessor ${SYNAPSE} class="${FAILOVER}" name="${name}" messageStore="${from}">\n${lines.join('')}</messageProcessor>\n`;
}
