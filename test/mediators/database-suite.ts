import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Databases } from '../../src/databases/databases.ts';
import type { MessageContext } from '../../src/message/message-context.ts';
import type { DataSource } from '../../src/stores/component.ts';
import { FakeConfiguration, message, sequence } from '../mediation/harness.ts';

/** A database with a data source named `jdbc/Shop`. */
export interface DatabaseUnderTest {
  readonly source: DataSource;
  readonly dataDirectory: string;
  readonly driver: string;
}

/** Types of columns that databases call differently. */
export interface ColumnTypes {
  readonly double: string;
  readonly flag: string;
}

/** `<connection>` by data source. */
export const BY_NAME = '<connection><pool><dsName>jdbc/Shop</dsName></pool></connection>';

export function services(databases: Databases): FakeConfiguration {
  const configuration = new FakeConfiguration();
  Object.assign(configuration.services, { databases });
  return configuration;
}

/** What dblookup, dbreport and transaction do, on any database. */
export function databaseSuite(types: ColumnTypes, start: () => Promise<DatabaseUnderTest>): void {
  let access: DatabaseUnderTest;
  let databases: Databases;
  let configuration: FakeConfiguration;

  beforeAll(async () => {
    access = await start();
    const dataSources = new Map([['Shop', access.source]]);
    databases = new Databases({ dataDirectory: access.dataDirectory, dataSources, trustedCertificates: undefined });
    configuration = services(databases);
    await run(
      report(
        `CREATE TABLE company (name VARCHAR(10) PRIMARY KEY, id VARCHAR(10), price ${types.double}, listed ${types.flag}, shares BIGINT);
         INSERT INTO company VALUES ('IBM', 'c1', 0.0, ${types.flag === 'BOOLEAN' ? 'true' : 1}, 9007199254740993);
         INSERT INTO company VALUES ('SU;N', 'c2', 12.5, NULL, NULL);`,
      ),
    );
  });

  afterAll(async () => {
    await databases?.close();
  });

  async function run(mediators: string, prepare: (context: MessageContext) => void = () => undefined) {
    const context = message({ configuration, body: '<order xmlns="urn:o"><symbol>IBM</symbol><empty/></order>' });
    prepare(context);
    expect(await sequence(mediators).mediate(context)).toBe(true);
    return context;
  }

  function report(sql: string, parameters = '', attributes = '') {
    return `<dbreport${attributes}>${BY_NAME}<statement><sql><![CDATA[${sql}]]></sql>${parameters}</statement></dbreport>`;
  }

  function lookup(sql: string, rest: string) {
    return `<dblookup>${BY_NAME}<statement><sql><![CDATA[${sql}]]></sql>${rest}</statement></dblookup>`;
  }

  async function price(name: string): Promise<string | undefined> {
    const found = await run(
      lookup(
        'SELECT price FROM company WHERE name = ?',
        `<parameter value="${name}" type="VARCHAR"/><result name="p" column="price"/>`,
      ),
    );
    return found.text('p');
  }

  describe('dblookup', () => {
    test('keeps columns of the first row as text, as Java prints them', async () => {
      const found = await run(
        lookup(
          "SELECT *, 'a?b' AS odd FROM company WHERE name = ? -- what about ?",
          `<parameter xmlns:o="urn:o" expression="//o:symbol" type="VARCHAR"/>
           <result name="id" column="ID"/><result name="price" column="price"/><result name="shares" column="shares"/>
           <result name="listed" column="listed"/><result name="first" column="1"/><result name="odd" column="odd"/>`,
        ),
      );
      expect(Object.fromEntries(found.properties)).toMatchObject({
        id: 'c1',
        price: '0.0',
        shares: '9007199254740993',
        listed: types.flag === 'INTEGER' ? '1' : 'true',
        first: 'IBM',
        odd: 'a?b',
      });
    });

    test('leaves properties alone where there is no row or a NULL (MREQ-46)', async () => {
      const rest = '<parameter value="SU;N" type="VARCHAR"/><result name="kept" column="shares"/>';
      const keep = (context: MessageContext) => void context.properties.set('kept', 'before');
      expect((await run(lookup('SELECT shares FROM company WHERE name = ?', rest), keep)).text('kept')).toBe('before');
      const none = '<result name="kept" column="id"/>';
      expect((await run(lookup("SELECT id FROM company WHERE name = 'none'", none), keep)).text('kept')).toBe('before');
    });

    test('a column that is not there is a fault that names those that are', async () => {
      await expect(run(lookup('SELECT id FROM company', '<result name="x" column="nope"/>'))).rejects.toThrow(
        /SQL Exception occurred while executing statement : SELECT id FROM company.*there is no column nope; there are: id/,
      );
    });

    test('what the database refuses is a fault with statement, data source and reason', async () => {
      await expect(run(lookup('SELECT * FROM no_such_table', '<result name="x" column="1"/>'))).rejects.toThrow(
        /^SQL Exception occurred while executing statement : SELECT \* FROM no_such_table against DataSource : jdbc\/Shop: .*no_such_table/,
      );
    });

    test('works on many messages at once with the connections that it may have', async () => {
      const pool = '<connection><pool><dsName>Shop</dsName><property name="maxactive" value="2"/></pool></connection>';
      const mediators = sequence(
        `<dblookup>${pool}<statement><sql>SELECT id FROM company WHERE name = 'IBM'</sql><result name="id" column="id"/></statement></dblookup>`,
      );
      const contexts = Array.from({ length: 40 }, () => message({ configuration }));
      await Promise.all(contexts.map((context) => mediators.mediate(context)));
      expect(contexts.every((context) => context.text('id') === 'c1')).toBe(true);
    });
  });

  describe('dbreport', () => {
    test('changes rows and counts them', async () => {
      const changed = await run(
        report(
          'UPDATE company SET price = ?, shares = ? WHERE name = ?',
          `<parameter value="99.25" type="DOUBLE"/><parameter value="7" type="BIGINT"/><parameter value="SU;N" type="VARCHAR"/>`,
        ),
      );
      expect(String(changed.properties.get('DBREPORT_MODIFIED_RAW_COUNT'))).toBe('1');
      expect(await price('SU;N')).toBe('99.25');
      const none = await run(report("UPDATE company SET price = 1 WHERE name = 'none'"));
      expect(String(none.properties.get('DBREPORT_MODIFIED_RAW_COUNT'))).toBe('0');
    });

    test('empty values are NULL, whatever their type', async () => {
      await run(
        report(
          'INSERT INTO company (name, id, price, listed, shares) VALUES (?, ?, ?, ?, ?)',
          `<parameter value="NUL" type="VARCHAR"/><parameter xmlns:o="urn:o" expression="//o:empty/text()" type="VARCHAR"/>
           <parameter expression="get-property('nothing')" type="DOUBLE"/><parameter value="" type="BIT"/>
           <parameter value="" type="BIGINT"/>`,
        ),
      );
      const found = await run(
        lookup(
          'SELECT COUNT(*) FROM company WHERE id IS NULL AND price IS NULL AND listed IS NULL AND shares IS NULL',
          '<result name="count" column="1"/>',
        ),
      );
      expect(found.text('count')).toBe('1');
      await run(report("DELETE FROM company WHERE name = 'NUL'"));
    });

    test('values of every type arrive', async () => {
      await run(
        report(
          'CREATE TABLE typed (a VARCHAR(20), b DECIMAL(20,4), c SMALLINT, d INTEGER, e DATE, f TIMESTAMP NULL, g TIME)',
        ),
      );
      await run(
        report(
          'INSERT INTO typed VALUES (?, ?, ?, ?, ?, ?, ?)',
          `<parameter value="é 'x'" type="CHAR"/><parameter value="12345.6789" type="DECIMAL"/>
           <parameter value="-32768" type="SMALLINT"/><parameter value="2147483647" type="INTEGER"/>
           <parameter value="2024-02-29" type="DATE"/><parameter value="2024-02-29 10:11:12" type="TIMESTAMP"/>
           <parameter value="10:11:12" type="TIME"/>`,
        ),
      );
      const columns = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
      const found = await run(
        lookup('SELECT * FROM typed', columns.map((name) => `<result name="${name}" column="${name}"/>`).join('')),
      );
      expect(columns.map((name) => found.text(name)?.replace(/\.0$/, ''))).toEqual([
        "é 'x'",
        '12345.6789',
        '-32768',
        '2147483647',
        '2024-02-29',
        '2024-02-29 10:11:12',
        '10:11:12',
      ]);
    });

    test('texts that are no value of their type are faults that name the parameter', async () => {
      const sql = 'UPDATE company SET shares = ?';
      await expect(run(report(sql, '<parameter value="40000" type="SMALLINT"/>'))).rejects.toThrow(
        "Parameter 1 of the statement: '40000' is no SMALLINT: an integer of 16 bits is expected",
      );
    });
  });

  describe('transaction', () => {
    const join = ' useTransaction="true"';
    const setPrice = (name: string, value: string) =>
      report(`UPDATE company SET price = ${value} WHERE name = '${name}'`, '', join);

    test('what is rolled back has not happened, and is seen by the lookups of the flow until then', async () => {
      await run(report("UPDATE company SET price = 1 WHERE name = 'IBM'"));
      const seen = await run(
        `<transaction action="new"/>${setPrice('IBM', '2')}
         ${lookup("SELECT price FROM company WHERE name = 'IBM'", '<result name="seen" column="price"/>')}
         <transaction action="rollback"/>`,
      );
      expect(seen.text('seen')).toBe('2.0');
      expect(await price('IBM')).toBe('1.0');
    });

    test('what is committed has happened, all of it', async () => {
      await run(
        `<transaction action="use-existing-or-new"/><transaction action="use-existing-or-new"/>
         <transaction action="fault-if-no-tx"/>${setPrice('IBM', '3')}${setPrice('SU;N', '4')}<transaction action="commit"/>`,
      );
      expect([await price('IBM'), await price('SU;N')]).toEqual(['3.0', '4.0']);
    });

    test('after a statement that failed, nothing of it is committed', async () => {
      const context = message({ configuration });
      const begin = sequence(`<transaction action="new"/>${setPrice('IBM', '5')}`);
      const fail = sequence(report("INSERT INTO company (name) VALUES ('IBM')", '', join));
      await begin.mediate(context);
      await expect(Promise.resolve(fail.mediate(context))).rejects.toThrow(/SQL Exception occurred/);
      const commit = sequence('<transaction action="commit"/>');
      await expect(Promise.resolve(commit.mediate(context))).rejects.toThrow(
        /^Unable to commit transaction: a statement in it failed: /,
      );
      expect(await price('IBM')).toBe('3.0');
      await expect(Promise.resolve(commit.mediate(context))).rejects.toThrow('Unable to commit transaction');
    });

    test('a flow has one transaction at a time', async () => {
      await expect(run('<transaction action="fault-if-no-tx"/>')).rejects.toThrow(
        'No active transaction. Require an active transaction',
      );
      await expect(run('<transaction action="new"/><transaction action="new"/>')).rejects.toThrow(
        'Require to begin a new transaction, but a transaction already exist',
      );
      await expect(run('<transaction action="rollback"/>')).rejects.toThrow('Unable to rollback transaction');
    });
  });

  test('a drained pool opens new connections when they are needed', async () => {
    databases.drain();
    expect(await price('IBM')).toBe('3.0');
  });
}
