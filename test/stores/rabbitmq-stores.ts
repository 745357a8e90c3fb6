import { tmpdir } from 'node:os';
import type { ValueType } from '../../src/grammar/attributes.ts';
import type { ParametersOf, ParameterTypes } from '../../src/grammar/parameters.ts';
import type { MessageStore } from '../../src/stores/message-store.ts';
import { rabbitMqStore } from '../../src/stores/rabbitmq.ts';

export interface RabbitMqStoreOptions {
  readonly name?: string;
  readonly queue?: string;
  /** On 127.0.0.1; ports of several hosts separated by commas. */
  readonly port: number | string;
  readonly heartBeatMs?: number;
  readonly dataDirectory?: string;
  readonly putDeadlineMs?: number;
  readonly previous?: MessageStore;
  /** PEM, as of the configuration. */
  readonly trustedCertificates?: string;
  /** More parameters, as written. */
  readonly parameters?: Readonly<Record<string, string>>;
}

let stores = 0;

/** A RabbitMQ store as an artifact with these parameters would open it. */
export function openRabbitMqStore(options: RabbitMqStoreOptions): MessageStore {
  stores += 1;
  const name = options.name ?? `Store${stores}`;
  const ports = String(options.port);
  const written = new Map(
    Object.entries({
      'store.rabbitmq.host.name': ports.replaceAll(/\d+/g, '127.0.0.1'),
      'store.rabbitmq.host.port': ports,
      'store.rabbitmq.queue.name': options.queue ?? name,
      'x.amqp.heartbeat': String(options.heartBeatMs ?? 10_000),
      ...options.parameters,
    }),
  );
  return rabbitMqStore.open({
    name,
    position: { file: 'store.xml', line: 1, column: 1 },
    parameters: parametersOf(written),
    written,
    services: {
      dataDirectory: options.dataDirectory ?? tmpdir(),
      putDeadlineMs: options.putDeadlineMs ?? 10_000,
      stompUrls: new Map(),
      dataSources: new Map(),
      trustedCertificates: options.trustedCertificates,
    },
    previous: options.previous,
  });
}

const NOWHERE = { prefixes: () => ({}), attribute: () => undefined };

/** Reads parameters by their types, as deployment does. */
function parametersOf(written: ReadonlyMap<string, string>): ParametersOf<ParameterTypes> {
  const values: Record<string, unknown> = {};
  for (const [name, type] of Object.entries(rabbitMqStore.parameters) as Array<[string, ValueType<unknown>]>) {
    const text = written.get(name);
    values[name] = text === undefined ? type.default : type.parse(text, { name, element: NOWHERE } as never);
  }
  return values;
}
