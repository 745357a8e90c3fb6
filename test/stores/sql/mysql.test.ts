import { once } from 'node:events';
import type { AddressInfo, Server as TcpServer } from 'node:net';
import mysql from 'mysql2';
import { expect, onTestFinished, test } from 'vitest';
import { parseJdbcUrl, type ServerDatabase } from '../../../src/stores/sql/address.ts';
import type { ConnectionRole } from '../../../src/stores/sql/driver.ts';
import { mysqlDriver } from '../../../src/stores/sql/mysql.ts';

/** What mysql2's server has and its types do not tell. */
type Peer = mysql.Connection & { readonly stream: { on(event: string, listener: () => void): void; destroy(): void } };

interface Session {
  readonly server: string;
  readonly cautions: readonly string[];
  /** What was set for the session, in its order. */
  readonly set: readonly string[];
}

/** Connects to a server of this version, which refuses to set this variable. */
async function connected(version: string, role: ConnectionRole, refused?: string): Promise<Session> {
  const set: string[] = [];
  const peers = new Set<Peer>();
  const server = mysql.createServer((connection) => {
    const peer = connection as Peer;
    peers.add(peer);
    peer.on('error', () => undefined);
    peer.serverHandshake({
      protocolVersion: 10,
      serverVersion: version,
      connectionId: 1,
      statusFlags: 2,
      characterSet: 8,
      capabilityFlags: 0xffffff ^ 0x800,
      authCallback: (_: unknown, accept: () => void) => {
        accept();
        peer.sequenceId = 0;
      },
    });
    // Every command begins to count its packets anew, which mysql2's server leaves to us; it takes SET for a preparation.
    const onCommand = (sql: string) => {
      peer.sequenceId = 1;
      answer(sql);
      peer.sequenceId = 0;
    };
    peer.on('query', onCommand);
    peer.on('stmt_prepare', onCommand);
    const answer = (sql: string) => {
      if (sql.startsWith('SELECT VERSION()')) {
        const column = (name: string) => ({ name, ...TEXT_COLUMN });
        peer.writeTextResult([{ version, flush: '1' }], [column('version'), column('flush')]);
        return;
      }
      set.push(sql);
      if (refused !== undefined && sql.includes(`SESSION ${refused} `)) {
        peer.writeError({ code: 1193, message: `Unknown system variable '${refused}'` });
      } else peer.writeOk();
    };
  });
  server.listen(0);
  const listening = (server as unknown as { readonly _server: TcpServer })._server;
  if (!listening.listening) await once(listening, 'listening');
  onTestFinished(() => {
    for (const { stream } of peers) stream.destroy();
    listening.close();
  });
  const { port } = listening.address() as AddressInfo;
  const address = parseJdbcUrl(`jdbc:mysql://127.0.0.1:${port}/d?useSSL=false`) as ServerDatabase;
  const connection = await mysqlDriver({ ...address, user: 'u', password: '' }).connect(role);
  const seen = { server: connection.server, cautions: connection.cautions, set: [...set] };
  await connection.close();
  return seen;
}

const TEXT_COLUMN = {
  catalog: 'def',
  schema: '',
  table: '',
  orgTable: '',
  orgName: '',
  characterSet: 33,
  columnLength: 100,
  columnType: 253,
  flags: 0,
  decimals: 0,
};

const IDLE = /idle_transaction_timeout|wait_timeout = 30/;
const idleLimits = ({ set }: Session) => set.filter((sql) => IDLE.test(sql));

test.each([
  ['8.4.2', 'claims', ['SET SESSION wait_timeout = 30']],
  ['8.4.2', 'messages', ['SET SESSION wait_timeout = 30']],
  // Its pool keeps connections that do not speak.
  ['8.4.2', 'mediation', []],
  ['10.11.6-MariaDB', 'claims', ['SET SESSION idle_transaction_timeout = 10']],
  ['10.11.6-MariaDB', 'mediation', ['SET SESSION idle_transaction_timeout = 60']],
] as const)('a node that froze does not hold up the others for long: %s, %s', async (version, role, expected) => {
  const session = await connected(version, role);
  expect(idleLimits(session)).toEqual(expected);
  expect(session.cautions).toEqual([]);
});

test.each([
  ['10.2.44-MariaDB', 'MariaDB 10.2.44-MariaDB', 'idle_transaction_timeout', 10],
  ['8.4.2', 'MySQL 8.4.2', 'wait_timeout', 30],
] as const)(
  'a server without such a limit is used all the same, with a caution: %s',
  async (version, name, limit, s) => {
    const { server, cautions } = await connected(version, 'claims', limit);
    expect(server).toBe(name);
    expect(cautions).toEqual([
      `the server does not take ${limit} = ${s} (Unknown system variable '${limit}'): ` +
        'a node that freezes in a transaction holds up the others until its connection ends',
    ]);
  },
);
