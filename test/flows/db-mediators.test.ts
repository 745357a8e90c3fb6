import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Databases } from '../../src/databases/databases.ts';
import { message, sequence } from '../mediation/harness.ts';
import { databaseSuite, services } from '../mediators/database-suite.ts';
import { inOnly, serve } from '../support/in-process.ts';
import type { DatabaseServer } from '../support/servers/database-server.ts';
import { findOrInstall, mariadb, postgresql } from '../support/servers/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'mini-synapse-databases-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SERVERS = [
  {
    name: 'PostgreSQL',
    kind: await findOrInstall(postgresql),
    types: { double: 'DOUBLE PRECISION', flag: 'BOOLEAN' },
    function: `CREATE FUNCTION doubled(a INTEGER) RETURNS INTEGER LANGUAGE plpgsql AS $$ BEGIN RETURN a * 2; END; $$`,
    callDoubled: 'SELECT doubled(?) AS twice',
    connections: "SELECT COUNT(*) AS n FROM pg_stat_activity WHERE application_name = 'mini-synapse'",
  },
  {
    name: 'MariaDB',
    kind: await findOrInstall(mariadb),
    types: { double: 'DOUBLE', flag: 'TINYINT(1)' },
    function: `CREATE PROCEDURE doubled(a INTEGER) BEGIN SELECT a * 2 AS twice; SELECT 1; END`,
    callDoubled: '{call doubled(?)}',
    connections:
      'SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE USER = SUBSTRING_INDEX(USER(), "@", 1)',
  },
] as const;

for (const { name, kind, types, ...more } of SERVERS) {
  kind.describe(`mediators on ${name}`, () => {
    let server: DatabaseServer;
    beforeAll(async () => {
      server = await kind.start();
    });
    const source = () => ({
      url: server.jdbcUrl,
      username: server.user,
      password: server.password,
      driver: server.driverClass,
    });

    describe('the mediators', () => {
      databaseSuite(types, async () => ({ source: source(), dataDirectory: folder, driver: server.driverClass }));
    });

    const pool = (properties = '') =>
      `<connection><pool><driver>${server.driverClass}</driver><url>${server.jdbcUrl}</url><user>${server.user}</user>` +
      `<password>${server.password}</password>${properties}</pool></connection>`;
    const lookup = (sql: string, rest: string, properties = '') =>
      `<dblookup>${pool(properties)}<statement><sql><![CDATA[${sql}]]></sql>${rest}</statement></dblookup>`;

    test('stored procedures and functions, also as JDBC writes them', async () => {
      const databases = new Databases({
        dataDirectory: folder,
        dataSources: new Map(),
        trustedCertificates: undefined,
      });
      const configuration = services(databases);
      const context = message({ configuration });
      await sequence(
        `<dbreport>${pool()}<statement><sql><![CDATA[${more.function}]]></sql></statement></dbreport>
         ${lookup(more.callDoubled, '<parameter value="21" type="INTEGER"/><result name="r" column="twice"/>')}`,
      ).mediate(context);
      expect(context.text('r')).toBe('42');
      await databases.close();
    });

    test('goes on after the server was away, with a fault while it is', async () => {
      const databases = new Databases({
        dataDirectory: folder,
        dataSources: new Map(),
        trustedCertificates: undefined,
      });
      const configuration = services(databases);
      const asking = sequence(lookup('SELECT 7 AS n', '<result name="n" column="n"/>'));
      const ask = async () => {
        const context = message({ configuration });
        await asking.mediate(context);
        return context.text('n');
      };
      expect(await ask()).toBe('7');
      await server.kill();
      await expect(ask()).rejects.toThrow(/is null|SQL Exception occurred/);
      await server.restart();
      expect(await ask()).toBe('7');
      await databases.close();
    });

    test('connections are closed after a deployment without the mediator, and when the server stops', async () => {
      const count = async (databases: Databases) => {
        const context = message({ configuration: services(databases) });
        await sequence(lookup(more.connections, '<result name="n" column="n"/>')).mediate(context);
        return Number(context.text('n'));
      };
      const watching = new Databases({ dataDirectory: folder, dataSources: new Map(), trustedCertificates: undefined });
      const before = await count(watching);
      const running = await serve(
        { p: inOnly('P', `${lookup('SELECT 7 AS n', '<result name="n" column="n"/>')}<respond/>`) },
        '',
        { watch: true },
      );
      try {
        expect((await fetch(running.service('P'), { method: 'POST', body: 'x' })).status).toBe(200);
        expect(await count(watching)).toBe(before + 1);
        rmSync(join(running.directory, 'p.xml'));
        await running.logged(/undeployed|Undeploy/i);
        await expect.poll(() => count(watching), { timeout: 10_000 }).toBe(before);
      } finally {
        await running.stop();
        await watching.close();
      }
    });
  });
}
