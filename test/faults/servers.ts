/** What stores are on: a server, or nothing but files of the runtime's own machine. */
export const SERVERS = ['ActiveMQ', 'RabbitMQ', 'PostgreSQL', 'MariaDB', 'embedded'] as const;

export type StoreServer = (typeof SERVERS)[number];

/** The one that this process tests stores on; undefined: all. The fault runs have a process for each; see vitest.config.ts. */
export function serverOfThisProcess(): StoreServer | undefined {
  const { FAULT_SERVER: name } = process.env;
  if (name === undefined || name === '') return undefined;
  const server = SERVERS.find((one) => one === name);
  if (server === undefined) throw new Error(`FAULT_SERVER=${name} is none of ${SERVERS.join()}`);
  return server;
}
