import { tmpdir } from 'node:os';
import type { ValueType } from '../../src/grammar/attributes.ts';
import type { ParametersOf, ParameterTypes } from '../../src/grammar/parameters.ts';
import { jmsStore } from '../../src/stores/jms.ts';
import type { MessageStore } from '../../src/stores/message-store.ts';

export interface JmsStoreOptions {
  readonly name?: string;
  readonly queue?: string;
  /** Where STOMP is spoken on 127.0.0.1. */
  readonly stompPort: number;
  readonly heartBeatMs?: number;
  readonly putDeadlineMs?: number;
  readonly previous?: MessageStore;
  /** More parameters, as written. */
  readonly parameters?: Readonly<Record<string, string>>;
  readonly stompUrls?: ReadonlyMap<string, string>;
  readonly dataDirectory?: string;
  /** PEM, as of the configuration. */
  readonly trustedCertificates?: string;
}

let stores = 0;

/** A JMS store as an artifact with these parameters would open it. */
export function openJmsStore(options: JmsStoreOptions): MessageStore {
  stores += 1;
  const name = options.name ?? `Store${stores}`;
  const written = new Map(
    Object.entries({
      'java.naming.factory.initial': 'org.apache.activemq.jndi.ActiveMQInitialContextFactory',
      'java.naming.provider.url': 'tcp://127.0.0.1:61616',
      'x.stomp.url': `stomp://127.0.0.1:${options.stompPort}`,
      'x.stomp.heartbeat': String(options.heartBeatMs ?? 10_000),
      'store.jms.destination': options.queue ?? `${name}_Queue`,
      ...options.parameters,
    }).filter(([, value]) => value !== ''),
  );
  return jmsStore.open({
    name,
    position: { file: 'store.xml', line: 1, column: 1 },
    parameters: parametersOf(written),
    written,
    services: {
      dataDirectory: options.dataDirectory ?? tmpdir(),
      putDeadlineMs: options.putDeadlineMs ?? 10_000,
      stompUrls: options.stompUrls ?? new Map(),
      dataSources: new Map(),
      trustedCertificates: options.trustedCertificates,
    },
    previous: options.previous,
  });
}

const NOWHERE = { prefixes: () => ({}), attribute: () => undefined };

/** Reads parameters by their types, as deployment does. */
export function parametersOf(written: ReadonlyMap<string, string>): ParametersOf<ParameterTypes> {
  const values: Record<string, unknown> = {};
  for (const [name, type] of Object.entries(jmsStore.parameters) as Array<[string, ValueType<unknown>]>) {
    const text = written.get(name);
    values[name] = text === undefined ? type.default : type.parse(text, { name, element: NOWHERE } as never);
  }
  return values;
}
