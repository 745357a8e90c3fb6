import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maskCredentials } from '../../../src/logging/secrets.ts';
import { describeAddress, JdbcUrlError, parseJdbcUrl, type ServerDatabase } from '../../../src/stores/sql/address.ts';

function server(url: string): ServerDatabase {
  const address = parseJdbcUrl(url);
  if (address.kind === 'sqlite') throw new Error('a file');
  return address;
}

describe('a JDBC URL', () => {
  test('of PostgreSQL names hosts, database, user and schema', () => {
    expect(
      server('jdbc:postgresql://db.example:6432/shop?user=joe&password=a%26b&currentSchema=app&sslmode=disable'),
    ).toEqual({
      kind: 'postgresql',
      hosts: [{ host: 'db.example', port: 6432 }],
      database: 'shop',
      user: 'joe',
      password: 'a&b',
      tls: 'off',
      caFile: undefined,
      schema: 'app',
      prepares: true,
    });
    expect(server('jdbc:postgresql://a,b:2,[::1]:3/shop').hosts).toEqual([
      { host: 'a', port: 5432 },
      { host: 'b', port: 2 },
      { host: '::1', port: 3 },
    ]);
    expect(server('jdbc:postgresql:shop')).toMatchObject({
      hosts: [{ host: 'localhost', port: 5432 }],
      database: 'shop',
    });
    expect(server('jdbc:postgresql:///shop?prepareThreshold=0')).toMatchObject({ database: 'shop', prepares: false });
  });

  test('of MySQL and MariaDB', () => {
    expect(server(' jdbc:mysql://localhost/WSO2_DB?useSSL=false&autoReconnect=true ')).toMatchObject({
      kind: 'mysql',
      hosts: [{ host: 'localhost', port: 3306 }],
      database: 'WSO2_DB',
      tls: 'off',
      user: undefined,
    });
    expect(server('JDBC:MariaDB://h:3307/d?user=u&password=')).toMatchObject({
      kind: 'mysql',
      user: 'u',
      password: '',
    });
    expect(server('jdbc:mysql://joe:p%40ss@h/d')).toMatchObject({ user: 'joe', password: 'p@ss' });
  });

  test('of SQLite names a file', () => {
    expect(parseJdbcUrl('jdbc:sqlite:/var/lib/a b.db')).toEqual({ kind: 'sqlite', file: '/var/lib/a b.db' });
    expect(parseJdbcUrl('jdbc:sqlite:file:x/y.db?cache=shared')).toEqual({ kind: 'sqlite', file: 'x/y.db' });
    expect(() => parseJdbcUrl('jdbc:sqlite::memory:')).toThrow(/keeps nothing/);
    expect(() => parseJdbcUrl('jdbc:sqlite:')).toThrow(JdbcUrlError);
  });

  test.each([
    ['jdbc:postgresql://h/d?ssl=true', 'verify-full'],
    ['jdbc:postgresql://h/d?sslmode=require', 'encrypt'],
    ['jdbc:postgresql://h/d?sslmode=verify-ca', 'verify-ca'],
    ['jdbc:postgresql://h/d?sslmode=prefer', 'off'],
    ['jdbc:mysql://h/d?useSSL=true', 'encrypt'],
    ['jdbc:mysql://h/d?useSSL=true&verifyServerCertificate=true', 'verify-ca'],
    ['jdbc:mysql://h/d?sslMode=VERIFY_IDENTITY', 'verify-full'],
    ['jdbc:mariadb://h/d?sslMode=trust', 'encrypt'],
    ['jdbc:mariadb://h/d?sslMode=verify-full&serverSslCert=/ca.pem', 'verify-full'],
  ])('%s asks for TLS: %s', (url, tls) => {
    expect(server(url).tls).toBe(tls);
  });

  test.each([
    ['jdbc:h2:mem:x;INIT=RUNSCRIPT FROM 1', /INIT expressions are not allowed in the connection URL/],
    ['jdbc:postgresql://h/d; \\init =x', /INIT expressions/],
    ['jdbc:mysql://h/d;I\\N\\IT=x', /INIT expressions/],
    ['jdbc:h2:./x', /kind 'h2' are not supported/],
    ['jdbc:oracle:thin:@h:1521:x', /kind 'oracle'/],
    ['postgresql://h/d', /is not a JDBC URL/],
    ['jdbc:postgresql://h', /does not name a database/],
    ['jdbc:mysql://h/', /does not name a database/],
    ['jdbc:mysql:replication://a,b/d', /is not of the form jdbc:mysql:\/\/HOST:PORT\/DATABASE/],
    ['jdbc:postgresql://h:0/d', /port/],
    ['jdbc:postgresql://h:99999/d', /port/],
    ['jdbc:postgresql://h h/d', /where a host is expected/],
    ['jdbc:postgresql://h/d?sslmode=maybe', /sslmode=maybe, which is not one of: disable/],
    ['jdbc:postgresql://h/d?user=%zz', /hexadecimal/],
  ])('%s is refused', (url, reason) => {
    expect(() => parseJdbcUrl(url)).toThrow(JdbcUrlError);
    expect(() => parseJdbcUrl(url)).toThrow(reason);
  });

  const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,12}$/);
  const port = fc.integer({ min: 1, max: 65_535 });
  const secret = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });

  test('gives back what was put into it', () => {
    const hosts = fc.array(fc.record({ host: word, port }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(
        fc.constantFrom('postgresql', 'mysql'),
        hosts,
        secret,
        secret,
        secret,
        (kind, at, database, user, password) => {
          const authority = at.map(({ host, port: number }) => `${host}:${number}`).join(',');
          const query = `user=${encodeURIComponent(user)}&password=${encodeURIComponent(password)}`;
          const url = `jdbc:${kind}://${authority}/${encodeURIComponent(database)}?${query}`;
          expect(server(url)).toMatchObject({ kind, hosts: at, database, user, password });
        },
      ),
    );
  });

  test('is read or refused, never anything else, and errors keep its secrets', () => {
    const pieces = fc.constantFrom(
      'jdbc:',
      'postgresql',
      'mysql:',
      'sqlite:',
      '//',
      '/',
      '@',
      ':',
      '?',
      '&',
      '=',
      '%',
      ';',
      'h',
      '[::1]',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string({ maxLength: 5 })), { maxLength: 12 }), (parts) => {
        try {
          expect(describeAddress(parseJdbcUrl(parts.join('')))).not.toBe('');
        } catch (error) {
          expect(error).toBeInstanceOf(JdbcUrlError);
        }
      }),
      { numRuns: 1_000 },
    );
    for (const url of [
      'jdbc:mysql://u:s3cret@h',
      'jdbc:mysql://u:s3/cret@h/d?x=%',
      'jdbc:postgresql://h?password=s3cret',
    ]) {
      expect(() => parseJdbcUrl(url)).toThrow(/^(?!.*s3)/s);
    }
  });

  test('is shown without secrets (REQ-56)', () => {
    expect(maskCredentials('jdbc:mysql://joe:p@ss@h:1/d?user=joe&password=x&sslpassword=y;z')).toBe(
      'jdbc:mysql://joe:*****@h:1/d?user=joe&password=*****&sslpassword=*****;z',
    );
    expect(maskCredentials('jdbc:mysql://h/d?a=b')).toBe('jdbc:mysql://h/d?a=b');
    expect(describeAddress(parseJdbcUrl('jdbc:postgresql://u:p@h,[::1]:2/d?password=x'))).toBe(
      'postgresql://h:5432,[::1]:2/d',
    );
  });
});
