import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where the orders wait: in memory, or in the queue of a broker that artifacts know as `providerUrl`. */
export type FlowStore = 'in-memory' | { readonly providerUrl: string };

/** The load-balancing flow of the samples with other ports: one proxy, one store, a forwarder and an endpoint per back end. */
export interface Flow {
  readonly store: FlowStore;
  /** Ports of the back ends on 127.0.0.1: `Forwarder1` serves the first one through `SimpleStockQuoteService1`, and so on. */
  readonly backEnds: readonly number[];
  /** Of each forwarder, besides the defaults `interval` 0 and `client.retry.interval` 100. */
  readonly forwarder?: Readonly<Record<string, string>>;
  /** Elements for inside `<address>`; default: {@link NEVER_SUSPENDED}. '' is the reference's default, 30 s of suspension. */
  readonly address?: string;
}

const SYNAPSE = 'xmlns="http://ws.apache.org/ns/synapse"';
const JMS_STORE = 'org.apache.synapse.message.store.impl.jms.JmsStore';
const FORWARDER = 'org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor';

/** The proxy, the store and the queue of the samples. */
export const PROXY = 'StockQuoteProxy';
export const STORE = 'JMSMS';

/** As people keep the reference from suspending an endpoint: by an error code that never comes. */
export const NEVER_SUSPENDED =
  '<suspendOnFailure><errorCodes>-1</errorCodes><initialDuration>0</initialDuration><progressionFactor>1.0</progressionFactor></suspendOnFailure>' +
  '<markForSuspension><errorCodes>-1</errorCodes></markForSuspension>';

/** What a runtime needs in one temporary folder: artifacts, data, and a configuration when there is one. */
export class FlowFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'mini-synapse-flow-'));
  readonly artifacts = join(this.path, 'artifacts');
  readonly data = join(this.path, 'data');

  constructor() {
    mkdirSync(this.artifacts);
  }

  /** Writes an artifact file. */
  write(name: string, xml: string): void {
    writeFileSync(join(this.artifacts, name), xml);
  }

  /** Writes all artifacts of a flow. */
  writeFlow(flow: Flow): void {
    this.write(`${PROXY}.xml`, proxyXml());
    this.write(`${STORE}.xml`, storeXml(flow.store));
    for (const [index, port] of flow.backEnds.entries()) {
      const number = index + 1;
      this.write(`SimpleStockQuoteService${number}.xml`, endpointXml(number, port, flow.address));
      this.write(`Forwarder${number}.xml`, forwarderXml(number, flow.forwarder));
    }
  }

  /** Writes a `deployment.toml` that says where the broker of a provider URL speaks STOMP. @returns its path */
  configureJms(providerUrl: string, stompPort: number): string {
    const file = join(this.path, 'deployment.toml');
    const lines = ['[[mini_synapse.jms]]', `provider_url = "${providerUrl}"`];
    writeFileSync(file, [...lines, `stomp_url = "stomp://127.0.0.1:${stompPort}"`, ''].join('\n'));
    return file;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Takes orders, stores them, answers 202. */
export function proxyXml(name = PROXY, store = STORE): string {
  return `<proxy ${SYNAPSE} name="${name}" transports="https http" startOnLoad="true">
  <target>
    <inSequence>
      <property name="FORCE_SC_ACCEPTED" value="true" scope="axis2"/>
      <property name="OUT_ONLY" value="true"/>
      <store messageStore="${store}"/>
    </inSequence>
    <outSequence/>
    <faultSequence/>
  </target>
</proxy>
`;
}

export function storeXml(store: FlowStore): string {
  if (store === 'in-memory') return `<messageStore ${SYNAPSE} name="${STORE}"/>\n`;
  return `<messageStore ${SYNAPSE} class="${JMS_STORE}" name="${STORE}">
  ${parametersXml({
    'java.naming.factory.initial': 'org.apache.activemq.jndi.ActiveMQInitialContextFactory',
    'java.naming.provider.url': store.providerUrl,
    'store.jms.destination': STORE,
  })}
</messageStore>
`;
}

export function endpointXml(number: number, port: number, address = NEVER_SUSPENDED): string {
  return `<endpoint ${SYNAPSE} name="SimpleStockQuoteService${number}">
  <address uri="http://127.0.0.1:${port}/services/SimpleStockQuoteService">${address}</address>
</endpoint>
`;
}

export function forwarderXml(
  number: number,
  parameters: Readonly<Record<string, string>> = {},
  store: string = STORE,
): string {
  const names = `name="Forwarder${number}" targetEndpoint="SimpleStockQuoteService${number}" messageStore="${store}"`;
  return `<messageProcessor ${SYNAPSE} class="${FORWARDER}" ${names}>
  ${parametersXml({ interval: '0', 'client.retry.interval': '100', ...parameters })}
</messageProcessor>
`;
}

function parametersXml(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `<parameter name="${name}">${value}</parameter>`)
    .join('\n  ');
}
