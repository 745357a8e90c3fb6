const SYNAPSE = 'xmlns="http://ws.apache.org/ns/synapse"';
const FORWARDER = 'org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor';

export interface StoreArtifact {
  /** undefined: in memory. */
  readonly class?: string;
  readonly parameters: Readonly<Record<string, string>>;
}

function parametersXml(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `<parameter name="${name}">${value.replaceAll('&', '&amp;')}</parameter>`)
    .join('');
}

/** Of a forwarder that delivers as fast as it can, once someone activates it. */
const UNTHROTTLED = { interval: '0', 'is.active': 'false', 'x.concurrency': '16' };

/** A proxy `Orders` that stores and answers 202, its store, and a forwarder with these parameters. */
export function backlogArtifacts(
  store: StoreArtifact,
  backEndPort: number,
  forwarder: Readonly<Record<string, string>> = UNTHROTTLED,
): string {
  const className = store.class === undefined ? '' : ` class="${store.class}"`;
  return `<definitions ${SYNAPSE}>
  <proxy name="Orders" transports="http" startOnLoad="true">
    <target>
      <inSequence>
        <property name="FORCE_SC_ACCEPTED" value="true" scope="axis2"/>
        <property name="OUT_ONLY" value="true"/>
        <store messageStore="OrderStore"/>
      </inSequence>
    </target>
  </proxy>
  <messageStore name="OrderStore"${className}>${parametersXml(store.parameters)}</messageStore>
  <endpoint name="Shop"><address uri="http://127.0.0.1:${backEndPort}/"/></endpoint>
  <messageProcessor class="${FORWARDER}" name="Forwarder" targetEndpoint="Shop" messageStore="OrderStore">
    ${parametersXml(forwarder)}
  </messageProcessor>
</definitions>
`;
}
