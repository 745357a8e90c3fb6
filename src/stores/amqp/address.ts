/** Where a RabbitMQ broker listens. */
export interface AmqpAddress {
  readonly host: string;
  readonly port: number;
}

/** Hosts or ports that cannot be used; the message is the reference's and has the value (spec stores 1.4). */
export class AmqpAddressError extends Error {
  override readonly name = 'AmqpAddressError';
}

const MAX_PORT = 65_535;
const MAX_ADDRESSES = 64;
const HOST = /^(?:\[([0-9a-f:.]+(?:%\w+)?)\]|([0-9a-f]*:[0-9a-f:.]*:[0-9a-f:.]*)|([\p{L}\p{N}._-]+))$/iu;

/** `a, b`: the hosts of `store.rabbitmq.host.name`. @throws AmqpAddressError */
export function parseHosts(text: string): readonly string[] {
  const parts = splitList(text);
  if (parts.length > MAX_ADDRESSES) throw new AmqpAddressError(`more than ${MAX_ADDRESSES} hosts are named`);
  return parts.map((part) => {
    const [, bracketed, v6, name] = HOST.exec(part) ?? [];
    const host = bracketed ?? v6 ?? name;
    if (host === undefined) throw new AmqpAddressError(`'${part}' is not the name or address of a host`);
    return host;
  });
}

/** `5672, 5673`: the ports of `store.rabbitmq.host.port`. @throws AmqpAddressError */
export function parsePorts(text: string): readonly number[] {
  return splitList(text).map((part) => {
    const port = /^\d{1,5}$/.test(part) ? Number(part) : Number.NaN;
    if (!(port >= 1 && port <= MAX_PORT)) throw new AmqpAddressError(`Number format error in port number: '${part}'`);
    return port;
  });
}

/** The hosts with their ports, in the order in which they are tried. @throws AmqpAddressError */
export function pairAddresses(hosts: readonly string[], ports: readonly number[]): readonly AmqpAddress[] {
  if (hosts.length !== ports.length) {
    throw new AmqpAddressError(
      'The number of hostnames must be equal to the number of ports: ' +
        `store.rabbitmq.host.name has ${hosts.length} (${hosts.join(', ')}), store.rabbitmq.host.port has ${ports.length} (${ports.join(', ')})`,
    );
  }
  return hosts.map((host, index) => ({ host, port: ports[index] as number }));
}

/** For logs: `amqp://localhost:5672`. */
export function formatAddress({ host, port }: AmqpAddress, tls: boolean): string {
  return `${tls ? 'amqps' : 'amqp'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function splitList(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}
