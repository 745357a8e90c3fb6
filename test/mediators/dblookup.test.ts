import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Databases } from '../../src/databases/databases.ts';
import { message, problemLines, sequence } from '../mediation/harness.ts';
import { BY_NAME, databaseSuite, services } from './database-suite.ts';

const folders: string[] = [];

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'mini-synapse-databases-'));
  folders.push(made);
  return made;
}

afterAll(() => {
  for (const made of folders) rmSync(made, { recursive: true, force: true });
});

const DRIVER = 'org.sqlite.JDBC';

describe('on SQLite', () => {
  databaseSuite({ double: 'DOUBLE', flag: 'INTEGER' }, async () => ({
    source: { url: 'jdbc:sqlite:shop.db', username: undefined, password: undefined, driver: DRIVER },
    dataDirectory: folder(),
    driver: DRIVER,
  }));
});

const STATEMENT = '<statement><sql>SELECT 1</sql><result name="one" column="1"/></statement>';
const ownPool = (driver: string, url: string, more = '') =>
  `<dblookup><connection><pool><driver>${driver}</driver><url>${url}</url><user>u</user><password>p</password>${more}</pool></connection>${STATEMENT}</dblookup>`;

describe('the grammar of dblookup and dbreport', () => {
  const NO_CONNECTION =
    'error: The DataSource connection information must be specified for using a custom DataSource connection pool or for a JNDI lookup';

  test.each([
    [`<dblookup>${STATEMENT}</dblookup>`, [NO_CONNECTION]],
    [`<dblookup><connection><pool><url>x</url></pool></connection>${STATEMENT}</dblookup>`, [NO_CONNECTION]],
    [
      `<dblookup><connection><pool><driver>${DRIVER}</driver><url/><user/><password/></pool></connection>${STATEMENT}</dblookup>`,
      ['error: Unable to read configuration value for : {http://ws.apache.org/ns/synapse}url'],
    ],
    [
      `<dblookup>${BY_NAME}<statement><sql>SELECT 1</sql><result name="x"/></statement></dblookup>`,
      ['error: Invalid result element found missing either name and column [DBLookup] mediator'],
    ],
    [
      `<dbreport>${BY_NAME}<statement><sql>DELETE FROM t WHERE a = ?</sql><parameter value="1" type="STRING"/></statement></dbreport>`,
      ['error: Unknown or unsupported JDBC type : STRING'],
    ],
    [
      `<dbreport>${BY_NAME}<statement><sql>DELETE FROM t WHERE a = ?</sql><parameter expression="//[" type="CHAR"/></statement></dbreport>`,
      [expect.stringMatching(/^error: Invalid XPath\/JsonPath specified for the source attribute : \/\/\[: /)],
    ],
    [
      `<dbreport>${BY_NAME}<statement><sql>DELETE FROM t WHERE a = ?</sql></statement></dbreport>`,
      ['warning: the statement has 1 places for values, and 0 parameters'],
    ],
    [
      ownPool(DRIVER, 'jdbc:sqlite:x.db', '<property name="isolation" value="Connection.TRANSACTION_ODD"/>'),
      ["error: property 'isolation' of a pool: 'Connection.TRANSACTION_ODD' cannot be used"],
    ],
    [
      ownPool(DRIVER, 'jdbc:sqlite:x.db', '<property name="maxactive" value="many"/>'),
      ["error: property 'maxactive' of a pool: 'many' cannot be used"],
    ],
    [
      ownPool(DRIVER, 'jdbc:sqlite:x.db', '<property name="colour" value="red"/>'),
      ["warning: unknown property 'colour' of a pool is ignored"],
    ],
    [
      ownPool('org.apache.derby.jdbc.ClientDriver', 'jdbc:derby://localhost:1527/synapsedb;create=false'),
      ["warning: the driver class 'org.apache.derby.jdbc.ClientDriver' is not supported; messages fail here"],
    ],
    ['<transaction/>', ["error: The 'action' attribute is required for Transaction mediator definition"]],
    ['<transaction action="begin"/>', ['error: Invalid transaction mediator action : begin']],
  ])('%s', (mediators, expected) => {
    expect(problemLines(mediators)).toEqual(expected);
  });

  test('accepts all settings of a pool', () => {
    const settings: ReadonlyArray<readonly [string, string]> = [
      ['autocommit', 'false'],
      ['isolation', 'Connection.TRANSACTION_SERIALIZABLE'],
      ['initialsize', '2'],
      ['maxactive', '-1'],
      ['maxidle', '4'],
      ['maxopenstatements', '10'],
      ['maxwait', '500'],
      ['minidle', '1'],
      ['poolstatements', 'true'],
      ['testonborrow', 'true'],
      ['testonreturn', 'true'],
      ['testwhileidle', 'true'],
      ['validationquery', 'SELECT 2'],
    ];
    const written = settings.map(([name, value]) => `<property name="${name}" value="${value}"/>`).join('');
    expect(problemLines(ownPool(DRIVER, 'jdbc:sqlite:x.db', written))).toEqual([]);
  });
});

describe('databases that cannot be had', () => {
  function databases(dataSources: ConstructorParameters<typeof Databases>[0]['dataSources'] = new Map()) {
    return new Databases({ dataDirectory: folder(), dataSources, trustedCertificates: undefined });
  }

  test('a data source that the configuration does not have is a fault that names those it has', async () => {
    const source = { url: 'jdbc:sqlite:x.db', username: undefined, password: undefined, driver: undefined };
    const configuration = services(databases(new Map([['Shops', source]])));
    const asking = sequence(`<dblookup>${BY_NAME}${STATEMENT}</dblookup>`).mediate(message({ configuration }));
    await expect(Promise.resolve(asking)).rejects.toThrow(
      'Cannot find a DataSource jdbc/Shop: the configuration has Shops',
    );
  });

  test('a driver that is not there is a fault that says what to do, and a data source of its URL stands in for it', async () => {
    const url = 'jdbc:derby://localhost:1527/synapsedb;create=false';
    const asking = sequence(ownPool('org.apache.derby.jdbc.ClientDriver', url));
    await expect(Promise.resolve(asking.mediate(message({ configuration: services(databases()) })))).rejects.toThrow(
      /ClientDriver' is not supported; expected PostgreSQL.*\[\[datasource\]\]/,
    );
    const source = { url: 'jdbc:sqlite:stand-in.db', username: undefined, password: undefined, driver: undefined };
    const standIn = databases(new Map([[url, source]]));
    const context = message({ configuration: services(standIn) });
    expect(await asking.mediate(context)).toBe(true);
    expect(context.text('one')).toBe('1');
    await standIn.close();
  });

  test('a server that is not there is a fault within the connect timeout', async () => {
    const configuration = services(databases());
    const asking = sequence(ownPool('org.postgresql.Driver', 'jdbc:postgresql://127.0.0.1:1/shop'));
    await expect(Promise.resolve(asking.mediate(message({ configuration })))).rejects.toThrow(
      /^Connection from DataSource jdbc:postgresql:\/\/127.0.0.1:1\/shop is null\. .*ECONNREFUSED/,
    );
  });
});
