import { createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { STANDARD } from '../samples/numbered/expectations.ts';
import { corpusText, definitions, runArtifacts, sample } from '../samples/numbered/running-sample.ts';
import { afterTheTest } from '../support/clean-up.ts';
import type { DatabaseServer } from '../support/servers/database-server.ts';
import { findOrInstall, mariadb } from '../support/servers/index.ts';

/* Sample 364: stored procedures of a MySQL. Its address and user in the file are exchanged for those of the test's own server. */

const kind = await findOrInstall(mariadb);

kind.describe('stored procedures', () => {
  const onCleanUp = afterTheTest();
  let server: DatabaseServer;
  beforeAll(async () => {
    server = await kind.start();
  });
  afterAll(() => server.close());

  sample('364: a price is reported and looked up', definitions('364-cc0a52'), (file) => {
    it('by procedures', async () => {
      const url = new URL(server.jdbcUrl.replace(/^jdbc:/, ''));
      const connection = await createConnection({
        host: url.hostname,
        port: Number(url.port),
        database: url.pathname.slice(1),
        user: server.user,
        password: server.password,
      });
      onCleanUp('the connection', () => connection.end());
      for (const statement of [
        'create table company(name varchar(10), id varchar(10), price double)',
        "insert into company values ('IBM', 'c1', 0.0), ('SUN', 'c2', 0.0), ('MSFT', 'c3', 0.0)",
        'create procedure updateCompany(compPrice double, compName varchar(10)) update company set price = compPrice where name = compName',
        'create procedure getCompany(compName varchar(10)) select * from company where name = compName',
      ])
        await connection.query(statement);
      const xml = corpusText(file)
        .replaceAll('jdbc:mysql://localhost:3306/synapsedb', server.jdbcUrl)
        .replaceAll('com.mysql.jdbc.Driver', server.driverClass)
        .replaceAll('<user>user</user>', `<user>${server.user}</user>`)
        .replaceAll('<password>password</password>', `<password>${server.password}</password>`);
      // Its expressions are written for the back end of WSO2.
      const running = await runArtifacts({ sample: xml }, { flavour: 'wso2' });
      onCleanUp('the sample', () => running.stop());
      const { lines } = await running.smart({ symbol: 'SUN' });
      expect(lines).toEqual([expect.stringMatching(STANDARD)]);
      const quoted = lines[0]?.split('$')[1];
      expect(running.logged(/^text = /).at(-1)).toBe(`text = Stock Prize - ${quoted}`);
      const [rows] = await connection.query('select name, price from company order by name');
      expect(rows).toEqual([
        { name: 'IBM', price: 0 },
        { name: 'MSFT', price: 0 },
        // As text the driver reads the last digit otherwise.
        { name: 'SUN', price: expect.closeTo(Number(quoted), 9) },
      ]);
    });
  });
});
