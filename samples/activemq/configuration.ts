/** The files that an ActiveMQ of ours is started with. Pure text: nothing is written here. */

/** A user that may do everything, as `simpleAuthenticationPlugin` takes it. With no users the broker asks nobody. */
export interface ActiveMqUser {
  readonly name: string;
  readonly password: string;
  /** Groups for an authorization plug-in in `extraXml`; default `['users', 'admins']`. */
  readonly groups?: readonly string[];
}

/** A further listener beside OpenWire and STOMP, for example `{ name: 'stomps', uri: 'stomp+ssl://127.0.0.1:61614' }`. */
export interface TransportConnector {
  readonly name: string;
  readonly uri: string;
}

export interface ActiveMqConfiguration {
  readonly openwirePort: number;
  readonly stompPort: number;
  /** KahaDB lives in `kahadb` below it. */
  readonly dataDirectory: string;
  readonly users: readonly ActiveMqUser[];
  readonly connectors: readonly TransportConnector[];
  /** Elements for inside `<broker>`, for example a `<destinationPolicy>` or an `<sslContext>`. */
  readonly extraXml: string;
}

/**
 * The broker's XML: durable (KahaDB, fsync on each commit), loopback only, no console, no JMX, no discovery. Heart-beats of
 * STOMP clients get half an interval of grace. `transport.tcpNoDelay` stays off, as in the file that comes with ActiveMQ:
 * clients have to cope with brokers that hold back the second of two small frames until the first is acknowledged.
 */
export function activeMqXml(configuration: ActiveMqConfiguration): string {
  const { dataDirectory, openwirePort, stompPort } = configuration;
  const connectors: readonly TransportConnector[] = [
    { name: 'openwire', uri: `tcp://127.0.0.1:${openwirePort}` },
    { name: 'stomp', uri: `stomp://127.0.0.1:${stompPort}?transport.hbGracePeriodMultiplier=1.5` },
    ...configuration.connectors,
  ];
  return `<?xml version="1.0" encoding="UTF-8"?>
<beans xmlns="http://www.springframework.org/schema/beans"
       xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
       xsi:schemaLocation="http://www.springframework.org/schema/beans http://www.springframework.org/schema/beans/spring-beans.xsd
                           http://activemq.apache.org/schema/core http://activemq.apache.org/schema/core/activemq-core.xsd">
  <broker xmlns="http://activemq.apache.org/schema/core" brokerName="localhost" useJmx="false"
          dataDirectory="${escapeXml(dataDirectory)}">
    ${configuration.extraXml}
    <persistenceAdapter>
      <kahaDB directory="${escapeXml(dataDirectory)}/kahadb"/>
    </persistenceAdapter>
    ${authentication(configuration.users)}
    <transportConnectors>
      ${connectors.map(connectorXml).join('\n      ')}
    </transportConnectors>
  </broker>
</beans>
`;
}

function connectorXml({ name, uri }: TransportConnector): string {
  return `<transportConnector name="${escapeXml(name)}" uri="${escapeXml(uri)}"/>`;
}

function authentication(users: readonly ActiveMqUser[]): string {
  if (users.length === 0) return '';
  const entries = users.map(({ name, password, groups = ['users', 'admins'] }) => {
    const attributes = { username: name, password, groups: groups.join(',') };
    return `<authenticationUser ${Object.entries(attributes)
      .map(([key, value]) => `${key}="${escapeXml(value)}"`)
      .join(' ')}/>`;
  });
  return `<plugins><simpleAuthenticationPlugin><users>${entries.join('')}</users></simpleAuthenticationPlugin></plugins>`;
}

/** Logging for Debian's build (log4j 1.2): warnings and the broker's own events to `logFile`. */
export function log4jProperties(logFile: string): string {
  return `log4j.rootLogger=INFO, file
log4j.logger.org.apache.activemq.spring=WARN
log4j.logger.org.springframework=WARN
log4j.logger.org.apache.xbean=WARN
log4j.appender.file=org.apache.log4j.FileAppender
log4j.appender.file.file=${logFile}
log4j.appender.file.layout=org.apache.log4j.PatternLayout
log4j.appender.file.layout.ConversionPattern=%d | %-5p | %m | %c | %t%n
`;
}

/** The same for the distributions since 5.17 (log4j 2). */
export function log4j2Properties(logFile: string): string {
  return `rootLogger.level=INFO
rootLogger.appenderRef.file.ref=File
logger.spring.name=org.springframework
logger.spring.level=WARN
logger.xbean.name=org.apache.xbean
logger.xbean.level=WARN
appender.file.type=File
appender.file.name=File
appender.file.fileName=${logFile}
appender.file.layout.type=PatternLayout
appender.file.layout.pattern=%d | %-5p | %m | %c | %t%n%throwable{full}
`;
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
