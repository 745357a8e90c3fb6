/** One flow for each kind of store, alike but for the store: proxy -> store -> forwarder -> endpoint, and a store for what fails. */

export const KINDS = ['memory', 'activemq', 'rabbitmq', 'postgresql', 'mariadb', 'sqlite'] as const;
export type Kind = (typeof KINDS)[number];

export const FAILED = 'Failed';
/** A proxy and its endpoint, which nobody answers; after a failure it is left alone for so long. */
export const AWAY = 'Away';
export const SUSPENDED_FOR_MS = 90_000;
const SYNAPSE = 'xmlns="http://ws.apache.org/ns/synapse"';
const STORES = 'org.apache.synapse.message.store.impl';
const FORWARDER = 'org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor';
const NEVER_SUSPENDED =
  '<suspendOnFailure><errorCodes>-1</errorCodes></suspendOnFailure><markForSuspension><errorCodes>-1</errorCodes></markForSuspension>';

export const proxyOf = (kind: Kind) => `Take-${kind}`;
export const storeOf = (kind: Kind) => `Store-${kind}`;
export const forwarderOf = (kind: Kind) => `Forward-${kind}`;
export const endpointOf = (kind: Kind) => `BackEnd-${kind}`;
/** Queue or table. */
export const mediumOf = (kind: Kind) => `numbers_${kind}`;

/** A database, as a store is told of it. */
export type Database = Readonly<Record<'driver' | 'connection.url' | 'username' | 'password', string>>;

/** Where the media are. */
export interface Media {
  readonly backEnd: string;
  /** Where nobody listens. */
  readonly nobody: string;
  /** `tcp://…` of ActiveMQ. */
  readonly provider: string;
  readonly rabbitPort: number;
  readonly postgresql: Database;
  readonly mariadb: Database;
  readonly sqliteFile: string;
}

/** Name of the file -> its text. */
export function numbersArtifacts(media: Media): Record<string, string> {
  const found: Record<string, string> = {
    'Failed.xml': `<messageStore ${SYNAPSE} name="${FAILED}"/>`,
    'Away.xml': `<definitions ${SYNAPSE}>
      <endpoint name="${AWAY}"><address uri="${media.nobody}"><suspendOnFailure><initialDuration>${SUSPENDED_FOR_MS}</initialDuration><progressionFactor>1.0</progressionFactor></suspendOnFailure></address></endpoint>
      <proxy name="${AWAY}" transports="http"><target endpoint="${AWAY}"><inSequence/><outSequence><send/></outSequence><faultSequence><drop/></faultSequence></target></proxy>
    </definitions>`,
  };
  for (const kind of KINDS) {
    found[`${proxyOf(kind)}.xml`] = `<proxy ${SYNAPSE} name="${proxyOf(kind)}" transports="http"><target><inSequence>
      <property name="FORCE_SC_ACCEPTED" value="true" scope="axis2"/><property name="OUT_ONLY" value="true"/>
      <store messageStore="${storeOf(kind)}"/>
    </inSequence></target></proxy>`;
    found[`${storeOf(kind)}.xml`] = storeXml(kind, media);
    found[`${endpointOf(kind)}.xml`] =
      `<endpoint ${SYNAPSE} name="${endpointOf(kind)}"><address uri="${media.backEnd}/${kind}">${NEVER_SUSPENDED}</address></endpoint>`;
    found[`${forwarderOf(kind)}.xml`] =
      `<messageProcessor ${SYNAPSE} class="${FORWARDER}" name="${forwarderOf(kind)}" targetEndpoint="${endpointOf(kind)}" messageStore="${storeOf(kind)}">
      ${parameters({ interval: '5', 'is.active': 'false', 'max.delivery.attempts': '2', 'client.retry.interval': '20', 'message.processor.failMessagesStore': FAILED })}
    </messageProcessor>`;
  }
  return found;
}

function storeXml(kind: Kind, media: Media): string {
  const [className, given] = storeParameters(kind, media);
  const classAttribute = className === undefined ? '' : ` class="${STORES}.${className}"`;
  return `<messageStore ${SYNAPSE}${classAttribute} name="${storeOf(kind)}">${parameters(given)}</messageStore>`;
}

function storeParameters(kind: Kind, media: Media): [className: string | undefined, Record<string, string>] {
  const medium = mediumOf(kind);
  const table = { 'store.jdbc.table': medium, 'x.create.table': 'true' };
  switch (kind) {
    case 'memory':
      return [undefined, {}];
    case 'activemq': {
      const naming = {
        'java.naming.factory.initial': 'org.apache.activemq.jndi.ActiveMQInitialContextFactory',
        'java.naming.provider.url': media.provider,
      };
      return ['jms.JmsStore', { ...naming, 'store.jms.destination': medium }];
    }
    case 'rabbitmq': {
      const place = { 'store.rabbitmq.host.name': '127.0.0.1', 'store.rabbitmq.host.port': String(media.rabbitPort) };
      return ['rabbitmq.RabbitMQStore', { ...place, 'store.rabbitmq.queue.name': medium }];
    }
    case 'postgresql':
    case 'mariadb': {
      const place = Object.entries(media[kind]).map(([name, value]) => [`store.jdbc.${name}`, value]);
      return ['jdbc.JDBCMessageStore', { ...Object.fromEntries(place), ...table }];
    }
    case 'sqlite': {
      const place = {
        'store.jdbc.driver': 'org.sqlite.JDBC',
        'store.jdbc.connection.url': `jdbc:sqlite:${media.sqliteFile}`,
      };
      return ['jdbc.JDBCMessageStore', { ...place, ...table }];
    }
  }
}

function parameters(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `<parameter name="${name}">${value}</parameter>`)
    .join('');
}
