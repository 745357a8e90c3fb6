import type { Logger } from '../../logging/index.ts';
import { within } from '../../stores/broker/deadline.ts';
import { ConnectionSupervisor } from '../../stores/broker/supervisor.ts';
import type { StoreConsumer } from '../../stores/message-store.ts';
import { formatEndpoint, type StompEndpoint } from '../../stores/stomp/address.ts';
import { openStompConnection, type StompConnection } from '../../stores/stomp/connection.ts';
import { JmsConsumer } from '../../stores/stomp/consumer.ts';
import type { Arrival, JmsDelivery } from '../../stores/stomp/delivery.ts';
import type { StompAccess } from '../../stores/stomp/parameters.ts';
import { isArtemis } from '../../stores/stomp/queue-name.ts';
import { ConnectionLog } from '../connection-log.ts';

export interface BrokerLinkOptions {
  /** For logs: `Inbound endpoint [orders]`. */
  readonly label: string;
  readonly access: StompAccess;
  /** For acknowledgements and sends, ms. */
  readonly deadlineMs: number;
  readonly log: Logger;
}

/** The connections of one inbound endpoint, proxy or address to its JMS broker: one that sends, and one for each consumer. */
export class JmsBrokerLink {
  readonly #options: BrokerLinkOptions;
  readonly #supervisor: ConnectionSupervisor<StompEndpoint, StompConnection>;
  #consumers = 0;

  constructor(options: BrokerLinkOptions) {
    const { label, access, log } = options;
    const told = new ConnectionLog(label, log);
    this.#options = options;
    this.#supervisor = new ConnectionSupervisor({
      endpoints: access.endpoints,
      open: (endpoint, signal) => this.#connect(endpoint, signal),
      onConnected: ({ endpoint }, generation) => told.connected(formatEndpoint(endpoint), generation),
      onFailure: ({ message }, phase) => told.failed(message, phase),
    });
  }

  start(): void {
    this.#supervisor.start();
  }

  close(): Promise<void> {
    return this.#supervisor.close();
  }

  consumer(queue: string): InboundJmsConsumer {
    const { label, deadlineMs } = this.#options;
    this.#consumers += 1;
    return new InboundJmsConsumer(`[${label}-C-${this.#consumers}]`, {
      name: label,
      queue,
      deadlineMs,
      supervisor: this.#supervisor,
      repeatedPuts: undefined,
      shared: false,
      openBeside: (beside, signal) => this.#connect(beside.endpoint, signal),
      leaveBeside: (connection) => connection.close(),
      sameBroker: () => undefined,
      noteSettled: () => undefined,
      noteClosed: (_: StoreConsumer) => undefined,
    });
  }

  /**
   * Sends a message and resolves when the broker has confirmed it.
   * @param destination makes the destination headers for the broker's kind (the `server` header of CONNECTED)
   * @throws an error when there is no connection within the deadline, or no confirmation
   */
  async send(
    destination: (server: string) => Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array,
    signal?: AbortSignal,
  ): Promise<void> {
    const connection = await this.connected(signal);
    await within(
      connection.request('SEND', { ...headers, ...destination(connection.server) }, body),
      this.#options.deadlineMs,
      'the broker to confirm a message',
    );
  }

  /** @throws an error when there is none within the deadline */
  async connected(signal?: AbortSignal): Promise<StompConnection> {
    const now = this.#supervisor.connection;
    if (now) return now;
    const { deadlineMs } = this.#options;
    const deadline = AbortSignal.timeout(deadlineMs);
    const connection = await this.#supervisor.connected(signal ? AbortSignal.any([signal, deadline]) : deadline);
    if (connection) return connection;
    const reason = this.#supervisor.lastError;
    throw new Error(`there is no connection to the broker${reason === undefined ? '' : `: ${reason}`}`);
  }

  #connect(endpoint: StompEndpoint, signal: AbortSignal): Promise<StompConnection> {
    return openStompConnection({ ...this.#options.access, endpoint, signal });
  }
}

/** A consumer that can hand a message to the broker's dead letters. */
export class InboundJmsConsumer extends JmsConsumer {
  #latest: Arrival | undefined;

  /**
   * Rejects the message in hand; its delivery is then to be released. ActiveMQ moves what is rejected to its dead letters, but only
   * persistent messages: others it would drop. Artemis counts deliveries by itself.
   * @returns false when it was not rejected
   */
  async reject(deadlineMs: number): Promise<boolean> {
    const arrival = this.#latest;
    if (!arrival || isArtemis(arrival.connection.server)) return false;
    const { headers } = arrival.message;
    if (headers.persistent !== 'true') return false;
    try {
      await within(
        arrival.connection.request('NACK', { id: headers.ack ?? '' }),
        deadlineMs,
        'a rejection to be confirmed',
      );
      return true;
    } catch {
      // Whether it was rejected or not, the broker has it.
      return false;
    }
  }

  protected override newDelivery(arrival: Arrival): JmsDelivery {
    this.#latest = arrival;
    return super.newDelivery(arrival);
  }
}
