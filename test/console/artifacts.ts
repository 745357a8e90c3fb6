/** Artifacts that give every page of the console something to show; each is one file. */

const FORWARDER = 'org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor';
const SAMPLER = 'org.apache.synapse.message.processor.impl.sampler.SamplingProcessor';
const SYNAPSE = 'xmlns="http://ws.apache.org/ns/synapse"';

export interface Places {
  /** `tcp://…` of the broker. */
  readonly broker: string;
  /** Takes orders; what contains `REJECTED` gets 503. */
  readonly orders: string;
  /** Nobody listens there. */
  readonly partner: string;
}

/** Name of the file -> its text. */
export function consoleArtifacts({ broker, orders, partner }: Places): Readonly<Record<string, string>> {
  return {
    'OrderProxy.xml': `<!-- Takes orders, puts large ones apart, answers 202 as soon as they are stored. -->
<proxy ${SYNAPSE} name="OrderProxy" transports="http https" startOnLoad="true">
  <target>
    <inSequence>
      <property name="FORCE_SC_ACCEPTED" value="true" scope="axis2"/>
      <property name="OUT_ONLY" value="true"/>
      <sequence key="Enrich"/>
      <filter source="//*[local-name()='quantity']" regex="[0-9]{4,}">
        <then>
          <property name="size" value="large"/>
          <store messageStore="LargeOrders"/>
        </then>
        <else>
          <store messageStore="Orders"/>
        </else>
      </filter>
    </inSequence>
    <faultSequence>
      <log level="custom"><property name="failed" expression="$ctx:ERROR_MESSAGE"/></log>
    </faultSequence>
  </target>
</proxy>
`,
    'Enrich.xml': `<!-- What every order carries from here on. -->
<sequence ${SYNAPSE} name="Enrich">
  <log level="custom">
    <property name="step" value="an order has come"/>
  </log>
  <property name="symbol" expression="//*[local-name()='symbol']"/>
  <header name="X-Channel" value="web" scope="transport"/>
  <payloadFactory media-type="xml">
    <format>
      <order xmlns="urn:orders"><symbol>$1</symbol><quantity>$2</quantity><channel>web</channel></order>
    </format>
    <args>
      <arg expression="//*[local-name()='symbol']"/>
      <arg expression="//*[local-name()='quantity']"/>
    </args>
  </payloadFactory>
</sequence>
`,
    'Orders.xml': `<messageStore ${SYNAPSE} class="org.apache.synapse.message.store.impl.jms.JmsStore" name="Orders">
  <parameter name="store.failover.message.store.name">OrdersStandby</parameter>
  <parameter name="store.producer.guaranteed.delivery.enable">true</parameter>
  <parameter name="java.naming.factory.initial">org.apache.activemq.jndi.ActiveMQInitialContextFactory</parameter>
  <parameter name="java.naming.provider.url">${broker}</parameter>
  <parameter name="store.jms.JMSSpecVersion">1.1</parameter>
</messageStore>
`,
    'OrdersStandby.xml': `<!-- Takes orders while the broker is away. -->
<messageStore ${SYNAPSE} name="OrdersStandby"/>
`,
    'LargeOrders.xml': `<messageStore ${SYNAPSE} class="org.apache.synapse.message.store.impl.jms.JmsStore" name="LargeOrders">
  <parameter name="java.naming.factory.initial">org.apache.activemq.jndi.ActiveMQInitialContextFactory</parameter>
  <parameter name="java.naming.provider.url">${broker}</parameter>
  <parameter name="store.jms.JMSSpecVersion">1.1</parameter>
</messageStore>
`,
    'RejectedOrders.xml': `<!-- Orders that could not be delivered, with the reason. -->
<messageStore ${SYNAPSE} class="org.apache.synapse.message.store.impl.jms.JmsStore" name="RejectedOrders">
  <parameter name="java.naming.factory.initial">org.apache.activemq.jndi.ActiveMQInitialContextFactory</parameter>
  <parameter name="java.naming.provider.url">${broker}</parameter>
  <parameter name="store.jms.JMSSpecVersion">1.1</parameter>
</messageStore>
`,
    'OrderService.xml': `<endpoint ${SYNAPSE} name="OrderService">
  <address uri="${orders}">
    <suspendOnFailure><errorCodes>-1</errorCodes><initialDuration>0</initialDuration><progressionFactor>1.0</progressionFactor></suspendOnFailure>
    <markForSuspension><errorCodes>-1</errorCodes></markForSuspension>
  </address>
</endpoint>
`,
    'PartnerService.xml': `<endpoint ${SYNAPSE} name="PartnerService">
  <address uri="${partner}">
    <suspendOnFailure><errorCodes>-1</errorCodes><initialDuration>0</initialDuration><progressionFactor>1.0</progressionFactor></suspendOnFailure>
    <markForSuspension><errorCodes>-1</errorCodes></markForSuspension>
  </address>
</endpoint>
`,
    'CourierService.xml': `<!-- Left alone for ten minutes after a failure. -->
<endpoint ${SYNAPSE} name="CourierService">
  <address uri="${partner}">
    <suspendOnFailure><initialDuration>600000</initialDuration><progressionFactor>1.0</progressionFactor></suspendOnFailure>
  </address>
</endpoint>
`,
    'CourierProxy.xml': `<proxy ${SYNAPSE} name="CourierProxy" transports="http https">
  <target endpoint="CourierService">
    <inSequence/>
    <outSequence><send/></outSequence>
    <faultSequence><makefault version="soap11"><code xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" value="s:Server"/><reason value="The courier does not answer"/></makefault><respond/></faultSequence>
  </target>
</proxy>
`,
    'OrderForwarder.xml': `<messageProcessor ${SYNAPSE} class="${FORWARDER}" name="OrderForwarder" targetEndpoint="OrderService" messageStore="Orders">
  <parameter name="interval">250</parameter>
  <parameter name="client.retry.interval">250</parameter>
  <parameter name="max.delivery.attempts">2</parameter>
  <parameter name="message.processor.failMessagesStore">RejectedOrders</parameter>
</messageProcessor>
`,
    'PartnerForwarder.xml': `<messageProcessor ${SYNAPSE} class="${FORWARDER}" name="PartnerForwarder" targetEndpoint="PartnerService" messageStore="LargeOrders">
  <parameter name="interval">1000</parameter>
  <parameter name="client.retry.interval">1000</parameter>
  <parameter name="max.delivery.attempts">3</parameter>
</messageProcessor>
`,
    'StandbyMover.xml': `<messageProcessor ${SYNAPSE} class="org.apache.synapse.message.processor.impl.failover.FailoverScheduledMessageForwardingProcessor" name="StandbyMover" messageStore="OrdersStandby">
  <parameter name="interval">1000</parameter>
  <parameter name="client.retry.interval">1000</parameter>
  <parameter name="max.delivery.attempts">1000</parameter>
  <parameter name="message.target.store.name">Orders</parameter>
</messageProcessor>
`,
    'NightlyReview.xml': `<!-- Looks at what was rejected, at night. -->
<messageProcessor ${SYNAPSE} class="${SAMPLER}" name="NightlyReview" messageStore="RejectedOrders">
  <parameter name="cronExpression">0 30 2 * * ?</parameter>
  <parameter name="concurrency">1</parameter>
  <parameter name="sequence">Review</parameter>
</messageProcessor>
`,
    'Review.xml': `<sequence ${SYNAPSE} name="Review">
  <log level="full"/>
  <drop/>
</sequence>
`,
    'OrdersApi.xml': `<api ${SYNAPSE} name="OrdersApi" context="/orders">
  <resource methods="POST" uri-template="/">
    <inSequence>
      <property name="FORCE_SC_ACCEPTED" value="true" scope="axis2"/>
      <store messageStore="Orders"/>
    </inSequence>
  </resource>
  <resource methods="GET" uri-template="/health">
    <inSequence>
      <payloadFactory media-type="json"><format>{"status": "open"}</format><args/></payloadFactory>
      <respond/>
    </inSequence>
  </resource>
</api>
`,
    'Heartbeat.xml': `<task ${SYNAPSE} name="Heartbeat" class="org.apache.synapse.startup.tasks.MessageInjector" group="synapse.simple.quartz">
  <trigger cron="0 0/15 * * * ?"/>
  <property xmlns:task="http://www.wso2.org/products/wso2commons/tasks" name="injectTo" value="sequence"/>
  <property xmlns:task="http://www.wso2.org/products/wso2commons/tasks" name="sequenceName" value="Review"/>
  <property xmlns:task="http://www.wso2.org/products/wso2commons/tasks" name="message"><beat xmlns="urn:orders"/></property>
</task>
`,
    'InvoiceProxy.xml': `<proxy ${SYNAPSE} name="InvoiceProxy" transports="http https">
  <target>
    <inSequence>
      <log level="custom">
        <property name="invoice" value="received"/>
      </log>
      <stor messageStore="Invoices"/>
    </inSequence>
  </target>
</proxy>
`,
  };
}

/** An order as clients send it. */
export function order(symbol: string, quantity: number): string {
  return `<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><placeOrder xmlns="http://services.samples"><order><symbol>${symbol}</symbol><quantity>${quantity}</quantity></order></placeOrder></soapenv:Body></soapenv:Envelope>`;
}
