import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import type { DataSource, StoreServices } from '../../../src/stores/component.ts';
import { jdbcStore } from '../../../src/stores/jdbc.ts';
import { StoreError } from '../../../src/stores/message-store.ts';
import { readJdbcParameters } from '../jdbc-stores.ts';

const COMPLETE = {
  'store.jdbc.driver': 'org.postgresql.Driver',
  'store.jdbc.connection.url': 'jdbc:postgresql://127.0.0.1:1/db',
  'store.jdbc.username': '',
  'store.jdbc.password': '',
};

const SOURCE: DataSource = { url: 'jdbc:mysql://127.0.0.1:1/db', username: 'u', password: 'p', driver: undefined };

function opening(parameters: Record<string, string>, sources: Record<string, DataSource> = {}) {
  const services: StoreServices = {
    dataDirectory: tmpdir(),
    putDeadlineMs: 1_000,
    stompUrls: new Map(),
    dataSources: new Map(Object.entries(sources)),
  };
  return () =>
    jdbcStore.open({
      name: 'S',
      position: { file: 's.xml', line: 1, column: 1 },
      parameters: readJdbcParameters(parameters),
      written: new Map(),
      services,
      previous: undefined,
    });
}

describe('parameters of a JDBC store (spec stores 1.4, 2.4, REQ-03)', () => {
  test('have the defaults of the reference', () => {
    expect(readJdbcParameters({})).toMatchObject({ 'store.jdbc.table': 'jdbc_message_store', 'x.create.table': false });
  });

  test.each([
    [
      'store.jdbc.driver',
      'org.postgresql.Drivr',
      /driver class 'org\.postgresql\.Drivr' is not supported; one of: org\.postgresql\.Driver/,
    ],
    ['store.jdbc.driver', 'org.h2.Driver', /'org\.h2\.Driver' is not supported/],
    ['store.jdbc.connection.url', 'jdbc:h2:mem:x;INIT=RUNSCRIPT', /INIT expressions are not allowed/],
    ['store.jdbc.connection.url', 'x; in\\it = y', /INIT expressions are not allowed/],
    ['store.jdbc.connection.url', 'jdbc:h2:mem:x', /'h2' are not supported; jdbc:postgresql:/],
    ['store.jdbc.table', 'a b', /'a b' is no table name/],
    ['store.jdbc.table', 't; DROP TABLE u', /is no table name/],
    ['store.jdbc.table', 'a.b.c', /is no table name/],
    ['store.jdbc.table', '1a', /is no table name/],
    ['store.jdbc.table', 't'.repeat(56), /is too long/],
  ])('%s=%s is an error that names it', (name, value, reason) => {
    expect(() => readJdbcParameters({ ...COMPLETE, [name]: value })).toThrow(reason);
    expect(() => readJdbcParameters({ ...COMPLETE, [name]: value })).toThrow(`parameter '${name}'`);
  });

  test.each([
    [
      {},
      /The DataSource connection information must be specified for using a custom DataSource connection pool or for a JNDI lookup/,
    ],
    [{ 'store.jdbc.driver': 'org.postgresql.Driver' }, /'store\.jdbc\.connection\.url' is required/],
    [{ ...COMPLETE, 'store.jdbc.connection.url': 'file:/jndi' }, /'file:\/jndi' is not a JDBC URL/],
    [
      { ...COMPLETE, 'store.jdbc.driver': 'com.mysql.jdbc.Driver' },
      /'store\.jdbc\.driver' is for mysql, and 'store\.jdbc\.connection\.url' is 'jdbc:postgresql/,
    ],
    [
      { 'store.jdbc.driver': 'org.postgresql.Driver', 'store.jdbc.connection.url': 'jdbc:postgresql://h/d' },
      /'store\.jdbc\.username' is required/,
    ],
    [
      { 'store.jdbc.dsName': 'Shop' },
      /'store\.jdbc\.dsName': Cannot find a DataSource Shop: the configuration has SHOP; did you mean 'SHOP'/,
    ],
    [
      { 'store.jdbc.dsName': 'X', 'store.jdbc.icClass': 'com.sun.jndi.rmi.registry.RegistryContextFactory' },
      /There is no JNDI here \(store\.jdbc\.icClass is 'com\.sun/,
    ],
    [
      { ...COMPLETE, 'store.jdbc.connection.url': `${COMPLETE['store.jdbc.connection.url']}?sslrootcert=/no/file` },
      /\/no\/file/,
    ],
  ])('%j is an error of the deployment', (parameters, reason) => {
    expect(opening(parameters, { SHOP: SOURCE })).toThrow(StoreError);
    expect(opening(parameters, { SHOP: SOURCE })).toThrow(reason);
  });

  test.each([
    [{ ...SOURCE, url: 'jdbc:h2:mem:x;init=y' }, /the url of the data source 'A': INIT expressions/],
    [{ ...SOURCE, url: 'jdbc:odbc:x' }, /'odbc' are not supported; expected jdbc:postgresql/],
    [{ ...SOURCE, driver: 'org.postgresql.Driver' }, /its driver is for postgresql/],
    [
      { ...SOURCE, driver: 'oracle.jdbc.OracleDriver' },
      /the driver 'oracle\.jdbc\.OracleDriver' of the data source 'A' is not supported/,
    ],
  ])('the data source %j is an error of the deployment', (source, reason) => {
    expect(opening({ 'store.jdbc.dsName': 'A' }, { A: source })).toThrow(reason);
  });
});
